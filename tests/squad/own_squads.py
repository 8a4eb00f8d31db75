"""Squads of one's own, written into the folder of a test."""

from pathlib import Path
from textwrap import dedent


def squad(own: Path, name: str, text: str, **files: str) -> Path:
    """A folder of a squad with that `squad.yaml`; `faults="..."` writes its `faults.yaml`, `prompt=` its
    `prompt.md`, `policy=` its policy, `book_x=` the runbook `x`."""
    folder = own / "squads" / name
    (folder / "runbooks").mkdir(parents=True, exist_ok=True)
    (folder / "squad.yaml").write_text(dedent(text), encoding="utf-8")
    for kind, content in files.items():
        path = folder / f"runbooks/{kind.removeprefix('book_')}.md"
        if not kind.startswith("book_"):
            path = folder / f"{kind}.{'md' if kind == 'prompt' else 'yaml'}"
        path.write_text(dedent(content), encoding="utf-8")
    return folder


def line_of(path: Path, part: str) -> int:
    """The line, from 1, in which the text stands."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if part in line)
