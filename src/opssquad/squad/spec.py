"""What `squad.yaml` says, read and validated; the fault catalogue is read by `diagnosis`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from opssquad.diagnosis.catalogue import Clause
from opssquad.documents import read_yaml
from opssquad.types import Value


class Limits(Value):
    """Budgets of one question. At the soft limit the squad is told to conclude, at the hard one it must.

    `seconds` are those of work: waiting for an approver is free. `tokens` are prompt and answers together, as
    the endpoint counts them (a quarter of the characters where it does not). `parallel`: reads at one time.
    """

    calls_soft: int = Field(default=12, gt=0)
    calls_hard: int = Field(default=25, gt=0)
    seconds: float = Field(default=600, gt=0)
    rounds: int = Field(default=30, gt=0)
    tokens: int = Field(default=500_000, gt=0)
    parallel: int = Field(default=6, gt=0)


World = Literal["cluster", "database", "network"]
"""What a squad works on; without it connected it cannot work. The network is there wherever a live system is,
and in a recording with a cluster or with probes."""


class HandsOver(Value):
    """To whom a squad may hand a question: `when` one of these signals was seen, and with `unsettled` no
    fault is likely yet; `why` is a sentence with holes for the signal's text, owner, entity and data."""

    to: str
    when: list[Clause] = Field(min_length=1)
    unsettled: bool = False
    why: str


class SquadSpec(Value):
    """A squad: its words on screen, its world, its prompt, its tools in the order the model sees them, its
    limits. `knows` are squads whose faults it tells apart besides its own."""

    name: str
    title: str
    description: str
    world: World = "cluster"
    prompt: str
    tools: tuple[str, ...]
    limits: Limits = Limits()
    knows: tuple[str, ...] = ()
    hands_over: tuple[HandsOver, ...] = ()


def load_squad(folder: Path) -> SquadSpec:
    """Read a `squad.yaml` that stands alone; `known.spec_of` gives a squad as it works here. Raises
    UsageError with the file, the key and the nearest valid one."""
    return read_yaml(folder / "squad.yaml", SquadSpec)
