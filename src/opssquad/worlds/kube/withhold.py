"""Values of Secrets never leave the cluster handle: what replaces them, and in which kinds; pure."""

from opssquad.types import Json
from opssquad.worlds.kube.kinds import Resource

WITHHELD = "«redacted»"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def holds_secrets(resource: Resource) -> bool:
    """Whether objects of that resource carry values that must stay behind."""
    return resource.group == "" and resource.plural == "secrets"


def withheld(resource: Resource, obj: Json) -> Json:
    """The object as it may be shown: keys stay, values of a Secret do not, nor the copy in its annotation."""
    if not holds_secrets(resource):
        return obj
    shown = dict(obj)
    for key in ("data", "stringData"):
        if isinstance(obj.get(key), dict):
            shown[key] = dict.fromkeys(obj[key], WITHHELD)
    metadata = obj.get("metadata")
    if isinstance(metadata, dict) and LAST_APPLIED in (metadata.get("annotations") or {}):
        annotations = {**metadata["annotations"], LAST_APPLIED: WITHHELD}
        shown["metadata"] = {**metadata, "annotations": annotations}
    return shown
