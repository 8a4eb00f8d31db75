"""How many pods each ReplicaSet of a Deployment should have next. Pure; the arithmetic is the server's."""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.controllers.meta import annotations_of, name_of, scaled

Plan = list[tuple[Json, int]]
"""ReplicaSets and their new sizes, in the order in which they are written."""


def size(replica_set: Json) -> int:
    """spec.replicas."""
    return int(replica_set["spec"].get("replicas", 1))


def total(replica_sets: Iterable[Json]) -> int:
    """The sum of spec.replicas."""
    return sum(size(rs) for rs in replica_sets)


def available(replica_sets: Iterable[Json]) -> int:
    """The sum of status.availableReplicas."""
    return sum((rs.get("status") or {}).get("availableReplicas", 0) for rs in replica_sets)


def is_rolling(deployment: Json) -> bool:
    """Whether the strategy is RollingUpdate, the default."""
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def _fences(deployment: Json) -> tuple[int, int]:
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    replicas = deployment["spec"]["replicas"]
    surge = scaled(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    # Both zero would stand still for ever, so one pod may be missing.
    return surge, unavailable if surge or unavailable else 1


def max_surge(deployment: Json) -> int:
    """How many pods there may be beyond spec.replicas."""
    return _fences(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Json) -> int:
    """How many of spec.replicas may be missing."""
    replicas = deployment["spec"]["replicas"]
    return min(_fences(deployment)[1], replicas) if is_rolling(deployment) and replicas else 0


def new_size(deployment: Json, every: list[Json], own: int) -> int:
    """The next size of the current ReplicaSet, which has `own` pods now."""
    replicas = int(deployment["spec"]["replicas"])
    if not is_rolling(deployment):
        return replicas
    room = replicas + max_surge(deployment) - total(every)
    return own if room <= 0 else own + min(room, replicas - own)


def old_sizes(deployment: Json, current: Json, old: list[Json]) -> Plan:
    """Which old ReplicaSets shrink: first by unavailable pods, then by what the new ones replace."""
    every = [*old, current]
    least = deployment["spec"]["replicas"] - max_unavailable(deployment)
    missing = size(current) - available([current])
    room = total(every) - least - missing
    if not total(old) or room <= 0:
        return []
    sizes = {name_of(rs): size(rs) for rs in old}
    order = sorted(old, key=lambda rs: rs["metadata"].get("creationTimestamp", ""))
    plan: Plan = []
    for replica_set in order:
        broken = min(room, sizes[name_of(replica_set)] - available([replica_set]))
        if sizes[name_of(replica_set)] and broken > 0:
            room -= broken
            sizes[name_of(replica_set)] -= broken
            plan.append((replica_set, sizes[name_of(replica_set)]))
    spare = available(every) - least
    for replica_set in order:
        gone = min(spare, sizes[name_of(replica_set)])
        if gone > 0:
            spare -= gone
            sizes[name_of(replica_set)] -= gone
            plan.append((replica_set, sizes[name_of(replica_set)]))
    return plan


def scaled_sizes(deployment: Json, current: Json | None, old: list[Json], maximum: str) -> Plan:
    """The sizes after spec.replicas was changed: all to the one active ReplicaSet, or in proportion.

    `maximum` is the annotation that holds the most pods that were allowed before.
    """
    replicas = deployment["spec"]["replicas"]
    active = [rs for rs in old if size(rs)]
    if single := _single(current, old):
        return [(single, replicas)] if size(single) != replicas else []
    if current is not None and _saturated(deployment, current):
        return [(rs, 0) for rs in active]
    if not is_rolling(deployment):
        return []
    every = [rs for rs in [*active, *([current] if current else [])] if size(rs)]
    allowed = replicas + max_surge(deployment) if replicas else 0
    return _in_proportion(deployment, every, allowed - total(every), maximum)


def _single(current: Json | None, old: list[Json]) -> Json | None:
    newest_first = sorted(old, key=lambda rs: rs["metadata"].get("creationTimestamp", ""), reverse=True)
    every = [*([current] if current else []), *newest_first]
    active = [rs for rs in every if size(rs)]
    if len(active) > 1:
        return None
    return active[0] if active else next(iter(every), None)


def _saturated(deployment: Json, current: Json) -> bool:
    replicas = deployment["spec"]["replicas"]
    desired = annotations_of(current).get("deployment.kubernetes.io/desired-replicas")
    return size(current) == replicas == available([current]) and desired == str(replicas)


def _in_proportion(deployment: Json, every: list[Json], change: int, maximum: str) -> Plan:
    # Larger first; of equal ones the newer first when growing, the older first when shrinking.
    born = sorted(every, key=lambda rs: rs["metadata"].get("creationTimestamp", ""), reverse=change > 0)
    order = sorted(born, key=size, reverse=True)
    sizes: list[int] = []
    added = 0
    for replica_set in order:
        share = _share(deployment, replica_set, maximum)
        room = change - added
        part = (min if change > 0 else max)(share, room) if size(replica_set) and room else 0
        sizes.append(size(replica_set) + part)
        added += part
    if sizes and change:
        sizes[0] = max(0, sizes[0] + change - added)
    return list(zip(order, sizes, strict=True))


def _share(deployment: Json, replica_set: Json, maximum: str) -> int:
    replicas = deployment["spec"]["replicas"]
    if not replicas:
        return -size(replica_set)
    before = int(annotations_of(replica_set).get(maximum) or 0)
    before = before or (deployment.get("status") or {}).get("replicas", 0)
    if not before:
        return 0
    exact = size(replica_set) * (replicas + max_surge(deployment)) / before
    return int(exact + 0.5) - size(replica_set)
