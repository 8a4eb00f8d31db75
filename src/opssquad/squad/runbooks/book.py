"""What a runbook says, as values: its head, its steps with what they expect, its sections. Nothing is read or
run here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from opssquad.documents import Placed
from opssquad.types import Json, Value

SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Rollback", "Escalation", "Links")
"""The sections of every runbook, in their order."""
WITH_STEPS = ("Diagnosis", "Mitigation", "Rollback")
STOP, CONTINUE = "stop", "continue"
BEFORE, AFTER, OVER = "before", "after", "over"
"""Where a walk may be besides at a step: at the steady-state check before or after, or at its end."""
RESERVED = (STOP, CONTINUE, BEFORE, AFTER, OVER)
NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Pattern = str | list[str]
Line = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\n]+$")]
Origin = Literal["squad", "organisation"]


class Parameter(Value):
    """What a run must be told, or may be where there is a default; `about` says so in words."""

    about: str = Field(min_length=1)
    default: str | None = None


class Head(Value):
    """The front matter. `faults` are ids of the catalogue that it is for; `target` is the object that it is
    about, filled from the parameters; `replaces`: in place of the squad's runbook of that id.
    `not_looked_at`: what a walk that finds nothing says nothing about, though a reader may think so."""

    id: str = Field(pattern=NAME)
    title: str = Field(min_length=1)
    faults: list[str] = Field(default_factory=list)
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    target: str = "{kind}/{namespace}/{name}"
    replaces: bool = False
    not_looked_at: list[Line] = Field(default_factory=list)


class Condition(Value):
    """Something that the results of a step say, or do not (`absent`).

    `signal`: one of these ids was found, about the target unless `anywhere`, with data that meets `where`.
    `data`: the result's own data meets it. `check`: the check after a change said one of these. Patterns are
    those of the fault catalogue. `name` makes the signal's facts known to later steps.
    """

    signal: Pattern = ""
    where: dict[str, Pattern] = Field(default_factory=dict)
    anywhere: bool = False
    data: dict[str, Pattern] = Field(default_factory=dict)
    check: list[Literal["better", "same", "worse", "unknown"]] = Field(default_factory=list)
    absent: bool = False
    name: str = ""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        given = [kind for kind in ("signal", "data", "check") if getattr(self, kind)]
        if len(given) != 1:
            raise ValueError(f"give one of signal, data and check, not {' and '.join(given) or 'none'}")
        lost = self.model_fields_set & {"where", "anywhere", "name"}
        if lost and not self.signal:
            raise ValueError(f"{min(lost)} is for a signal; this is about {given[0]}")
        if self.absent and self.name:
            raise ValueError("what is absent has no facts to name")
        return self

    @property
    def signals(self) -> list[str]:
        """The ids or patterns of ids that would do."""
        return [self.signal] if isinstance(self.signal, str) else self.signal


class Branch(Value):
    """Where to go on when all of it holds, or always; `say` is told then, as what is left where it stops."""

    when: list[Condition] = Field(default_factory=list)
    goto: str = STOP
    say: str = ""

    @field_validator("when", mode="before")
    @classmethod
    def _alone(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value


class Look(Value):
    """A call and what it is expected to show: the steady-state check, and the base of a step."""

    say: str = Field(min_length=1)
    tool: str
    args: Json = Field(default_factory=dict)
    expect: list[Condition] = Field(default_factory=list)


class Step(Look):
    """A step. When what it expects is not so, `on_fail`: `stop`, `continue`, or the step to go to. Else the
    first branch that fits, the next step of the section, or the end. `approve` marks one that changes
    something: it asks before it does."""

    id: str = Field(pattern=NAME)
    on_fail: str = STOP
    branch: list[Branch] = Field(default_factory=list)
    approve: bool = False


@dataclass(frozen=True)
class Block:
    """A fenced block that is part of the program, and where it begins."""

    section: str
    line: int
    placed: Placed[Any]

    @property
    def look(self) -> Look:
        """The step, or the steady-state check."""
        look: Look = self.placed.value
        return look


@dataclass(frozen=True)
class Section:
    """A section in its order: paragraphs of Markdown, and the blocks between them."""

    name: str
    line: int
    parts: tuple[str | Block, ...]


@dataclass(frozen=True)
class Runbook:
    """A runbook and its file. `digest` is of the file's text: a run that began with another is told apart."""

    file: Path
    origin: Origin
    head: Placed[Head]
    sections: tuple[Section, ...]
    digest: str

    @property
    def id(self) -> str:
        return self.head.value.id

    @property
    def blocks(self) -> Iterator[Block]:
        """The blocks of the program in the order in which they stand."""
        return (part for section in self.sections for part in section.parts if isinstance(part, Block))

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        """Steps by id, in the order in which they stand."""
        return {look.id: look for block in self.blocks if isinstance(look := block.look, Step)}

    @cached_property
    def checks(self) -> Sequence[Look]:
        """The looks that say together whether anything is broken, and whether it still is."""
        return [block.look for block in self.blocks if not isinstance(block.look, Step)]

    def first(self) -> str:
        """The step that a walk begins with."""
        return next(iter(self.steps))

    def after(self, id: str) -> str:
        """The next step of the same section; none is fallen into from another section."""
        home = next(block.section for block in self.blocks if _is(block, id))
        ids = [b.look.id for b in self.blocks if b.section == home and isinstance(b.look, Step)]
        rest = ids[ids.index(id) + 1 :]
        return rest[0] if rest else STOP

    def look(self, place: str, check: int) -> Look:
        """What is looked at where a walk is; `check` counts the looks of the steady state."""
        return self.checks[check] if place in (BEFORE, AFTER) else self.steps[place]


def _is(block: Block, id: str) -> bool:
    return isinstance(block.look, Step) and block.look.id == id
