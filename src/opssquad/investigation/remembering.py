"""Under what name a thread keeps what its looks show of workloads."""

from opssquad.investigation.options import Options
from opssquad.squad.remembering import remembering
from opssquad.store.base import Storage
from opssquad.toolbox import History
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.identity import observed_as


def history_of(store: Storage, options: Options, thread: str, cluster: Cluster | None) -> History:
    """What tools of a thread get. A recording that the thread itself opened is a world of that thread."""
    if not options.remember or cluster is None:
        return History()
    if options.recording is None:
        return remembering(store, cluster, lambda: observed_as(cluster))

    async def own() -> str:
        return f"recording={options.recording and options.recording.name} thread={thread}"

    return remembering(store, cluster, own)
