"""Who would answer at a Service: the pods that it selects, and whether they listen where it sends; pure.

Ports that containers declare are hints: a pod that declares none may listen anywhere, and counts as one that
does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opssquad import Json

from ._kube import dig, owner, selected
from ._pods import is_finished, is_ready, is_terminating, pod_addresses

SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Serving:
    """What stands behind a Service: pods by their selector, those ready, those of them that listen."""

    pods: tuple[Json, ...]
    ready: tuple[Json, ...]
    listening: tuple[Json, ...]

    @property
    def programs(self) -> list[str]:
        """The workloads of the ready pods."""
        return sorted({str(owner(each)) for each in self.ready})

    def words(self) -> str:
        """`3 pods match, 3 of them ready and 2 listening (checkout, cart)`."""
        of = ", ".join(name.rpartition("/")[2] for name in self.programs)
        many = f"{len(self.pods)} pod{'s match' if len(self.pods) != 1 else ' matches'}"
        text = f"{many}, {len(self.ready)} ready, {len(self.listening)} listening"
        return f"{text} ({of})" if of else text

    def snapshot(self) -> Json:
        """What a later look is compared with: JSON."""
        return {"ready": len(self.ready), "listening": len(self.listening), "programs": self.programs}


def serving(service: Json, pods: Iterable[Json]) -> Serving:
    """Who answers at a Service, as its spec says it."""
    selector = dig(service, "spec", "selector", default={})
    mine = [each for each in pods if _picked(each, service, selector)]
    ready = [each for each in mine if is_ready(each)]
    ports = dig(service, "spec", "ports", default=())
    listening = [each for each in ready if all(_listens(each, target(port)) for port in ports)]
    return Serving(tuple(mine), tuple(ready), tuple(listening))


def _picked(pod: Json, service: Json, selector: Mapping[str, str]) -> bool:
    alive = not is_finished(pod) and not is_terminating(pod)
    here = pod["metadata"].get("namespace") == service["metadata"].get("namespace")
    return alive and here and selected(dig(pod, "metadata", "labels", default={}), selector)


def target(port: Json) -> int | str:
    """Where a port of a Service sends to."""
    found: int | str = port.get("targetPort") or port.get("port") or 0
    return found


def _listens(pod: Json, wanted: int | str) -> bool:
    numbers, names = declared(pod)
    if isinstance(wanted, str):
        return wanted in names
    return not numbers or wanted in numbers


def declared(pod: Json) -> tuple[set[int], set[str]]:
    """The ports that the containers of a pod declare: numbers, names."""
    ports = [port for each in dig(pod, "spec", "containers", default=()) for port in each.get("ports") or ()]
    return {each["containerPort"] for each in ports}, {each["name"] for each in ports if each.get("name")}


def addresses(slices: Sequence[Json]) -> set[str]:
    """The ready addresses of EndpointSlices that have ports to send to."""
    return {
        address
        for each in slices
        if each.get("ports")
        for end in each.get("endpoints") or ()
        if dig(end, "conditions", "ready", default=True)
        for address in end.get("addresses") or ()
    }


def follow(slices: Sequence[Json], found: Serving, service: Json) -> bool:
    """Whether the endpoints lead to the ready pods that have the ports which are named, and to no others."""
    reached, known = addresses(slices), {ip for each in found.pods for ip in pod_addresses(each)}
    names = [each for each in map(target, dig(service, "spec", "ports", default=())) if isinstance(each, str)]
    due = [p for p in found.ready if not names or any(name in declared(p)[1] for name in names)]
    early = bool(dig(service, "spec", "publishNotReadyAddresses"))
    more = [p for p in found.pods if p not in due and reached.intersection(pod_addresses(p))]
    return (
        reached <= known
        and all(reached.intersection(pod_addresses(p)) for p in due if pod_addresses(p))
        and (early or not more)
    )
