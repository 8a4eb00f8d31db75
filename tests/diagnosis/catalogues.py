"""A small catalogue for tests: a sound fault that can be spoilt, and the tools of a made-up squad."""

from pathlib import Path

from opssquad.toolbox import Tool, Toolbox, tool
from opssquad.types import Preview, Undo

FAULT = """\
shows:
  door.forced: {label: 'Look at {name}', tool: look, args: {at: '{name}'}}
faults:
  - id: F1
    title: the door is open
    anchor: [{signal: door.open}]
    for:
      - {signal: door.forced, weight: 2, name: force, tell: door.forced}
      - {signal: wind.strong, link: any}
    against: [{signal: door.painted, required: true}]
    root_cause: '{name} stands open[[: {force.text}]].'
    actions:
      - {action: patch, label: 'Close {name}', tool: close, args: {door: '{name}'}, needs: force}
      - {action: escalate, label: Call the keeper}
    inadmissible:
      - {action: restart, reason: 'an open door stays open, also {name}'}
"""


def written(folder: Path, *changes: tuple[str, str], name: str = "faults.yaml") -> Path:
    """The catalogue above in a file, each first text replaced by the second; it must stand there once."""
    text = FAULT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def line_of(path: Path, text: str) -> int:
    """The line, from 1, of the first place where the file holds the text."""
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@tool(effect="read")
def look(at: str, closely: bool = False) -> str:
    """Look at something."""
    return at


def _close() -> Tool:
    @tool(effect="mutate")
    def close(door: str) -> str:
        """Close a door."""
        return door

    @close.preview
    def _preview(door: str) -> Preview:
        return Preview(command=f"close {door}", impact="", risk="low", risk_rule="")

    @close.undo
    def _undo(door: str) -> Undo:
        return Undo(note="open it")

    close.verify(lambda door: None)
    close.observe(lambda door: {})
    return close


TOOLBOX = Toolbox([look, _close()])
SIGNALS = ("door.open", "door.forced", "door.painted", "wind.*")
