"""A recorded cluster to change things in, with its clock running faster where a test has to wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opssquad import Check, Cluster, Json, Preview, Progress, Result, Tool, Undo
from opssquad.toolbox import Handles
from opssquad.worlds.kube.serve import Served, open_recording
from tests.tools.recorded import RECORDINGS


@dataclass
class Stage:
    """The cluster as admin, and what running tools said."""

    served: Served
    cluster: Cluster
    said: list[str] = field(default_factory=list)

    @property
    def handles(self) -> Handles:
        """What a tool gets."""
        return {Cluster: self.cluster, Progress: Progress(self.said.append)}

    async def foresee(self, tool: Tool, **args: object) -> tuple[Preview, Undo]:
        """The card's facts; also proves that what it is bound to is read anew the same way."""
        preview, undo = await tool.foresee(args, self.handles)
        assert await tool.observed(args, self.handles) == preview.binding
        return preview, undo

    async def run(self, tool: Tool, **args: object) -> Result:
        """The act."""
        return await tool.run(args, self.handles)

    async def carry_out(self, tool: Tool, **args: object) -> tuple[Preview, Undo, Check]:
        """Card, act and check, as the house does it."""
        preview, undo = await self.foresee(tool, **args)
        await self.run(tool, **args)
        return preview, undo, await tool.check(args, preview.before, self.handles)

    async def get(self, kind: str, name: str, namespace: str = "") -> Json:
        """An object as it is now."""
        return await self.cluster.get(kind, name, namespace)


@asynccontextmanager
async def stage(recording: str, speed: float = 1.0) -> AsyncIterator[Stage]:
    """A recording, served and connected to."""
    async with open_recording(RECORDINGS / recording, speed=speed) as served:
        cluster = await Cluster.connect(served.kubeconfig)
        try:
            yield Stage(served, cluster)
        finally:
            await cluster.close()
