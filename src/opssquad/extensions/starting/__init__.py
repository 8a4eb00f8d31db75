"""Begins a tool of one's own: its file, a test that passes, and a recording for it. Writes, never over.

`templates/` has them by kind and effect, `recording/` a small healthy world (made from tests/testing/stub).
"""

import keyword
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Literal

from opssquad.errors import UsageError
from opssquad.extensions.python import NAME
from opssquad.types import Effect

Kind = Literal["python", "command", "http"]
HERE = Path(__file__).parent
ENDS: dict[Kind, str] = {"python": ".py", "command": ".yaml", "http": ".yaml"}
PARTS: dict[Kind, str] = {"command": "commands/commands.yaml", "http": "http/exchanges.yaml"}
"""The file of a recording that tells what such a tool gets."""
STUB = "id: stub"


@dataclass(frozen=True)
class Started:
    """What was begun, and the arguments with which its test calls the tool."""

    tool: Path
    test: Path
    recording: Path
    args: dict[str, str]


ARGS: dict[tuple[Kind, Effect], dict[str, str]] = {
    ("python", "read"): {"namespace": "shop"},
    ("python", "mutate"): {"namespace": "shop", "deployment": "web", "text": "ask ada"},
    ("command", "read"): {"path": "/var"},
    ("command", "mutate"): {"flag": "deploys"},
    ("http", "read"): {"service": "cart"},
    ("http", "mutate"): {"flag": "deploys"},
}


def start(name: str, kind: Kind, effect: Effect, squad: str, folder: Path) -> Started:
    """Write a tool of that name into `tools/` of the folder, with its test and recording in `tests/`. Raises
    UsageError for what is no name, and where something is there already."""
    fits(name)
    made = Started(
        folder / "tools" / f"{name}{ENDS[kind]}",
        folder / "tests" / f"test_{name}.py",
        folder / "tests" / "recordings" / name,
        ARGS[kind, effect],
    )
    for path in (made.tool, made.test, made.recording):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already, and nothing is written over; take another name")
    holes = {"name": name, "squad": squad}
    written = {
        made.tool: _filled(f"{kind}-{effect}{ENDS[kind]}", holes),
        made.test: _filled(f"{kind}-{effect}.test.py", holes),
        **{made.recording / path: data for path, data in _recording(name)},
    }
    if kind in PARTS:
        written[made.recording / PARTS[kind]] = _filled(f"{kind}-{effect}.recorded.yaml", holes)
    try:
        for path, data in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from error
    return made


def fits(name: str) -> None:
    """Raises UsageError for what cannot be a tool's name."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        rule = "small letters, digits and _, at most 64, a letter first, no word of Python's own"
        raise UsageError(f"{name!r} is no name of a tool: {rule}")


def _recording(name: str) -> Iterator[tuple[Path, bytes]]:
    folder = HERE / "recording"
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        data = path.read_bytes()
        if path.name == "incident.yaml":
            data = data.replace(STUB.encode(), f"id: {name}".encode())
        yield path.relative_to(folder), data


def _filled(template: str, holes: dict[str, str]) -> bytes:
    text = (HERE / "templates" / f"{template}.tmpl").read_text(encoding="utf-8")
    return Template(text).substitute(holes).encode()
