"""A store in a folder of its own, closed again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opssquad.store.sqlite import Store
from tests.samples import NOW


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as opened:
        yield opened
