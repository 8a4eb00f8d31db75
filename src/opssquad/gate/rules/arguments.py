"""What a rule says of an argument: a value, a pattern, a range, or a list of either. Pure.

A value of another type than the rule speaks of may still be taken for it by the tool ("25" for 25): it is not
known to differ.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeGuard

from pydantic import BeforeValidator

from opssquad.gate.rules.fits import Fit, either
from opssquad.gate.rules.patterns import includes, matches, plain
from opssquad.types import Json

Number = int | float


@dataclass(frozen=True)
class Like:
    """A text like a pattern."""

    pattern: str

    def fit(self, value: object) -> Fit:
        """How a value fits; MAYBE for what is no text."""
        return Fit(2 * matches(self.pattern, value)) if isinstance(value, str) else Fit.MAYBE

    def said(self, name: str, value: object) -> str:
        """In words, without the value: it may be a secret."""
        return f"{name} is like {self.pattern!r}"


@dataclass(frozen=True)
class Switch:
    """True or false."""

    on: bool

    def fit(self, value: object) -> Fit:
        """How a value fits; MAYBE for what is neither."""
        return Fit(2 * (value is self.on)) if isinstance(value, bool) else Fit.MAYBE

    def said(self, name: str, value: object) -> str:
        """In words."""
        return f"{name} is {str(self.on).lower()}"


@dataclass(frozen=True)
class Range:
    """A number from `min` to `max`, both included; one of them may be open."""

    min: Number | None = None
    max: Number | None = None

    def fit(self, value: object) -> Fit:
        """How a value fits; MAYBE for what is no number."""
        if not _number(value):
            return Fit.MAYBE
        low = self.min is None or value >= self.min
        return Fit.YES if low and (self.max is None or value <= self.max) else Fit.NO

    def said(self, name: str, value: object) -> str:
        """In words: which bound the value is beyond, or between which it is."""
        bounds = [f"at least {self.min}"] if self.min is not None else []
        bounds += [f"at most {self.max}"] if self.max is not None else []
        return f"{name} {value} is " + (str(self.min) if self.min == self.max else " and ".join(bounds))

    def missed(self, name: str, value: object) -> str:
        """In words, which bound a number that does not fit is beyond."""
        if self.max is not None and _number(value) and value > self.max:
            return f"{name} {value} is above {self.max}"
        return f"{name} {value} is below {self.min}"

    def within(self, other: "Range") -> bool:
        """Whether every number of this range is in the other one."""
        low = other.min is None or self.min is not None and self.min >= other.min
        return low and (other.max is None or self.max is not None and self.max <= other.max)


Alternative = Like | Switch | Range


def _number(value: object) -> TypeGuard[Number]:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _alternatives(given: object) -> tuple[Alternative, ...]:
    """What a rule may say of an argument. Raises ValueError in words that say what to write."""
    several = given if isinstance(given, list | tuple) else [given]
    if not several:
        raise ValueError("an empty list fits no value; leave the argument out")
    return tuple(_alternative(each) for each in several)


def _alternative(given: object) -> Alternative:
    if isinstance(given, str):
        return Like(plain(given))
    if isinstance(given, bool):
        return Switch(given)
    if _number(given):
        return Range(given, given)
    if isinstance(given, dict) and given and given.keys() <= {"min", "max"}:
        return _range(given)
    raise ValueError("give a text, a number, true or false, {min: 1, max: 20}, or a list of these")


def _range(given: Mapping[str, object]) -> Range:
    bounds = {name: bound for name, bound in given.items() if _number(bound)}
    if len(bounds) < len(given):
        raise ValueError("min and max are numbers")
    found = Range(**bounds)
    if found.min is not None and found.max is not None and found.min > found.max:
        raise ValueError(f"min {found.min} is above max {found.max}")
    return found


Alternatives = Annotated[tuple[Alternative, ...], BeforeValidator(_alternatives)]


def fit(wanted: Mapping[str, Sequence[Alternative]], args: Json) -> Fit:
    """How the arguments of a call fit all that is wanted; MAYBE for one that the call lacks."""
    return min((fit_one(each, args.get(name)) for name, each in wanted.items()), default=Fit.YES)


def fit_one(wanted: Sequence[Alternative], value: object) -> Fit:
    """How one value fits any of the alternatives; None is a value that is lacking."""
    return Fit.MAYBE if value is None else either(each.fit(value) for each in wanted)


def covers(wide: Mapping[str, Sequence[Alternative]], narrow: Mapping[str, Sequence[Alternative]]) -> bool:
    """Whether certainly all arguments that fit `narrow` fit `wide`."""
    return all(
        name in narrow and all(_covered(each, alternatives) for each in narrow[name])
        for name, alternatives in wide.items()
    )


def _covered(one: Alternative, by: Sequence[Alternative]) -> bool:
    match one:
        case Like():
            return includes([each.pattern for each in by if isinstance(each, Like)], one.pattern)
        case Range():
            return any(isinstance(each, Range) and one.within(each) for each in by)
    return one in by
