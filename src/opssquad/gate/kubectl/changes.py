"""Which parsed lines do what one of our own tools does: the tool's name and its arguments. Pure.

Only the plain forms: one object, the flags that the tool has an argument for. Everything else is refused with
the reason, never guessed.
"""

import json
import re
from collections.abc import Callable

from opssquad.gate.kubectl.parse import Parsed
from opssquad.gate.kubectl.reads import check_flags, check_operands, of_secrets
from opssquad.gate.kubectl.unclear import Unclear
from opssquad.types import Json, KubectlChange

WORKLOADS = {
    "deployment": "Deployment",
    "deploy": "Deployment",
    "statefulset": "StatefulSet",
    "sts": "StatefulSet",
    "daemonset": "DaemonSet",
    "ds": "DaemonSet",
}
SCALABLE = ("Deployment", "StatefulSet")
PODS = ("pod", "po")
SERVICES = ("service", "svc")
LABELS = re.compile(r"[A-Za-z0-9][\w./-]*=[\w.-]*(,[A-Za-z0-9][\w./-]*=[\w.-]*)*")
HOW = ("strategic", "merge", "json")
VARIABLE = re.compile(r"[A-Za-z_][\w.-]*(=.*|-)", re.DOTALL)


def change(parsed: Parsed) -> KubectlChange | None:
    """The tool that does what the line says; None if none does. Raises Unclear for a form that it lacks."""
    known = TOOLS.get(parsed.verb)
    if known is None:
        return None
    tool, flags, arguments = known
    check_flags(parsed, ("namespace", *flags))
    reason = f"kubectl {parsed.verb} changes the cluster; the tool `{tool}` does that, with a card to approve"
    return KubectlChange(reason=reason, tool=tool, args=arguments(parsed))


def _object(parsed: Parsed, operands: list[str]) -> tuple[str, str]:
    """The one object that is meant, as type and name."""
    check_operands(operands)
    words = operands[0].split("/") if len(operands) == 1 else operands
    if len(words) != 2 or any("," in word or "/" in word for word in words):
        raise Unclear(f"kubectl {parsed.verb}: name one object, as TYPE/NAME")
    return words[0], words[1]


def _singular(word: str) -> str:
    word = word.lower().partition(".")[0]
    return word.removesuffix("s") if word not in WORKLOADS else word


def _workload(parsed: Parsed, operands: list[str]) -> Json:
    written, name = _object(parsed, operands)
    kind = WORKLOADS.get(_singular(written))
    if kind is None:
        raise Unclear(f"kubectl {parsed.verb}: our tool is for {', '.join(sorted(set(WORKLOADS.values())))}")
    return {"name": name, "namespace": parsed.namespace, "kind": kind}


def _integer(parsed: Parsed, flag: str) -> int:
    value = parsed.flags.get(flag, "")
    if not re.fullmatch(r"\d{1,9}", value):
        raise Unclear(f"kubectl {parsed.verb}: --{flag} takes a whole number, not {value!r}")
    return int(value)


def _scale(parsed: Parsed) -> Json:
    found = _workload(parsed, parsed.operands)
    if found["kind"] not in SCALABLE:
        raise Unclear(f"a {found['kind']} has no number of replicas")
    return {**found, "replicas": _integer(parsed, "replicas")}


def _restart(parsed: Parsed) -> Json:
    return _workload(parsed, parsed.operands)


def _undo(parsed: Parsed) -> Json:
    found = _workload(parsed, parsed.operands)
    revision = _integer(parsed, "to-revision") if "to-revision" in parsed.flags else 0
    args = {"deployment": found["name"], "namespace": found["namespace"], "revision": revision}
    return args if found["kind"] == "Deployment" else {**args, "kind": found["kind"]}


def _image(parsed: Parsed) -> Json:
    pairs = [word for word in parsed.operands if "=" in word]
    container, _, image = pairs[0].partition("=") if len(pairs) == 1 else ("", "", "")
    if not image or not re.fullmatch(r"[a-z0-9][-a-z0-9]*", container):
        raise Unclear("kubectl set image: give one CONTAINER=IMAGE")
    found = _workload(parsed, [word for word in parsed.operands if "=" not in word])
    return {**found, "container": container, "image": image}


def _env(parsed: Parsed) -> Json:
    variables = [word for word in parsed.operands if VARIABLE.fullmatch(word)]
    if len(variables) != 1:
        raise Unclear("kubectl set env: give one NAME=VALUE, or NAME- to remove it")
    found = _workload(parsed, [word for word in parsed.operands if word not in variables])
    return {**found, "container": parsed.flags.get("containers", ""), "env": variables[0]}


def _resources(parsed: Parsed) -> Json:
    amounts = {side: parsed.flags.get(side, "") for side in ("limits", "requests")}
    if not any(amounts.values()):
        raise Unclear("kubectl set resources: give --limits or --requests")
    container = parsed.flags.get("containers", "")
    if container and not re.fullmatch(r"[a-z0-9][-a-z0-9]*", container):
        raise Unclear("kubectl set resources: --containers takes the name of one")
    return {**_workload(parsed, parsed.operands), "container": container, **amounts}


def _selector(parsed: Parsed) -> Json:
    pairs = [word for word in parsed.operands if LABELS.fullmatch(word)]
    if len(pairs) != 1:
        raise Unclear("kubectl set selector: give one KEY=VALUE[,KEY=VALUE]")
    written, name = _object(parsed, [word for word in parsed.operands if word not in pairs])
    if _singular(written) not in SERVICES:
        raise Unclear("kubectl set selector: our tool is for Services")
    return {"name": name, "namespace": parsed.namespace, "selector": pairs[0]}


def _patch(parsed: Parsed) -> Json:
    kind, name = _object(parsed, parsed.operands)
    if of_secrets([kind]):
        raise Unclear("Secrets are not patched: their values would have to be shown")
    how = parsed.flags.get("type", "strategic")
    try:
        body = json.loads(parsed.flags.get("patch", ""))
    except (ValueError, RecursionError):
        raise Unclear("kubectl patch: --patch takes JSON") from None
    if how not in HOW or isinstance(body, list) != (how == "json") or not isinstance(body, dict | list):
        raise Unclear("kubectl patch: --type is strategic or merge for an object, json for a list")
    return {"kind": kind, "name": name, "namespace": parsed.namespace, "body": body, "how": how}


def _delete(parsed: Parsed) -> Json:
    written, name = _object(parsed, parsed.operands)
    if _singular(written) not in PODS or (written.partition(".")[2] not in ("", "v1", "v1.")):
        raise Unclear("kubectl delete: only pods are deleted, one by one")
    found = {"pod": name, "namespace": parsed.namespace}
    force, grace = parsed.flags.get("force", "false"), parsed.flags.get("grace-period", "")
    if force not in ("true", "false") or grace not in ("", "0") or (grace == "0") != (force == "true"):
        raise Unclear("kubectl delete: --force and --grace-period=0 go together, other graces are not given")
    return {**found, "force": True} if force == "true" else found


def _node(parsed: Parsed) -> Json:
    check_operands(parsed.operands)
    if len(parsed.operands) != 1:
        raise Unclear(f"kubectl {parsed.verb}: name one node")
    name = parsed.operands[0]
    for prefix in ("node/", "nodes/", "no/"):
        name = name.removeprefix(prefix)
    if not re.fullmatch(r"[a-z0-9][-a-z0-9.]*", name):
        raise Unclear(f"kubectl {parsed.verb}: {name!r} is not a node's name")
    return {"node": name}


TOOLS: dict[str, tuple[str, tuple[str, ...], Callable[[Parsed], Json]]] = {
    "scale": ("scale", ("replicas",), _scale),
    "rollout restart": ("restart", (), _restart),
    "rollout undo": ("rollback", ("to-revision",), _undo),
    "set image": ("set_image", (), _image),
    "set env": ("set_env", ("containers",), _env),
    "set resources": ("set_resources", ("containers", "limits", "requests"), _resources),
    "set selector": ("set_service", (), _selector),
    "patch": ("patch", ("patch", "type"), _patch),
    "delete": ("delete_pod", ("force", "grace-period"), _delete),
    "cordon": ("cordon", (), _node),
    "uncordon": ("uncordon", (), _node),
}
"""By command: our tool, the flags that it has arguments for, and how they are taken from the line."""
