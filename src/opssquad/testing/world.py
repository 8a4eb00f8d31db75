"""A recorded world with its handles: what a tool is given, a clock that a test may set forward."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar, cast

from opssquad.errors import UsageError
from opssquad.evals.stopwatch import Stopwatch
from opssquad.investigation.options import Beside, Options
from opssquad.investigation.outside import outside
from opssquad.investigation.systems import connect
from opssquad.testing.found import Where, recording_of
from opssquad.toolbox import Clock, Handle, Handles, Progress
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.recording.load import load_incident

H = TypeVar("H", bound=Handle)
STEP = timedelta(seconds=5)
"""The world's time between looks while it is set forward: its controllers act on what they see."""


@dataclass(frozen=True)
class World:
    """A recording that is open. `handles` are what a tool gets, by type; `said` is what tools told of their
    progress."""

    folder: Path
    handles: Handles
    said: list[str]
    _watch: Stopwatch = field(repr=False)

    def __getitem__(self, kind: type[H]) -> H:
        """The handle of that type: `world[Cluster]`. Raises UsageError where the recording has none."""
        if kind not in self.handles:
            there = ", ".join(sorted(each.__name__ for each in self.handles))
            raise UsageError(f"recording {self.folder.name} has no {kind.__name__}; it has: {there}")
        return cast("H", self.handles[kind])

    async def pass_time(self, span: timedelta) -> None:
        """Let that much of the world's time pass at once: rollouts end, events grow old."""
        for _ in range(-(-span // STEP)):
            self._watch.skip(STEP)
            # A recorded cluster acts on what its clock says before it answers.
            if cluster := self.handles.get(Cluster):
                await cast("Cluster", cluster).find("Namespace", "default")


@asynccontextmanager
async def recorded(recording: Where, *, speed: float = 1.0) -> AsyncIterator[World]:
    """Serve a recording, by folder or id, as an eval does, and connect to it. `speed`: how fast its clock
    runs, for tools that wait. Raises UsageError, BadFile."""
    folder, watch, said = recording_of(recording), Stopwatch(), list[str]()
    with TemporaryDirectory(prefix="opssquad-") as state:
        options = Options(
            state=Path(state),
            by="test",
            squad=load_incident(folder).squad,
            recording=folder,
            speed=speed,
            beside=Beside(real=watch),
        )
        async with AsyncExitStack() as stack:
            systems = await connect(options, "test", watch(), stack)
            own: Handles = {Clock: Clock(systems.now), Progress: Progress(said.append)}
            yield World(folder, {**systems.handles(), **outside(options, stack), **own}, said, watch)
