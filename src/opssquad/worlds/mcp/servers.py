"""The handle through which tools call servers of MCP: each is started when it is first meant, once, and ended
with the run.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from opssquad.errors import ToolError
from opssquad.toolbox import Handle
from opssquad.types import Effect, Json
from opssquad.worlds.mcp.offered import Offered, Place, Told

if TYPE_CHECKING:
    from opssquad.worlds.mcp.speaking import Spoken

START = 10.0
"""Seconds in which a server must be up with its tools listed."""
CALL = 30.0
"""Seconds in which a call must be answered."""
ENDING = 5.0
"""Seconds in which a server that was used may take its leave."""
BROUGHT = ("mcp", "mcp_types", "uvicorn", "starlette")
MISSING = 'servers of MCP need a library that is not here: pip install "opssquad[mcp]"'


@dataclass(frozen=True)
class Server:
    """A server by the name that its owner gave it."""

    name: str
    place: Place


class McpServers(Handle):
    """The servers of one run. `start` and `call` are seconds. `close` it, or programs stay."""

    def __init__(self, *, start: float = START, call: float = CALL) -> None:
        self._start, self._call = start, call
        self._effect: Effect = "mutate"
        self._kept: dict[str, _Kept] = {}

    def limited(self, effect: Effect) -> Self:
        """The same servers; for a read, no call of a tool that is not held for one."""
        view = type(self)(start=self._start, call=self._call)
        view._kept, view._effect = self._kept, effect if self._effect == "mutate" else self._effect
        return view

    async def offered(self, server: Server) -> tuple[tuple[Offered, ...], bool]:
        """The tools that it offers now, and whether it has more than are read. Raises ToolError."""
        spoken = await self._spoken(server)
        return tuple(spoken.offered.values()), spoken.more

    async def call(self, server: Server, approved: Offered, arguments: Json, effect: Effect) -> Told:
        """Call a tool as it was approved. Raises ToolError where it is another by now, and for every way in
        which a server fails; ToolUnsure where a mutation may have happened all the same."""
        if effect == "mutate" and self._effect == "read":
            what = f"{approved.name} of MCP server {server.name}"
            raise ToolError(f"{what} may change something, and here nothing may be changed")
        spoken = await self._spoken(server)
        try:
            await spoken.look(self._call)
            self._unchanged(server.name, approved, spoken)
            return await spoken.call(approved.name, arguments, effect, self._call)
        finally:
            kept = self._kept.get(server.name)
            if spoken.dead and kept and kept.is_of(spoken):
                # The next call finds it started anew.
                del self._kept[server.name]
                await kept.close()

    async def close(self) -> None:
        """End them all."""
        kept = list(self._kept.values())
        self._kept.clear()
        await asyncio.gather(*(each.close() for each in kept))

    async def _spoken(self, server: Server) -> "Spoken":
        while (kept := self._kept.get(server.name)) and (kept.ended or kept.server != server):
            del self._kept[server.name]
            # Others may start it anew meanwhile.
            await kept.close()
        if kept is None:
            kept = self._kept[server.name] = _Kept(server, self._start)
        return await kept.spoken()

    def _unchanged(self, server: str, approved: Offered, spoken: "Spoken") -> None:
        now = spoken.offered.get(approved.name)
        look = f"look at it, and if it is well: opssquad mcp approve {server}"
        if now is None:
            raise ToolError(f"MCP server {server} does not offer {approved.name} any more; {look}")
        if changes := approved.changes(now):
            changed = f"{' and '.join(changes)} changed since"
            what = f"{approved.name} of MCP server {server}"
            raise ToolError(f"{what} is not what was approved: {changed}; {look}")


class _Kept:
    """A server with the task that it lives in: the library wants it ended by the task that started it."""

    def __init__(self, server: Server, start: float) -> None:
        self.server, self._start = server, start
        self._ready: asyncio.Future[Spoken] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._abort: Callable[[], None] = self._stop.set
        self._task = asyncio.create_task(self._keep(), name=f"mcp {server.name}")

    @property
    def ended(self) -> bool:
        """Whether it is over with it."""
        return self._task.done()

    async def spoken(self) -> "Spoken":
        """The server once it answers. Raises ToolError."""
        return await asyncio.shield(self._ready)

    def is_of(self, spoken: "Spoken") -> bool:
        """Whether it is that server's task, and not one that was started since."""
        ready = self._ready
        return ready.done() and not ready.cancelled() and not ready.exception() and ready.result() is spoken

    async def close(self) -> None:
        """End it, also where it is only starting."""
        self._stop.set()
        if self._ready.done():
            await asyncio.wait([self._task], timeout=ENDING)
        self._abort()
        await asyncio.wait([self._task])

    async def _keep(self) -> None:
        try:
            # Late: the library takes a while to import, and is an extra.
            import anyio

            from opssquad.worlds.mcp.speaking import speaking
        except ModuleNotFoundError as error:
            self._fail(ToolError(MISSING) if absent(error) else error)
            return
        with anyio.CancelScope() as scope:
            self._abort = scope.cancel
            if self._stop.is_set():
                scope.cancel()
            try:
                async with speaking(self.server.name, self.server.place, self._start) as spoken:
                    self._ready.set_result(spoken)
                    await self._stop.wait()
            except ToolError as error:
                self._fail(error)
        self._fail(ToolError(f"MCP server {self.server.name} was ended before it had started"))

    def _fail(self, error: Exception) -> None:
        if not self._ready.done():
            self._ready.set_exception(error)
            # Whoever asked for it may have gone.
            self._ready.exception()


def absent(error: ModuleNotFoundError) -> bool:
    """Whether it is the library that is not there, or what it brings."""
    return (error.name or "").partition(".")[0] in BROUGHT
