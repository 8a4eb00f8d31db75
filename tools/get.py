"""The tool `get`: any object by kind and name, custom resources included, as trimmed YAML.

Values of Secrets never come here: the cluster handle withholds them.
"""

from typing import Annotated, Any

import yaml

from opssquad import Cluster, Json, Result, tool

from ._kube import age, kubectl, ref, source

ROOM = 5000
LONG_TEXT = 400
LONG_LIST = 30
DROPPED = ("managedFields", "uid", "resourceVersion", "selfLink")
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob")


@tool(effect="read")
async def get(
    cluster: Cluster,
    kind: Annotated[str, "as kubectl takes it; custom ones too"],
    name: str,
    namespace: str = "",
) -> Result:
    """Any object as YAML, trimmed; values of Secrets are withheld."""
    obj = await cluster.get(kind, name, namespace)
    address = ref(obj)
    title = f"{address.kind} {address.name}" + (f" in {address.namespace}" if address.namespace else "")
    data: Json = {"object": str(address)}
    if address.kind == "Pod":
        data["pods"] = [str(address)]
    if address.kind in WORKLOADS:
        data["workloads"] = [str(address)]
    return Result(
        text=f"{title}, {age(obj, cluster.now())} old:\n{shown(obj)}",
        sources=(source(obj),),
        data=data,
        commands=(kubectl("get", kind.lower(), name, "-o", "yaml", namespace=address.namespace),),
    )


def shown(obj: Json) -> str:
    """The object as YAML without what tells an engineer nothing; long texts and lists cut, and said so."""
    lines = yaml.safe_dump(
        trimmed(obj), sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    ).splitlines()
    size, kept = 0, 0
    while kept < len(lines) and size + len(lines[kept]) < ROOM:
        size += len(lines[kept]) + 1
        kept += 1
    left = len(lines) - kept
    note = [f"# {left} more lines are kept with the evidence"] if left else []
    return "\n".join([*lines[:kept], *note])


def trimmed(obj: Json) -> Json:
    """A copy without managedFields and other book-keeping, and with long values cut."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in DROPPED}
    if notes := {key: value for key, value in (meta.get("annotations") or {}).items() if key != APPLIED}:
        meta["annotations"] = notes
    else:
        meta.pop("annotations", None)
    cut: Json = _cut({**obj, "metadata": meta})
    return cut


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(each) for key, each in value.items()}
    if isinstance(value, list):
        rest = [f"... and {len(value) - LONG_LIST} more"] if len(value) > LONG_LIST else []
        return [*map(_cut, value[:LONG_LIST]), *rest]
    if isinstance(value, str) and len(value) > LONG_TEXT:
        return f"{value[:LONG_TEXT]}... ({len(value)} characters)"
    return value
