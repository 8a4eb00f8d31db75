"""Resource quotas: what an object uses, whether it still fits, and the count in `status.used`."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import Resource, ResourceKey
from opssquad.worlds.kube.apiserver.status import refused
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.quantity import canonical, parse

QUOTAS = ResourceKey("", "resourcequotas")
COUNTED = (
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
)
COMPUTE = ("cpu", "memory", "ephemeral-storage")
Usage = dict[str, Fraction]


def usage(resource: Resource, obj: Json) -> Usage:
    """What an object counts for, by the names that quotas use."""
    used: Usage = {}
    if resource.group == "":
        used[f"count/{resource.plural}"] = Fraction(1)
        if resource.plural in COUNTED:
            used[resource.plural] = Fraction(1)
    else:
        used[f"count/{resource.qualified}"] = Fraction(1)
    if resource.plural == "pods":
        used |= dict(_compute(obj))
    if resource.plural == "services":
        used |= _service(obj)
    if resource.plural == "persistentvolumeclaims":
        storage = obj.get("spec", {}).get("resources", {}).get("requests", {}).get("storage", "0")
        used["requests.storage"] = parse(storage)
    return used


def _compute(pod: Json) -> Iterator[tuple[str, Fraction]]:
    for name in COMPUTE:
        for side in ("requests", "limits"):
            total = _pod_total(pod, side, name)
            yield f"{side}.{name}", total
            if side == "requests":
                yield name, total


def _pod_total(pod: Json, side: str, name: str) -> Fraction:
    spec = pod.get("spec", {})
    own = sum((_amount(c, side, name) for c in spec.get("containers") or []), Fraction(0))
    return max([own, *(_amount(c, side, name) for c in spec.get("initContainers") or [])])


def _amount(container: Json, side: str, name: str) -> Fraction:
    return parse(container.get("resources", {}).get(side, {}).get(name, "0"))


def _service(service: Json) -> Usage:
    spec = service.get("spec", {})
    used: Usage = {}
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        used["services.nodeports"] = Fraction(len(spec.get("ports") or []))
    if spec.get("type") == "LoadBalancer":
        used["services.loadbalancers"] = Fraction(1)
    return used


def charge(store: Store, resource: Resource, obj: Json, dry_run: bool = False) -> None:
    """Count a new object in the quotas of its namespace. Raises ApiStatus 403 when one would be exceeded."""
    metadata = obj["metadata"]
    used = usage(resource, obj)
    changed: list[Json] = []
    for quota in store.list(QUOTAS, metadata["namespace"]) if metadata.get("namespace") else ():
        hard = {} if _scoped(quota) else quota.get("status", {}).get("hard") or {}
        ours = {name: amount for name, amount in used.items() if name in hard and amount}
        if missing := _unspecified(resource, obj, hard):
            why = f"failed quota: {quota['metadata']['name']}: must specify {missing}"
            raise refused(resource, metadata["name"], why)
        if not ours:
            continue
        counted = quota["status"].get("used") or {}
        over = [n for n in sorted(ours) if parse(counted.get(n, "0")) + ours[n] > parse(hard[n])]
        if over:
            raise refused(resource, metadata["name"], _exceeded(quota, ours, counted, hard, over))
        changed.append(_with_used(quota, counted, ours))
    if not dry_run:
        for quota in changed:
            store.put(QUOTAS, quota)


def _scoped(quota: Json) -> bool:
    """Whether a quota counts only some pods: which, is not looked at here, so it refuses nothing."""
    spec = quota.get("spec", {})
    return bool(spec.get("scopes") or spec.get("scopeSelector"))


def _unspecified(resource: Resource, obj: Json, hard: Json) -> str:
    """Compute resources that a quota limits and a container leaves open: `limits.cpu for: web`."""
    if resource.plural != "pods":
        return ""
    found = []
    for name in sorted(hard):
        side, _, what = name.rpartition(".")
        if what not in COMPUTE or side not in ("", "requests", "limits"):
            continue
        open_ones = [
            c["name"]
            for c in obj.get("spec", {}).get("containers") or []
            if what not in c.get("resources", {}).get(side or "requests", {})
        ]
        if open_ones:
            found.append(f"{name} for: {','.join(open_ones)}")
    return "; ".join(found)


def _exceeded(quota: Json, ours: Usage, counted: Json, hard: Json, over: list[str]) -> str:
    def listed(values: dict[str, Any]) -> str:
        return ",".join(f"{name}={values.get(name, '0')}" for name in over)

    requested = {name: _show(amount) for name, amount in ours.items()}
    return (
        f"exceeded quota: {quota['metadata']['name']}, requested: {listed(requested)}, "
        f"used: {listed(counted)}, limited: {listed(hard)}"
    )


def _show(amount: Fraction) -> str:
    if amount.denominator == 1 and amount % 1024 == 0 and amount >= 1024:
        return canonical(f"{amount // 1024}Ki")
    return canonical(f"{amount * 1000}m") if (amount * 1000).denominator == 1 else str(float(amount))


def _with_used(quota: Json, counted: Json, ours: Usage) -> Json:
    total = {name: _show(parse(counted.get(name, "0")) + amount) for name, amount in ours.items()}
    return {**quota, "status": {**quota["status"], "used": {**counted, **total}}}
