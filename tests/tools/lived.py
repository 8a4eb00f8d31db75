"""A recorded cluster that lives on for days while it is looked at, with a store that keeps what was seen."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tools.changes import history
from tools.revisions import revisions
from tools.rollback import rollback, rollback_check

from opssquad import Cluster, Json, Preview, Progress, Result
from opssquad.evals.stopwatch import Stopwatch
from opssquad.observations import Stretch
from opssquad.squad.remembering import remembering
from opssquad.store.sqlite import Store
from opssquad.toolbox import Handles, History
from opssquad.worlds.kube.identity import identity
from opssquad.worlds.kube.serve import Served, open_recording
from tests.tools.recorded import RECORDINGS

AUTH = {"deployment": "auth-service", "namespace": "authentication"}
STEP = timedelta(seconds=30)


@dataclass
class Lived:
    """The world, its clock, and where its looks are kept; `name` in place of what the cluster says it is."""

    served: Served
    cluster: Cluster
    watch: Stopwatch
    store: Store
    name: str = ""

    async def who(self) -> str:
        """What tells the cluster from others."""
        return self.name or await identity(self.cluster)

    @property
    def handles(self) -> Handles:
        """What a tool gets."""
        kept = remembering(self.store, self.cluster, self.who)
        return {Cluster: self.cluster, Progress: Progress(lambda line: None), History: kept}

    def pass_(self, span: timedelta, step: timedelta = STEP) -> None:
        """Let the world's time pass, in steps."""
        for _ in range(span // step):
            self.watch.skip(step)
            self.served.world.advance()

    async def look(self) -> Result:
        """One look at everything there is."""
        return await revisions.run({"namespace": "authentication"}, self.handles)

    async def looks(self, span: timedelta, every: timedelta) -> None:
        """Look again and again for so long."""
        for _ in range(span // every):
            self.pass_(every, every)
            await self.look()

    async def to(self, revision: int) -> None:
        """Roll to a revision, and let the rollout end."""
        await rollback.run({**AUTH, "revision": revision}, self.handles)
        self.pass_(timedelta(minutes=3))

    async def check(self) -> tuple[dict[str, Json], Result]:
        """Whether the revision before can be returned to: the answers by their names."""
        result = await rollback_check.run(AUTH, self.handles)
        return {each["name"]: each for each in result.data["checks"]}, result

    async def history(self) -> Result:
        """The rollout history."""
        return await history.run(AUTH, self.handles)

    async def card(self) -> Preview:
        """The card of the rollback."""
        preview, _ = await rollback.foresee(AUTH, self.handles)
        return preview

    async def kept(self) -> Sequence[Stretch]:
        """What is kept of the workload."""
        found = await self.cluster.get("Deployment", AUTH["deployment"], AUTH["namespace"])
        return await self.store.stretches(await self.who(), found["metadata"]["uid"])


@asynccontextmanager
async def lived(folder: Path) -> AsyncIterator[Lived]:
    """The recording of the golden incident, its clock in the test's hands."""
    watch = Stopwatch()
    async with (
        open_recording(RECORDINGS / "auth-0308", real=watch, started_at=watch()) as served,
        await Store.open(folder / "state") as store,
    ):
        cluster = await Cluster.connect(served.kubeconfig)
        try:
            yield Lived(served, cluster, watch, store)
        finally:
            await cluster.close()
