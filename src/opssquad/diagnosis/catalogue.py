"""The fault catalogue of a squad, `faults.yaml`, read and validated; all knowledge of faults is in it."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from opssquad.diagnosis.soundness import flaws
from opssquad.documents import Placed, parse_placed, read_text
from opssquad.findings import Action, Inadmissible
from opssquad.types import Json, Value

Link = Literal["own", "itself", "caller", "user", "used", "behind", "inside", "any"]
"""How a clause's signal relates to the suspect. `own`: its owner or entity is the component, or its owner
that of an anchor. `itself`: the component's alone. `caller`: the signal names the component (or the Service
before it) as what it could not reach, or names nobody and the anchor knows its owner as a caller
(`data.callers`). `user`: the anchor names its owner as a user (`data.used_by`). `used`: it names the
component as its user. `behind`: the anchor names its owner as what stands behind it (`data.workload`,
`data.workloads`). `inside`: same namespace. `any`: no relation."""


class Clause(Value):
    """One signal that speaks for or against a fault.

    `where` are conditions on the signal's data: `path: pattern` (shell patterns, `!` in front negates, a list
    means any of; a path through a list means any element). `agrees` is a path in the data of this signal and
    of an anchor: where both say something there, they share a value. `when` relates its time to the
    anchor's: `before` it (a change that could have caused it) or `after`, and `within` so many minutes of it
    if that is given. Without a `required` one the fault is off the list.
    """

    signal: str
    weight: float = Field(default=1.0, gt=0)
    link: Link = "own"
    where: dict[str, str | list[str]] = Field(default_factory=dict)
    agrees: str = ""
    when: Literal["", "before", "after"] = ""
    within: int = Field(default=0, ge=0)
    required: bool = False
    name: str = ""
    tell: str = ""


class Remedy(Value):
    """An admissible action, filled from the facts of the match; `needs` names a clause that must hold,
    `unless` one that must not.

    No call is offered with a value that nobody knows: with a hole in `args` that nothing fills it stays in
    words, and where the label itself names what is not known it is not offered. An argument in `[[...]]` is
    left out where nothing fills it.
    """

    action: Action
    label: str
    target: str = "{component}"
    tool: str = ""
    args: Json = Field(default_factory=dict)
    needs: str = ""
    unless: str = ""


class Refused(Inadmissible):
    """An action that tempts and is wrong: where the clause holds that `needs` names, and not where that holds
    that `unless` names."""

    needs: str = ""
    unless: str = ""

    def __str__(self) -> str:
        told = [f"if {self.needs}"] if self.needs else []
        told += [f"unless {self.unless}"] if self.unless else []
        return super().__str__() + (f" ({', '.join(told)})" if told else "")


class Fault(Value):
    """One entry; `form_of` is the id under which it is concluded, where another entry tells the same fault
    by other signals. `anchor` is the signal that opens it; `component` says who is to blame: the anchor's
    `owner`, its `entity`, or a reference in its data (`data.ref`); of several the first that the anchor
    tells. `one_by` is a path in the anchor's data: several components that share what stands there have one
    cause. `culprit` is a hole without its braces (`corefile.config`): where it is filled, what it refers to
    is to blame, and the component only where it shows. `inadmissible` are actions that are tempting and
    wrong; none of them may stand among the `actions`, but for what holds only where they do not."""

    id: str
    title: str
    form_of: str = ""
    anchor: list[Clause]
    component: str | list[str] = "owner"
    one_by: str = ""
    culprit: str = ""
    speaks_for: list[Clause] = Field(default_factory=list, alias="for")
    against: list[Clause] = Field(default_factory=list)
    root_cause: str
    actions: list[Remedy] = Field(default_factory=list)
    inadmissible: list[Refused] = Field(default_factory=list)
    no_fault: bool = False

    @property
    def blames(self) -> tuple[str, ...]:
        """Where the component stands, best first."""
        return (self.component,) if isinstance(self.component, str) else tuple(self.component)


class Show(Value):
    """The call of a tool that would show a signal."""

    label: str
    tool: str
    args: Json = Field(default_factory=dict)


class Catalogue(Value):
    """The faults a squad can tell apart, and the calls that show a signal (`shows`: signal -> tool call)."""

    faults: list[Fault]
    shows: dict[str, Show] = Field(default_factory=dict)


def load_catalogue(path: Path) -> Catalogue:
    """Read `faults.yaml`. Raises UsageError with the file, the place and the nearest known key, and for what
    contradicts itself or names what it does not have."""
    placed = placed_catalogue(path)
    for flaw in flaws(path, placed):
        raise flaw.error
    return placed.value


def placed_catalogue(path: Path) -> Placed[Catalogue]:
    """The same with the lines of its parts, whether it is sound or not; the same text is parsed once a
    process. Raises BadFile."""
    return _parsed(read_text(path), path)


@lru_cache(maxsize=16)
def _parsed(text: str, path: Path) -> Placed[Catalogue]:
    return parse_placed(text, Catalogue, path)
