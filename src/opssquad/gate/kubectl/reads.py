"""Which parsed lines only read, by the list in `reads.yaml`; whatever is not on it is refused. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from opssquad.documents import read_yaml
from opssquad.gate.kubectl.parse import Parsed
from opssquad.gate.kubectl.templates import check_template
from opssquad.gate.kubectl.unclear import Unclear
from opssquad.types import KubectlRead, Value

NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
OPERAND = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:,-]*(/[A-Za-z0-9][A-Za-z0-9._:-]*)?")
SECRETS = frozenset({"secret", "secrets"})


class Read(Value):
    """One command that reads."""

    operands: Literal["objects", "words", "none"]
    flags: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()


class Held(Value):
    """What may still be asked of Secrets."""

    flags: tuple[str, ...]
    outputs: tuple[str, ...]


class Reads(Value):
    """The content of `reads.yaml`."""

    everywhere: tuple[str, ...]
    reads: Mapping[str, Read]
    secrets: Held
    flags: Mapping[str, str] = Field(default_factory=dict)
    commands: Mapping[str, str] = Field(default_factory=dict)


@cache
def reads() -> Reads:
    """The list that came with the product."""
    return read_yaml(Path(__file__).with_name("reads.yaml"), Reads)


def read(parsed: Parsed) -> KubectlRead:
    """The line as a read. Raises Unclear with what is wrong with it."""
    entry = reads().reads.get(parsed.verb)
    if entry is None:
        raise Unclear(_command(parsed))
    check_flags(parsed, (*reads().everywhere, *entry.flags))
    check_operands(word for word in parsed.operands if entry.operands != "words" or word != "*")
    if entry.operands == "none" and parsed.operands:
        raise Unclear(f"kubectl {parsed.verb} takes no {parsed.operands[0]!r} here")
    _output(parsed, entry.outputs)
    if entry.operands == "objects" and of_secrets(parsed.operands):
        _secrets(parsed)
    return KubectlRead(
        reason=f"kubectl {parsed.verb} reads, and so do its flags",
        words=(*parsed.path, *parsed.operands, *_flags(parsed), *entry.adds),
        namespace=parsed.namespace,
        everywhere=parsed.on("all-namespaces"),
    )


def _command(parsed: Parsed) -> str:
    known = reads().commands
    reason = known.get(parsed.verb) or known.get(parsed.path[0])
    below = [name for name in reads().reads if name.startswith(f"{parsed.verb} ")]
    if reason is None and below:
        reason = f"say which: {', '.join(below)}"
    return f"kubectl {parsed.verb}: {reason or 'it is not on the list of reads'}"


def check_flags(parsed: Parsed, allowed: Sequence[str]) -> None:
    """Raise Unclear for a flag that is not allowed, or a namespace that is none."""
    for name in parsed.flags:
        if name not in allowed:
            reason = reads().flags.get(name, f"it is not among the flags that `{parsed.verb}` may have here")
            raise Unclear(f"--{name}: {reason}")
    if parsed.namespace and not NAMESPACE.fullmatch(parsed.namespace):
        raise Unclear(f"--namespace: {parsed.namespace!r} is not a namespace's name")


def check_operands(operands: Iterable[str]) -> None:
    """Raise Unclear for what is no type and no name: addresses, paths, templates."""
    for word in operands:
        if not OPERAND.fullmatch(word) or ".." in word:
            raise Unclear(f"{word!r} is neither a type nor a name")


def of_secrets(operands: Sequence[str]) -> bool:
    """Whether the objects may be Secrets, however the type is written: `secret/x`, `pods,Secrets.v1.`."""
    typed = [word for word in operands if "/" in word] or operands[:1]
    types = (part.partition("/")[0] for word in typed for part in word.split(","))
    return any(each.lower().partition(".")[0] in SECRETS for each in types)


def _output(parsed: Parsed, outputs: Sequence[str]) -> None:
    given = parsed.flags.get("output")
    if given is None or given in outputs:
        return
    if not any(given.startswith(each) for each in outputs if each.endswith("=")):
        raise Unclear(f"--output={given}: one of {', '.join(outputs)} is taken here")
    check_template(given)


def _secrets(parsed: Parsed) -> None:
    held = reads().secrets
    if parsed.verb != "get":
        raise Unclear(f"kubectl {parsed.verb} of a Secret may print its values; `get secrets` lists them")
    if other := [name for name in parsed.flags if name not in held.flags]:
        raise Unclear(f"--{other[0]}: values of Secrets never leave the cluster; names and types are listed")
    if parsed.flags.get("output", "wide") not in held.outputs:
        raise Unclear("values of Secrets never leave the cluster; `get secrets` lists names and types")


def _flags(parsed: Parsed) -> list[str]:
    """The flags but the namespace, which is set where the line is run."""
    return [f"--{name}={value}" for name, value in parsed.flags.items() if name != "namespace"]
