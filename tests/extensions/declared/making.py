"""Declared tools as a test writes them, and runs them as the house does."""

from pathlib import Path
from textwrap import dedent
from typing import Any

from opssquad.errors import ToolError
from opssquad.executor import cited
from opssquad.extensions.declared import load
from opssquad.extensions.declared.making import DeclaredTool
from opssquad.findings import Result
from opssquad.toolbox import Handle, Handles, Tool
from opssquad.worlds.command.commands import Commands
from opssquad.worlds.command.live import LiveCommands

SECRETS = {"TOKEN": "s3cret-of-a-test-4711"}


def secrets(name: str) -> str:
    """The secrets of a test."""
    if name not in SECRETS:
        raise ToolError(f"there is no secret {name}")
    return SECRETS[name]


def tools(folder: Path, text: str, name: str = "own.yaml") -> list[Tool]:
    """The tools of a text, which is sound."""
    file = folder / name
    file.write_text(dedent(text))
    found = load(file, secrets)
    assert not found.broken, [str(each) for each in found.broken]
    return list(found.tools)


def tool(folder: Path, text: str) -> DeclaredTool:
    """The first tool of a text."""
    found = tools(folder, text)[0]
    assert isinstance(found, DeclaredTool)
    return found


def broken(folder: Path, text: str) -> str:
    """The one line of a text that does not load, without its folder."""
    file = folder / "own.yaml"
    file.write_text(dedent(text))
    found = load(file, secrets)
    assert not found.tools
    assert len(found.broken) == 1, [str(each) for each in found.broken]
    line = str(found.broken[0])
    assert "\n" not in line
    return line.removeprefix(f"{folder}/")


def handles(*given: Handle) -> Handles:
    """What a run has: programs of this machine, and those handles."""
    commands = Commands(LiveCommands(environ={"PATH": "/usr/local/bin:/usr/bin:/bin"}))
    return {type(each): each for each in (commands, *given)}


async def run(made: Tool, *given: Handle, **args: Any) -> Result:
    """The result of a call, whose quotes stand where they say."""
    return cited(made, await made.run(args, handles(*given)))
