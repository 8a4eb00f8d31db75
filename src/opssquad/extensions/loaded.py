"""What loading a file of tools came to. Values only."""

from dataclasses import dataclass
from pathlib import Path

from opssquad.toolbox import Tool


@dataclass(frozen=True)
class Broken:
    """A tool, or a whole file (then `name` is its stem), that is left out, and why; `line` is 0 where none is
    to blame."""

    file: Path
    line: int
    name: str
    why: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.why}"


@dataclass(frozen=True)
class Loaded:
    """The tools that can be used, and what is left out: one that is broken stops none of the others."""

    tools: tuple[Tool, ...] = ()
    broken: tuple[Broken, ...] = ()
