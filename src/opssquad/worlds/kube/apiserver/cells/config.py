"""Rows of configuration and storage: ConfigMaps, Secrets, quotas, claims, volumes."""

from datetime import datetime
from typing import Any

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.ages import age

UNSET = "<unset>"
ACCESS = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def name_and_age(obj: Json, now: datetime) -> list[Any]:
    """Name, Age."""
    return [obj["metadata"]["name"], age(obj, now)]


def config_map(obj: Json, now: datetime) -> list[Any]:
    """Name, Data (number of keys), Age."""
    keys = len(obj.get("data") or {}) + len(obj.get("binaryData") or {})
    return [obj["metadata"]["name"], keys, age(obj, now)]


def secret(obj: Json, now: datetime) -> list[Any]:
    """Name, Type, Data (number of keys), Age."""
    keys = len(obj.get("data") or {})
    return [obj["metadata"]["name"], obj.get("type", "Opaque"), keys, age(obj, now)]


def claim(obj: Json, now: datetime) -> list[Any]:
    """Name, Status, Volume, Capacity, Access Modes, two classes, Age; wide: VolumeMode."""
    spec, status = obj["spec"], obj.get("status", {})
    bound = bool(spec.get("volumeName"))
    return [
        obj["metadata"]["name"],
        _phase(obj),
        spec.get("volumeName", ""),
        status.get("capacity", {}).get("storage", "0") if bound else "",
        _modes(status) if bound else "",
        _class(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def volume(obj: Json, now: datetime) -> list[Any]:
    """Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, two classes, Reason, Age; wide:
    VolumeMode.
    """
    spec = obj["spec"]
    holder = spec.get("claimRef")
    return [
        obj["metadata"]["name"],
        spec.get("capacity", {}).get("storage", "0"),
        _modes(spec),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{holder['namespace']}/{holder['name']}" if holder else "",
        _class(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        obj.get("status", {}).get("reason", ""),
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def quota(obj: Json, now: datetime) -> list[Any]:
    """Name, Request, Limit, Age; each `resource: used/hard`, sorted by resource."""
    status = obj.get("status", {})
    used, hard = status.get("used") or {}, status.get("hard") or {}
    said: dict[bool, list[str]] = {True: [], False: []}
    for name in sorted(hard):
        said[name.startswith("limits.")].append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [obj["metadata"]["name"], ", ".join(said[False]), ", ".join(said[True]), age(obj, now)]


def storage_class(obj: Json, now: datetime) -> list[Any]:
    """Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age."""
    default = (obj["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    return [
        obj["metadata"]["name"] + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        obj.get("allowVolumeExpansion", False),
        age(obj, now),
    ]


def _phase(obj: Json) -> str:
    deleted = "deletionTimestamp" in obj["metadata"]
    return "Terminating" if deleted else str(obj.get("status", {}).get("phase", ""))


def _modes(holder: Json) -> str:
    given = holder.get("accessModes") or []
    return ",".join(short for mode, short in ACCESS.items() if mode in given)


def _class(obj: Json) -> str:
    old = (obj["metadata"].get("annotations") or {}).get(OLD_CLASS)
    return str(old or obj["spec"].get("storageClassName", ""))
