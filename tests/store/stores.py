"""The stores that the conformance suite runs against: a new one adds its line here, and gets every test.

An implementation that lives elsewhere defines the fixture `opener` in its own conftest, and imports the tests
of `test_conformance`, `test_conformance_audit` and `test_consent`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from opssquad.store.base import Storage
from opssquad.store.sqlite import Store
from opssquad.times import Clock

Opener = Callable[[], AbstractAsyncContextManager[Storage]]
"""Opens the store of a test; called again, it opens the same one as another process would."""


def sqlite(folder: Path, now: Clock) -> Opener:
    """The embedded store."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Storage]:
        async with await Store.open(folder, now=now) as store:
            yield store

    return opened


STORES: dict[str, Callable[[Path, Clock], Opener]] = {"sqlite": sqlite}
