"""Whether NetworkPolicies explain the calls that a log tells of as unanswered; read only where there are any.

What policies let through is `_policies`' and `signals.policies`' knowledge.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from opssquad import Cluster, Json, Quote, Ref, Signal, ToolError

from ._addresses import Directory
from ._kube import ref
from ._policy_rules import Side, side
from ._rights import tried
from .signals._scene import Scene
from .signals.policies import Call, denials


@dataclass(frozen=True)
class Blocked:
    """What policies deny, the sources of that, and the kinds that could not be read."""

    signals: tuple[Signal, ...] = ()
    sources: tuple[Quote, ...] = ()
    unread: dict[str, str] = field(default_factory=dict)


async def blocked(
    cluster: Cluster, told: Iterable[Signal], pods: Iterable[Json], directory: Directory
) -> Blocked:
    """The policies that deny what these signals of logs tell of; `pods` are those whose logs were read."""
    callers = {ref(pod): pod for pod in pods}
    services = {ref(each): each for each in directory.services}
    calls: list[Call] = []
    asking: list[Side] = []
    for each in told:
        if each.until is not None or each.entity not in callers or not _unanswered(each):
            continue
        caller = side(each.owner, callers[each.entity])
        asking.append(caller)
        if each.id == "log.timeout" and (service := services.get(_address(each) or each.entity)):
            calls.append(Call(caller, service, _port(each)))
    if not asking:
        return Blocked()
    spaces = {each.namespace for each in asking} | {each.service["metadata"]["namespace"] for each in calls}
    kinds = [("NetworkPolicy", space) for space in sorted(spaces)] + [("Namespace", "")]
    listed = await asyncio.gather(*(tried(cluster, kind, space) for kind, space in kinds))
    unread = {
        kind: str(found)
        for (kind, _), found in zip(kinds, listed, strict=True)
        if isinstance(found, ToolError)
    }
    read = [each for found in listed if not isinstance(found, ToolError) for each in found]
    objects = [*read, *directory.services, *directory.pods, *directory.workloads]
    scene = Scene(cluster.now(), objects, frozenset())
    found = tuple(denials(calls, asking, scene))
    # Labels of namespaces alone hide nothing: their names are known.
    unread.pop("Namespace", None)
    return Blocked(found, scene.sources(found), unread)


def _unanswered(signal: Signal) -> bool:
    return signal.id == "log.timeout" or (signal.id == "log.unresolved" and signal.data["how"] == "no_answer")


def _address(signal: Signal) -> Ref | None:
    said = signal.data.get("service")
    return Ref.parse(str(said)) if said else None


def _port(signal: Signal) -> int:
    """The port that was called: `db.shop:5432`; 0 where the log does not say."""
    port = str(signal.data.get("target", "")).rpartition(":")[2]
    return int(port) if port.isdigit() else 0
