"""Programs of a recording: what each printed and how it ended, told again.

`commands/commands.yaml` is a list of `{argv, code, out, err, ms}`. Arguments that were recorded more than
once are answered in turn, and then as the last time.
"""

import asyncio
import difflib
import shlex
from collections import Counter
from pathlib import Path

from pydantic import Field, RootModel

from opssquad.documents import read_yaml
from opssquad.errors import ToolError
from opssquad.types import Value
from opssquad.worlds.command.commands import Program, Ran

FILE = "commands/commands.yaml"


class Told(Value):
    """One program that ran: its arguments, exit code, output, and milliseconds."""

    argv: tuple[str, ...] = Field(min_length=1)
    code: int = 0
    out: str = ""
    err: str = ""
    ms: float = Field(default=0, ge=0)


class ToldCommands(RootModel[tuple[Told, ...]]):
    """The content of `commands.yaml`."""


def has_commands(folder: Path) -> bool:
    """Whether a recording has programs."""
    return (folder / FILE).exists()


class RecordedCommands:
    """The programs of a recording; one without such a part answers none. Raises BadFile."""

    def __init__(self, folder: Path) -> None:
        told = read_yaml(folder / FILE, ToldCommands).root if has_commands(folder) else ()
        self._told: dict[tuple[str, ...], list[Told]] = {}
        for each in told:
            self._told.setdefault(each.argv, []).append(each)
        self._asked: Counter[tuple[str, ...]] = Counter()

    async def run(self, program: Program) -> Ran:
        """What was recorded of exactly these arguments. Raises ToolError with the nearest that were."""
        known = self._told.get(program.argv)
        if known is None:
            raise ToolError(self._unknown(program))
        told = known[min(self._asked[program.argv], len(known) - 1)]
        self._asked[program.argv] += 1
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
