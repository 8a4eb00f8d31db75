"""What tools from outside work with besides the systems of a run: programs and HTTP APIs, live or recorded,
and servers of MCP; closed with the run.

In a recording nothing is run and nobody is called: what was not recorded says so. What does it is loaded with
the first call, as most conversations make none.
"""

from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path

from opssquad.investigation.in_force import reach
from opssquad.investigation.options import Options
from opssquad.toolbox import Handles
from opssquad.worlds.command import commands
from opssquad.worlds.http import client
from opssquad.worlds.mcp.servers import McpServers
from opssquad.worlds.net.here import Reach


def outside(options: Options, stack: AsyncExitStack) -> Handles:
    """The handles, by the types of parameters. A recording holds no answers of servers of MCP: with one they
    may be read, and nothing of theirs is changed; in evals there are none."""
    folder = options.recording or (options.part.folder if options.part else None)
    programs, requests = _Programs(folder), _Requests(folder, reach(options))
    found: Handles = {commands.Commands: commands.Commands(programs), client.Http: client.Http(requests)}
    if options.part:
        return found
    servers = McpServers()
    stack.push_async_callback(servers.close)
    return {**found, McpServers: servers.limited("read") if options.recording else servers}


class _Programs:
    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @cached_property
    def _backend(self) -> commands.Backend:
        if self._folder:
            from opssquad.worlds.command.recorded import RecordedCommands

            return RecordedCommands(self._folder)
        from opssquad.worlds.command.live import LiveCommands

        return LiveCommands()

    async def run(self, program: commands.Program) -> commands.Ran:
        """Run it, or tell what was recorded of it."""
        return await self._backend.run(program)


class _Requests:
    def __init__(self, folder: Path | None, refuses: Reach) -> None:
        self._folder, self._refuses = folder, refuses

    @cached_property
    def _backend(self) -> client.Backend:
        if self._folder:
            from opssquad.worlds.http.recorded import RecordedHttp

            return RecordedHttp(self._folder)
        from opssquad.worlds.http.live import LiveHttp

        return LiveHttp(self._refuses)

    async def send(self, request: client.Request) -> client.Reply:
        """Send it, or tell what was recorded of it."""
        return await self._backend.send(request)
