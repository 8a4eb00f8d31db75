"""Programs and HTTP APIs, as tools of one's own may use them: a recording's where one is played, else real
ones, within the policy about destinations."""

from opssquad.investigation.options import Options
from opssquad.investigation.reach import bounds
from opssquad.toolbox import Handles
from opssquad.worlds.command.commands import Backend as Runs
from opssquad.worlds.command.commands import Commands, Program, Ran
from opssquad.worlds.http.client import Backend as Sends
from opssquad.worlds.http.client import Http, Reply, Request


def outside(options: Options) -> Handles:
    """The handles `Commands` and `Http` of a run. Raises BadFile for a recording that cannot be read."""
    folder = options.recording or (options.part.folder if options.part else None)
    if folder is None:
        return {Commands: Commands(LateCommands()), Http: Http(LateHttp(options))}
    from opssquad.worlds.command.recorded import RecordedCommands
    from opssquad.worlds.http.recorded import RecordedHttp

    return {Commands: Commands(RecordedCommands(folder)), Http: Http(RecordedHttp(folder))}


class LateCommands:
    """Real programs; what runs them is loaded with the first: most conversations run none."""

    def __init__(self) -> None:
        self._live: Runs | None = None

    async def run(self, program: Program) -> Ran:
        """Run it."""
        if self._live is None:
            from opssquad.worlds.command.live import LiveCommands

            self._live = LiveCommands()
        return await self._live.run(program)


class LateHttp:
    """Real requests; the same holds of them."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._live: Sends | None = None

    async def send(self, request: Request) -> Reply:
        """Send it."""
        if self._live is None:
            from opssquad.worlds.http.live import LiveHttp

            self._live = LiveHttp(bounds(self._options))
        return await self._live.send(request)
