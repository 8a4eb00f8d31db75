"""Which names of objects a conversation has brought: in signals, in what tools returned, in calls. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from opssquad.findings import ToolResult
from opssquad.models.base import Case
from opssquad.types import Json, Ref

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_REF = re.compile(r"\b[A-Z][A-Za-z]+/[a-z0-9.-]*/[a-z0-9][a-z0-9.-]*")
_LINE = re.compile(
    r"^[ \t]*(?:- )?(?:namespace|nodeName|serviceAccountName|claimName|secretName"
    r"|Namespace|Node|Service Account):[ \t]+(?P<name>[a-z0-9][a-z0-9.-]*)",
    re.MULTILINE,
)
_META = re.compile(
    r"^(?P<indent>[ \t]*)metadata:\n(?:(?P=indent)[ \t].*\n)*?(?P=indent)[ \t]+name: (?P<name>\S+)",
    re.MULTILINE,
)
_ARGS = frozenset({"name", "namespace", "deployment", "pod", "node", "workload", "about", "service"})
_KEYS = frozenset({"nodeName", "serviceAccountName", "claimName", "secretName", "namespace"})
_COLUMNS = ("NAMESPACE", "NAME", "NODE")


def names_of(case: Case) -> Iterator[str]:
    """Names of the case's objects: of its target, signals and calls."""
    yield from (case.target.cluster, case.target.namespace)
    for seen in case.signals:
        for ref in (seen.signal.entity, seen.signal.owner):
            yield from (ref.namespace, ref.name)
    for call in case.calls:
        yield from (each for key, each in call.args.items() if key in _ARGS and _is_name(each))
        yield from _strings(call.data)
    yield from _strings([e.locator for e in case.evidence])


def names_in(result: ToolResult) -> Iterator[str]:
    """Names of the objects that a call read."""
    for source in result.sources:
        yield from _strings(source.locator)
        yield from _text(source.text)
    yield from _text(result.text)


def nodes_of(case: Case) -> Iterator[str]:
    """Names of the case's nodes: they are hosts."""
    refs = [ref for s in case.signals for ref in (s.signal.entity, s.signal.owner)]
    yield from (ref.name for ref in refs if ref.kind == "Node")


def _text(text: str) -> Iterator[str]:
    yield from _strings(text)
    if text.startswith("{"):
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            # A log may begin like an object, and hold more brackets than one has.
            return
        yield from _object(read)
        return
    yield from (found["name"] for pattern in (_LINE, _META) for found in pattern.finditer(text))
    yield from _table(text.splitlines())


def _table(lines: list[str]) -> Iterator[str]:
    """The names in a table as kubectl prints it."""
    columns: dict[str, int] = {}
    for line in lines:
        if line.startswith(("NAME ", "NAMESPACE ")):
            columns = {word: line.split().index(word) for word in _COLUMNS if word in line.split()}
        elif columns:
            cells = line.split()
            # A column of several words stands behind these two and before the node.
            at = [index for word, index in columns.items() if word != "NODE"]
            yield from (cells[i].rpartition("/")[2] for i in at if i < len(cells) and _is_name(cells[i]))


def _object(value: Any) -> Iterator[str]:
    # Not by recursion: an object that could still be read may be too deep for it.
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += reversed(each)
        elif isinstance(each, dict):
            yield from _named(each)
            waiting += reversed(each.values())


def _named(value: Json) -> Iterator[str]:
    """The names that an object itself gives, without those of the objects in it."""
    meta = value.get("metadata")
    holders = [meta] if isinstance(meta, dict) else []
    holders += [value] if "kind" in value and "name" in value else []
    holders += [each for key, each in value.items() if key.endswith("Ref") and isinstance(each, dict)]
    for holder in holders:
        yield from (holder[key] for key in ("name", "namespace") if _is_name(holder.get(key)))
    yield from (each for key, each in value.items() if key in _KEYS and _is_name(each))


def _strings(value: Any) -> Iterator[str]:
    """Names in what is written as `Kind/namespace/name`."""
    if isinstance(value, str):
        for found in _REF.findall(value):
            ref = Ref.parse(found.rstrip("."))
            yield from (ref.namespace, ref.name)
    elif isinstance(value, Iterable):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None
