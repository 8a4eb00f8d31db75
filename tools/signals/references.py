"""What objects name that is not there: ConfigMaps, Secrets, Services of an Ingress."""

from collections.abc import Iterator

from opssquad import Json, Ref, Signal

from .._kube import compact, dig, quote, ref
from .._needs import references
from ._scene import Scene, make


def _named(kind: str, namespace: str, name: str) -> Ref:
    return Ref(kind=kind, namespace=namespace, name=name)


def reference_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`config.missing` for a ConfigMap, Secret or key that the template names and that does not exist."""
    space = workload["metadata"].get("namespace", "")
    for use in references(dig(workload, "spec", "template", default={})):
        if use.optional or use.kind not in {"ConfigMap", "Secret"} or use.kind not in scene.complete:
            continue
        target = scene.get(_named(use.kind, space, use.name))
        keys = {**dig(target, "data", default={}), **dig(target, "binaryData", default={})}
        if target is None or (use.key and use.key not in keys):
            lacks = f"has no key {use.key}" if target else "does not exist"
            yield make(
                "config.missing",
                workload,
                ref(workload),
                f"{workload['kind']} {workload['metadata']['name']}: {use.kind} {use.name} {lacks}",
                [quote(workload, compact(use.key or use.name))],
                severity="warning",
                data={"ref": str(_named(use.kind, space, use.name)), "key": use.key},
            )


def ingress_signals(ingress: Json, scene: Scene) -> Iterator[Signal]:
    """`ingress.backend_missing` for a Service or TLS Secret that an Ingress names and that does not exist."""
    space = ingress["metadata"].get("namespace", "")
    named: list[Ref] = []
    for rule in dig(ingress, "spec", "rules", default=()):
        for path in dig(rule, "http", "paths", default=()):
            if name := dig(path, "backend", "service", "name"):
                named.append(_named("Service", space, name))
    for tls in dig(ingress, "spec", "tls", default=()):
        if name := tls.get("secretName"):
            named.append(_named("Secret", space, name))
    for target in dict.fromkeys(named):
        if target.kind in scene.complete and not scene.get(target):
            yield make(
                "ingress.backend_missing",
                ingress,
                ref(ingress),
                f"Ingress {ingress['metadata']['name']}: {target.kind} {target.name} does not exist",
                [quote(ingress, compact(target.name))],
                data={"ref": str(target)},
            )
