"""Claims on volumes: bound to a new volume of their class, or told why not.

In a cluster without any StorageClass claims stand as they are.
"""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import (
    annotations_of,
    copy,
    key_of,
    name_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane

COMPONENT = "persistentvolume-controller"
DEFAULT = "storageclass.kubernetes.io/is-default-class"
RETRY, PROVISIONING = 15.0, 3.0
"""Seconds between two looks at a claim that cannot be bound, and until there is a new volume."""


def class_of(plane: Plane, claim_spec: Json) -> Json | None:
    """The StorageClass of a claim: the one it names, else the default one; None if there is none."""
    wanted = claim_spec.get("storageClassName")
    if wanted:
        return plane.get(kinds.STORAGE_CLASSES, "", wanted)
    every = plane.all(kinds.STORAGE_CLASSES)
    return next((c for c in every if annotations_of(c).get(DEFAULT) == "true"), None)


def waits_for_a_pod(storage: Json | None) -> bool:
    """Whether claims of a class are bound only once a pod uses them."""
    return bool(storage) and (storage or {}).get("volumeBindingMode") == "WaitForFirstConsumer"


def is_unbound(claim: Json) -> bool:
    """Whether a claim has no volume."""
    return not claim["spec"].get("volumeName") and status_of(claim).get("phase", "Pending") == "Pending"


class VolumeController:
    """Provides volumes for claims."""

    latency = 0.1

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """A claim without a volume; all of them when a class has changed."""
        if change.resource == kinds.CLAIMS and change.type == "ADDED" and is_unbound(change.object):
            yield key_of(change.object)
        elif change.resource == kinds.STORAGE_CLASSES:
            yield from (key_of(claim) for claim in self._plane.all(kinds.CLAIMS) if is_unbound(claim))

    def sync(self, key: tuple[str, str]) -> None:
        """Provide for a claim, or say why that cannot be."""
        claim = self._plane.get(kinds.CLAIMS, *key)
        if claim is None or not is_unbound(claim) or not self._plane.all(kinds.STORAGE_CLASSES):
            return
        storage = class_of(self._plane, claim["spec"])
        if storage and not (waits_for_a_pod(storage) and not self._is_used(claim)):
            self._provide(claim, storage)
            return
        if storage:
            text = "waiting for first consumer to be created before binding"
            self._plane.events.say(claim, "WaitForFirstConsumer", text, COMPONENT)
        elif wanted := claim["spec"].get("storageClassName"):
            text = f'storageclass.storage.k8s.io "{wanted}" not found'
            self._plane.events.say(claim, "ProvisioningFailed", text, COMPONENT, warning=True)
        else:
            text = "no persistent volumes available for this claim and no storage class is set"
            self._plane.events.say(claim, "FailedBinding", text, COMPONENT)
        self._plane.kernel.look_in(RETRY, self, key)

    def _is_used(self, claim: Json) -> bool:
        return any(
            (volume.get("persistentVolumeClaim") or {}).get("claimName") == name_of(claim)
            for pod in self._plane.all(kinds.PODS, namespace_of(claim))
            for volume in pod["spec"].get("volumes") or ()
        )

    def _provide(self, claim: Json, storage: Json) -> None:
        driver = storage["provisioner"]
        text = (
            f"Waiting for a volume to be created either by the external provisioner '{driver}' or manually "
            "by the system administrator. If volume creation is delayed, please verify that the provisioner "
            "is running and correctly registered."
        )
        self._plane.events.say(claim, "ExternalProvisioning", text, COMPONENT)
        self._plane.kernel.after(PROVISIONING, lambda: self._bind(key_of(claim), storage))

    def _bind(self, key: tuple[str, str], storage: Json) -> None:
        claim = self._plane.get(kinds.CLAIMS, *key)
        if claim is None or not is_unbound(claim):
            return
        name, spec = f"pvc-{claim['metadata']['uid']}", claim["spec"]
        capacity = {"storage": spec["resources"]["requests"]["storage"]}
        by = {"pv.kubernetes.io/provisioned-by": storage["provisioner"]}
        about = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": key[0], "name": key[1]}
        volume = {
            "metadata": {
                "name": name,
                "annotations": by,
            },
            "spec": {
                "capacity": capacity,
                "accessModes": spec.get("accessModes"),
                "claimRef": about | {"uid": claim["metadata"]["uid"]},
                "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
                "storageClassName": name_of(storage),
                "volumeMode": spec.get("volumeMode", "Filesystem"),
                "csi": {"driver": storage["provisioner"], "volumeHandle": name},
            },
            "status": {"phase": "Bound"},
        }
        self._plane.create(kinds.VOLUMES, volume)
        changed = copy(claim)
        changed["spec"] |= {"volumeName": name, "storageClassName": name_of(storage)}
        bound = {"phase": "Bound", "accessModes": spec.get("accessModes"), "capacity": capacity}
        self._plane.update(kinds.CLAIMS, {**changed, "status": bound})
        text = f"Successfully provisioned volume {name}"
        self._plane.events.say(claim, "ProvisioningSucceeded", text, storage["provisioner"])
