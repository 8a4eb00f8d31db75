"""The handle that keeps what looks show of the revisions of workloads, and finds it again."""

from collections.abc import Awaitable, Callable, Sequence

from opssquad.errors import ToolError
from opssquad.observations import Observation, Stretch
from opssquad.store.base import Storage
from opssquad.toolbox import History
from opssquad.worlds.kube.cluster import Cluster

Space = Callable[[], Awaitable[str]]
"""What tells a cluster from all others whose looks are kept. Raises ToolError where it does not answer."""


def remembering(store: Storage, cluster: Cluster, space: Space) -> History:
    """A handle that keeps looks in the store. The cluster is asked who it is at each: another may answer at
    the same address by now."""

    async def record(seen: Sequence[Observation]) -> Sequence[Observation]:
        if not seen:
            return ()
        try:
            name = await space()
        except ToolError:
            # What was looked at stands; whose it was cannot be told any more, so it is not kept.
            return ()
        return await store.note(name, cluster.name, seen)

    async def of(uid: str) -> Sequence[Stretch]:
        try:
            name = await space()
        except ToolError:
            return ()
        now = cluster.now()
        # What is later than now was seen in another world that bore this name: clocks do not run backwards.
        return [each for each in await store.stretches(name, uid) if each.begun <= now]

    return History(record, of)
