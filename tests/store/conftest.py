"""Every store of the list in a place of its own, closed again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opssquad.store.base import Storage
from tests.samples import NOW
from tests.store.stores import STORES, Opener


@pytest.fixture(params=sorted(STORES))
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return STORES[request.param](tmp_path / "state", lambda: NOW)


@pytest.fixture
async def store(opener: Opener) -> AsyncIterator[Storage]:
    async with opener() as opened:
        yield opened
