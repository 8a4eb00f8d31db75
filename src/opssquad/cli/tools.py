"""What `opssquad tool` tells, as values. No screen here."""

import json
from pathlib import Path

from opssquad import content
from opssquad.extensions.library import all_tools, library, stands_at, tools
from opssquad.squad.spec import load_squad
from opssquad.toolbox import Tool
from opssquad.types import Effect, Json, Value


class Row(Value):
    """A tool as a list has it; `tokens` is about what a model pays to know it, with each request."""

    name: str
    effect: Effect
    description: str
    squads: tuple[str, ...]
    source: str
    tokens: int


class Listed(Value):
    """Every tool, and what is left out, as `file:line: why`."""

    tools: tuple[Row, ...]
    left_out: tuple[str, ...]


class Described(Value):
    """A tool as a model sees it, and what the house knows besides."""

    row: Row
    file: str
    parameters: Json
    handles: tuple[str, ...]
    roles: tuple[str, ...]
    signals: tuple[str, ...]
    irreversible: str
    deadline: float


def listed(own: bool) -> Listed:
    """All of them, or one's own alone. Raises UsageError."""
    known, squads = library(), _squads()
    shown = known.tools if own else all_tools()
    return Listed(
        tools=tuple(_row(tool, squads) for tool in shown.values()), left_out=tuple(map(str, known.broken))
    )


def described(name: str) -> Described:
    """One of them. Raises UsageError with the nearest names, or why it is left out."""
    tool = tools([name])[0]
    file, line = stands_at(tool)
    kinds = {kind.__name__ for role in (tool.act, *tool.roles.values()) for kind in role.handles.values()}
    return Described(
        row=_row(tool, _squads()),
        file=f"{file}:{line}",
        parameters=tool.parameters(),
        handles=tuple(sorted(kinds)),
        roles=tuple(tool.roles),
        signals=tool.signals,
        irreversible=tool.irreversible,
        deadline=tool.deadline,
    )


def tokens(tool: Tool) -> int:
    """About what its schema costs with each request: bytes of compact JSON, by 4."""
    seen = {"name": tool.name, "description": tool.description, "parameters": tool.parameters()}
    return len(json.dumps(seen, separators=(",", ":"), ensure_ascii=False).encode()) // 4


def _squads() -> dict[str, tuple[str, ...]]:
    return {name: load_squad(folder).tools for name, folder in content.squads().items()}


def _row(tool: Tool, squads: dict[str, tuple[str, ...]]) -> Row:
    return Row(
        name=tool.name,
        effect=tool.effect,
        description=tool.description,
        squads=tuple(name for name, its in squads.items() if tool.name in its),
        source=tool.source,
        tokens=tokens(tool),
    )


def place(file: str) -> str:
    """A file as one writes it: below the home folder with `~`."""
    home = str(Path.home())
    return f"~{file.removeprefix(home)}" if file.startswith(f"{home}/") else file
