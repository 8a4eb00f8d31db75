"""What came of a conversation with a squad, read from its events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from opssquad.events import (
    Answered,
    Concluded,
    Event,
    Requested,
    Returned,
    Verified,
    Warned,
)
from opssquad.findings import Check, Conclusion, Signal, ToolResult
from opssquad.types import Approval, Json

T = TypeVar("T")


@dataclass(frozen=True)
class Made:
    """A call that came back; `check` is whether a change helped."""

    tool: str
    args: Json
    result: ToolResult
    check: Check | None = None


@dataclass(frozen=True)
class Outcome:
    """A conversation that is over: its events, and what they come to."""

    events: tuple[Event, ...]

    @property
    def conclusion(self) -> Conclusion | None:
        """The last conclusion, its evidence checked; None where the squad drew none."""
        found = [each.conclusion for each in self.events if isinstance(each, Concluded)]
        return found[-1] if found else None

    @property
    def calls(self) -> tuple[Made, ...]:
        """The calls that came back, in order."""
        checks = {each.call.id: each.check for each in self.events if isinstance(each, Verified)}
        return tuple(
            Made(each.call.tool, each.call.args, each.result, checks.get(each.call.id))
            for each in self.events
            if isinstance(each, Returned)
        )

    def of(self, tool: str) -> Made:
        """The last call of that tool. Raises LookupError that says which were made."""
        made = [each for each in self.calls if each.tool == tool]
        if not made:
            raise LookupError(f"{tool} was not called; called: {', '.join(self.tools) or 'nothing'}")
        return made[-1]

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that were called, in order."""
        return tuple(each.tool for each in self.calls)

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What tools found, in order, each once."""
        found: Iterator[Signal] = (signal for made in self.calls for signal in made.result.signals)
        return _once(found, key=lambda each: each.model_dump_json())

    @property
    def cards(self) -> tuple[Approval, ...]:
        """The cards that were put up."""
        return tuple(each.approval for each in self.events if isinstance(each, Requested))

    @property
    def text(self) -> str:
        """What the squad answered."""
        return "\n".join(each.answer.text for each in self.events if isinstance(each, Answered))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the engineer was warned of: a tool that is left out, a model that failed."""
        return tuple(each.text for each in self.events if isinstance(each, Warned))


def _once(values: Iterator[T], key: Callable[[T], str]) -> tuple[T, ...]:
    return tuple({key(each): each for each in values}.values())
