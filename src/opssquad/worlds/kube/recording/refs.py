"""Names of objects as truth and checks write them: Kind/namespace/name."""

from opssquad.types import Json

Key = tuple[str, str, str]


def reference(obj: Json) -> Key:
    """Kind, namespace ("" when cluster-scoped) and name of an object."""
    meta = obj["metadata"]
    return obj["kind"], meta.get("namespace") or "", meta["name"]


def split(where: str) -> Key:
    """`Kind/namespace/name`, or `Kind/name`, as a key; a name may hold slashes."""
    kind, namespace, name = [*where.split("/", 2), "", ""][:3]
    return (kind, namespace, name) if name else (kind, "", namespace)
