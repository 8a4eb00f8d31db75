"""ConfigMaps, Secrets and keys that a pod template names and that are not there."""

from collections.abc import Iterator

from opssquad import Json, Ref, Signal

from .._kube import compact, dig, quote, ref
from .._needs import references
from ._scene import Scene, make


def _named(kind: str, namespace: str, name: str) -> Ref:
    return Ref(kind=kind, namespace=namespace, name=name)


def reference_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`config.missing` for a ConfigMap, Secret or key that the template names and that does not exist;
    `config.empty` for a ConfigMap that it takes whole and in which nothing stands."""
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
        elif use.kind == "ConfigMap" and not use.key and not keys:
            yield make(
                "config.empty",
                target,
                ref(workload),
                f"{workload['kind']} {workload['metadata']['name']} takes ConfigMap {use.name}, in which "
                "nothing stands",
                [quote(workload, compact(use.name))],
                severity="info",
                data={"ref": str(ref(target))},
            )
