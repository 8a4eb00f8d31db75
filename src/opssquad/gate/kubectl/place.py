"""Which namespace a call is about, by its arguments: what policy judges by. Pure."""

from opssquad.gate.kubectl.classify import classify
from opssquad.types import Json, KubectlRead

TOOL = "kubectl"
"""The tool whose namespace stands inside a line."""


def namespace_of(tool: str, args: Json) -> str | None:
    """The namespace that a call names; "" for all of them (`-A`), None if it names none."""
    if tool == TOOL:
        asked = classify(str(args.get("line", "")))
        if isinstance(asked, KubectlRead) and asked.everywhere:
            return ""
        return asked.namespace or None if isinstance(asked, KubectlRead) else None
    named = args.get("namespace")
    return named if isinstance(named, str) else None
