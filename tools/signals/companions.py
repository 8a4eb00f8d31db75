"""What a workload names beside its configuration and what may not be there: Secrets for registries, the
Service that gives the pods of a StatefulSet their names."""

from collections.abc import Iterator

from opssquad import Json, Quote, Ref, Signal

from .._kube import dig, quote_at, ref
from ._scene import Scene, make


def pull_secret_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`config.pull_secret_missing` for a registry's Secret that does not exist: pulls do without it. Where
    accounts were read, since a pull was refused, also `config.pull_secret_lost` for one that names none."""
    space = workload["metadata"].get("namespace", "")
    spec = dig(workload, "spec", "template", "spec", default={})
    account = Ref(kind="ServiceAccount", namespace=space, name=spec.get("serviceAccountName") or "default")
    mine = scene.get(account) or {}
    named: list[tuple[Json, Json, tuple[str, ...]]] = []
    named += [(each, workload, ("spec", "template", "spec")) for each in spec.get("imagePullSecrets") or ()]
    named += [(each, mine, ()) for each in mine.get("imagePullSecrets") or ()]
    for each, where, path in named:
        target = Ref(kind="Secret", namespace=space, name=each.get("name") or "-")
        if "Secret" in scene.complete and not scene.get(target):
            yield _missing(target, workload, quote_at(where, *path, "imagePullSecrets"))
    if mine and not named:
        yield from _lost(mine, workload, scene)


def _missing(target: Ref, workload: Json, quote: Quote) -> Signal:
    return make(
        "config.pull_secret_missing",
        workload,
        ref(workload),
        f"{workload['kind']} {workload['metadata']['name']}: its pull Secret {target.name} does not exist",
        [quote],
        severity="info",
        data={"ref": str(target)},
    )


def _lost(account: Json, workload: Json, scene: Scene) -> Iterator[Signal]:
    """An account without credentials for a registry, though others of its namespace have some."""
    space = account["metadata"].get("namespace")
    others = [each for each in scene.of("ServiceAccount") if each["metadata"].get("namespace") == space]
    keeps = next((each for each in others if each.get("imagePullSecrets")), None)
    if keeps is None:
        return
    names = ", ".join(name for one in keeps["imagePullSecrets"] if (name := one.get("name")))
    yield make(
        "config.pull_secret_lost",
        account,
        ref(workload),
        f"ServiceAccount {account['metadata']['name']}, which {workload['metadata']['name']} runs as, names "
        f"no pull Secret; {keeps['metadata']['name']} of the same namespace names {names}",
        [quote_at(account, "metadata", "name"), quote_at(keeps, "imagePullSecrets")],
        severity="info",
        data={"ref": str(ref(account)), "names": names},
    )


def claim_class_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`statefulset.class_missing` where the claims of its pods ask for a class that does not exist."""
    if "StorageClass" not in scene.complete:
        return
    for index, each in enumerate(dig(workload, "spec", "volumeClaimTemplates", default=())):
        name = dig(each, "spec", "storageClassName", default="")
        # Volumes made by hand may carry the name of a class that never was an object.
        by_hand = any(dig(one, "spec", "storageClassName") == name for one in scene.of("PersistentVolume"))
        if name and not by_hand and not scene.get(target := Ref(kind="StorageClass", name=name)):
            path = ("spec", "volumeClaimTemplates", index, "spec", "storageClassName")
            yield make(
                "statefulset.class_missing",
                workload,
                ref(workload),
                f"StatefulSet {workload['metadata']['name']}: its claims {dig(each, 'metadata', 'name')} "
                f"ask for StorageClass {name}, which does not exist",
                [quote_at(workload, *path)],
                data={"ref": str(target)},
            )


def governing_signals(workload: Json, scene: Scene) -> Iterator[Signal]:
    """`statefulset.service_missing` where the Service that gives its pods their names does not exist."""
    name = dig(workload, "spec", "serviceName", default="")
    target = Ref(kind="Service", namespace=workload["metadata"].get("namespace", ""), name=name or "-")
    if workload["kind"] != "StatefulSet" or not name or "Service" not in scene.complete or scene.get(target):
        return
    yield make(
        "statefulset.service_missing",
        workload,
        ref(workload),
        f"StatefulSet {workload['metadata']['name']}: its Service {name} does not exist, so its pods have no "
        "names of their own",
        [quote_at(workload, "spec", "serviceName")],
        data={"ref": str(target)},
    )
