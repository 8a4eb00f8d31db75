"""Programs of a recording: what each printed and how it ended, told again.

`commands/commands.yaml` is a list of `{argv, code, out, err, ms}`. One with `after`, the arguments of
another, is told once that one was run: what shows a change differs after it.
"""

import asyncio
import difflib
import shlex
from pathlib import Path

from pydantic import Field, RootModel

from opssquad.documents import BadFile, parse_placed, read_text
from opssquad.errors import ToolError
from opssquad.types import Value
from opssquad.worlds.command.commands import Program, Ran

FILE = "commands/commands.yaml"


class Told(Value):
    """One program that ran: its arguments, exit code, output, and milliseconds; `after` what it ran."""

    argv: tuple[str, ...] = Field(min_length=1)
    code: int = 0
    out: str = ""
    err: str = ""
    ms: float = Field(default=0, ge=0)
    after: tuple[str, ...] = ()


class ToldCommands(RootModel[tuple[Told, ...]]):
    """The content of `commands.yaml`."""


def has_commands(folder: Path) -> bool:
    """Whether a recording has programs."""
    return (folder / FILE).exists()


class RecordedCommands:
    """The programs of a recording; one without such a part answers none. Raises BadFile."""

    def __init__(self, folder: Path) -> None:
        self._told: dict[tuple[str, ...], list[Told]] = {}
        self._ran: set[tuple[str, ...]] = {()}
        if not has_commands(folder):
            return
        found = parse_placed(read_text(folder / FILE), ToldCommands, folder / FILE)
        for number, each in enumerate(found.value.root):
            known = self._told.setdefault(each.argv, [])
            if any(one.after == each.after for one in known):
                said = f"{shlex.join(each.argv)} stands twice; say after what it is told so with `after`"
                raise BadFile(folder / FILE, said, found.line(number))
            known.append(each)

    async def run(self, program: Program) -> Ran:
        """What was recorded of exactly these arguments. Raises ToolError with the nearest that were."""
        known = [each for each in self._told.get(program.argv, ()) if each.after in self._ran]
        if not known:
            raise ToolError(self._unknown(program))
        told = known[-1]
        self._ran.add(program.argv)
        await asyncio.sleep(0)
        out, err = told.out.encode(), told.err.encode()
        cut = len(out) + len(err) > program.cap
        kept = out[: program.cap], err[: max(0, program.cap - len(out))]
        texts = [each.decode(errors="replace") for each in kept]
        return Ran(program.argv, told.code, texts[0], texts[1], cut, told.ms, "recorded: nothing was run")

    def _unknown(self, program: Program) -> str:
        line, lines = shlex.join(program.argv), [shlex.join(each) for each in self._told]
        if not lines:
            return f"not recorded: {line}; this recording has no programs ({FILE})"
        near = difflib.get_close_matches(line, lines, n=1, cutoff=0.0)
        return f"not recorded: {line}; the nearest that is: {near[0]}"
