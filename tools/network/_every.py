"""Every call that the configuration of workloads names, and every way in that Ingresses open. Pure."""

from collections.abc import Collection, Iterator

from opssquad import Json, Ref

from .._depends import dependencies
from .._kube import dig, ref
from ..signals._scene import Scene
from ..signals.environment import port_beside
from ..signals.names import missing_services
from ..signals.replicas import KINDS, desired
from ._aims import workload_client
from ._entering import rules
from ._hops import Client, Goal, Path
from ._walk import walk


def every(scene: Scene, spaces: Collection[str], only: Ref | None = None) -> Iterator[Path]:
    """All the paths of workloads in these namespaces, or of one workload; then those from outside."""
    for kind in KINDS:
        for workload in scene.of(kind):
            mine = workload["metadata"].get("namespace", "") in spaces and only in (None, ref(workload))
            if mine and desired(workload):
                client = workload_client(workload, scene)
                yield from (walk(client, goal, scene) for goal in goals(workload, scene))
    if only is None:
        outside = Client(Ref(kind="Host", name="internet"), outside=True)
        yield from (walk(outside, goal, scene) for goal in entries(scene, spaces))


def goals(workload: Json, scene: Scene) -> list[Goal]:
    """What the configuration of a workload calls in the cluster, each Service and port once."""
    space, template = workload["metadata"].get("namespace", ""), dig(workload, "spec", "template", default={})
    found: dict[tuple[Ref, int], Goal] = {}
    for each in dependencies(template, space, scene):
        if each.service:
            told = each.port or port_beside(each, template, space, scene)
            port = int(told) if told.isdecimal() and len(told) <= 5 else 0
            setting = each.place.config if each.place else None
            said = f"{each.host}{f':{port}' if port else ''}"
            found.setdefault(
                (each.service, port), Goal(said, each.host, each.service, port=port, setting=setting)
            )
    for signal in missing_services(workload, scene):
        address = Ref.parse(str(signal.data["service"]))
        host = str(signal.data["host"])
        found.setdefault((address, 0), Goal(host, host, address))
    return list(found.values())


def entries(scene: Scene, spaces: Collection[str]) -> Iterator[Goal]:
    """What Ingresses and routes of these namespaces lead to, each rule once."""
    for rule in rules(scene):
        if rule.holder["metadata"].get("namespace", "") in spaces and rule.host:
            yield rule.goal()
