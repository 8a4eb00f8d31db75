"""Why a StatefulSet or DaemonSet does not bring a new template to its pods; pure.

With the usual policy, OrderedReady, the controller of a StatefulSet waits until every pod is ready before it
replaces any. A pod that a bad template broke is never ready, so a better one does not reach it: somebody has
to delete it. With OnDelete nothing is ever replaced by itself.
"""

from collections.abc import Sequence

from opssquad import Json

from ._kube import dig, ref
from ._pods import is_ready, is_terminating


def late_ones(workload: Json, pods: Sequence[Json]) -> list[Json]:
    """Of pods with an older template those that somebody has to delete before a new one reaches them."""
    if dig(workload, "spec", "updateStrategy", "type") == "OnDelete":
        return [each for each in pods if not is_terminating(each)]
    policy = dig(workload, "spec", "podManagementPolicy", default="OrderedReady")
    if workload["kind"] != "StatefulSet" or policy == "Parallel":
        return []
    return [each for each in pods if not is_ready(each) and not is_terminating(each)]


def keeping(workload: Json, pods: Sequence[Json]) -> str:
    """What has to be done by hand before a new template reaches these pods; empty where nothing has."""
    names = ", ".join(ref(each).name for each in late_ones(workload, pods))
    if dig(workload, "spec", "updateStrategy", "type") == "OnDelete":
        return f"pods get the new template only when they are deleted (OnDelete): {names}" if names else ""
    if not names:
        return ""
    return (
        f"a StatefulSet waits for pods that are not ready before it replaces any (OrderedReady): "
        f"delete {names}, or it stays as it is"
    )
