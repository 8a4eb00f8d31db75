"""Secrets in a recording: where they stand and what they look like, never what they are."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from opssquad.documents import read_text
from opssquad.evals.excerpts import around
from opssquad.gate.names import PLACEHOLDER
from opssquad.gate.redact import HIDDEN, Redactor
from opssquad.types import Json
from opssquad.worlds.kube.recording import Recording
from opssquad.worlds.kube.recording.checks import REDACTED
from opssquad.worlds.kube.recording.files import log_lines
from opssquad.worlds.kube.recording.network_check import network_texts
from opssquad.worlds.kube.recording.refs import reference

FILES = ("incident.yaml", "world.yaml", "truth.yaml", "missing.yaml")
MOST = 3
"""Places of one file or object that are named; of the others their number is said."""
AROUND = 40
"""Characters on each side of a secret that are shown."""

Place = tuple[str, str]
"""Where in a file or object, and what stands there."""


def secrets_in(recording: Recording, redactor: Redactor) -> Iterator[str]:
    """A sentence for each place that holds a secret, in objects, logs and the files beside them."""
    for obj in recording.objects:
        # The word that stands for a secret is none, wherever a copy of the object holds it.
        known: Json = json.loads(json.dumps(obj).replace(REDACTED, HIDDEN))
        clean, count = redactor.value(known)
        if count:
            yield from _said("/".join(reference(obj)), _changed(known, clean, ""))
    for file in sorted((recording.folder / "logs").rglob("*.log")):
        messages = [line.partition(" ")[2] for line in log_lines(read_text(file))]
        yield from _said(file.relative_to(recording.folder).as_posix(), _in_lines(messages, redactor))
    for name, text in network_texts(recording.folder):
        yield from _said(name, _in_lines(text.split("\n"), redactor))
    for name in FILES:
        if (recording.folder / name).is_file():
            yield from _said(name, _in_lines(read_text(recording.folder / name).split("\n"), redactor))


def _said(name: str, places: Iterable[Place]) -> Iterator[str]:
    found = list(places)
    for where, looks in found[:MOST]:
        yield f"{name} {where}: {looks}"
    if len(found) > MOST:
        yield f"{name}: {len(found) - MOST} more places with secrets"


def _in_lines(lines: list[str], redactor: Redactor) -> Iterator[Place]:
    redacted = redactor.read("\n".join(lines))
    if redacted.count:
        for number, (before, after) in enumerate(zip(lines, redacted.lines(), strict=True), 1):
            if _more(before, after):
                yield f"line {number}", _looks(before, after)


def _changed(before: Any, after: Any, path: str) -> Iterator[Place]:
    """The texts of an object that hold a secret, each with its path."""
    match before:
        case dict():
            for key, inner in before.items():
                yield from _changed(inner, after[key], f"{path}.{key}" if path else str(key))
        case list():
            for index, inner in enumerate(before):
                name = inner.get("name", index) if isinstance(inner, dict) else index
                yield from _changed(inner, after[index], f"{path}[{name}]")
        case _ if before != after and _more(str(before), str(after)):
            yield path, _looks(str(before), str(after))


def _more(before: str, after: str) -> bool:
    return len(PLACEHOLDER.findall(after)) > len(PLACEHOLDER.findall(before))


def _looks(before: str, after: str) -> str:
    """What the secret looks like: its surroundings, or its length where it is all there is."""
    found = PLACEHOLDER.search(after)
    if found is None or found.span() == (0, len(after.strip())):
        return f"a secret of {len(before.strip())} characters stands here"
    begin, end = around(after, found.span(), AROUND)
    return f"a secret in {' '.join(after[begin:end].split())!r}"
