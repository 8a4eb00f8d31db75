"""The corpus of attempts to instruct whoever reads data, each with a mark that tells it from the others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CORPUS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "corpora" / "injections.yaml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Attempt:
    """What is planted in a carrier (`log`, `event`, `name`, ...), and of which family it is."""

    number: int
    carrier: str
    family: str
    text: str

    @property
    def mark(self) -> str:
        """Letters that stand in this attempt alone."""
        return "zq" + chr(ord("a") + self.number // 26) + chr(ord("a") + self.number % 26)

    @property
    def planted(self) -> str:
        """The text with its mark, which a name may hold too."""
        blank = {"name": "-", "label": "_"}.get(self.carrier, " ")
        return f"{self.text}{blank}{self.mark}"


def attempts(*carriers: str) -> list[Attempt]:
    """Those of the carriers, all of them without any."""
    every = [Attempt(n, a["in"], a["family"], a["text"]) for n, a in enumerate(CORPUS["attempts"])]
    return [each for each in every if not carriers or each.carrier in carriers]
