"""Opens the store for commands that only look or decide: no graph, no model, no cluster."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from opssquad.cli.shared import Shared

if TYPE_CHECKING:
    from opssquad.store.sqlite import Store

T = TypeVar("T")


def with_store(shared: Shared, use: Callable[["Store"], Awaitable[T]]) -> T:
    """Run `use` with the store of the state folder. Raises StoreError, UsageError."""
    import asyncio

    from opssquad.store.sqlite import Store

    async def opened() -> T:
        async with await Store.open(shared.settings().state) as store:
            return await use(store)

    return asyncio.run(opened())
