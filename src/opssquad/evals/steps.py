"""What a change comes to, in the truth's words: by the call that makes it, not by its label or spelling."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from opssquad.documents import read_yaml
from opssquad.evals.evidence import Top
from opssquad.evals.transcript import Act
from opssquad.findings import Action, Option
from opssquad.types import Json, Value
from opssquad.worlds.kube.kinds import KNOWN, match
from opssquad.worlds.kube.recording.refs import split

Step = tuple[str, str]
"""An action and its target, Kind/namespace/name."""
NAMES = {"deployment": "Deployment", "pod": "Pod", "node": "Node"}
"""Arguments that name an object, and of which kind; others say `kind` and `name`."""


class _Actions(Value):
    actions: dict[str, Action]


@cache
def actions() -> Mapping[str, Action]:
    """What the change of each tool is in the truth's words."""
    return read_yaml(Path(__file__).with_name("actions.yaml"), _Actions).actions


def spelled(ref: str) -> str:
    """A reference as the truth writes it, however its kind is written: `deploy/shop/web` is
    `Deployment/shop/web`."""
    kind, namespace, name = split(ref.strip())
    resource = match(kind, "", KNOWN) if kind else None
    if resource is None:
        return ref.strip()
    return f"{resource.kind}/{namespace if resource.namespaced else ''}/{name}"


def offered(option: Option, top: Top) -> list[Step]:
    """The steps that an option comes to, the one that it is about first: what its call does, where it carries
    one that changes something, and what it is called, since that is what people read."""
    called = amounts(option.action, spelled(option.target), {}, top)
    if option.tool not in actions():
        return called
    made = amounts(actions()[option.tool], _named(option), option.args, top)
    return [*made, *(step for step in called if step not in made)]


def done(act: Act, top: Top) -> list[Step]:
    """The steps that a change comes to, the one that it is about first."""
    return amounts(act.action, spelled(act.target), act.args, top)


def amounts(action: str, target: str, args: Json, top: Top) -> list[Step]:
    """A change and what it amounts to besides: to delete a workload's pod is to restart it, and a patch can
    scale and restart."""
    if action in ("delete", "restart") and target.startswith(("Pod/", "ReplicaSet/")):
        return [(action, target), ("restart", "/".join(top(split(target))))]
    if action != "patch":
        return [(action, target)]
    fields = set(_fields(args.get("body")))
    scales, notes = "spec.replicas" in fields, "spec.template.metadata.annotations"
    if fields and all(field.startswith(notes) for field in fields):
        return [("restart", target)]
    if fields == {"spec.replicas"}:
        return [("scale", target)]
    return [("patch", target), *([("scale", target)] if scales else [])]


def _named(option: Option) -> str:
    """The object that an option's call names; its target where the call names none."""
    kind, namespace, name = split(spelled(option.target))
    args = option.args
    if actions().get(option.tool) == "sql":
        # Such a call names what it acts upon by one part of its name.
        return option.target
    key = next((key for key in NAMES if args.get(key)), "name")
    if not args.get(key):
        return f"{kind}/{namespace}/{name}"
    kind = str(args.get("kind") or NAMES.get(key) or kind)
    return spelled(f"{kind}/{args.get('namespace') or namespace}/{args[key]}")


def _fields(body: Any, path: str = "") -> list[str]:
    """The dotted paths that a patch of any kind sets."""
    if isinstance(body, dict):
        return [field for key, value in body.items() for field in _fields(value, f"{path}.{key}".lstrip("."))]
    if not path and isinstance(body, list):
        steps = [step for step in body if isinstance(step, dict) and step.get("op") != "test"]
        paths = [str(step.get("path", "")).strip("/").replace("/", ".") for step in steps]
        return [
            f for at, step in zip(paths, steps, strict=True) for f in _fields(step.get("value"), at) or [at]
        ]
    return [path] if path else []
