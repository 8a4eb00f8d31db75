"""What is odd about rules that can be read: shadowed, contradictory, void, or about nothing that there is.

Nothing is guessed: a finding is certain. What there is (tools, squads) is passed in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from opssquad.gate.policy import STRICTNESS
from opssquad.gate.rules import odd_destinations
from opssquad.gate.rules.alone import House, odd
from opssquad.gate.rules.reading import Layer, PlacedDestination, PlacedRule
from opssquad.gate.rules.rule import Rule, matcher


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is odd, and the rule that it is odd about."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def lint(layers: Sequence[Layer], house: House) -> list[Finding]:
    """Every finding about these layers, by file and line."""
    people = {role: set(names) for role, names in house.people.items()}
    for layer in layers:
        for role, names in layer.roles.items():
            people.setdefault(role, set()).update(names)
    found: set[Finding] = set()
    for layer in layers:
        found |= {_at(placed, text) for placed, text in (*_within(layer), *_between(layer, layers))}
        for placed in layer.rules:
            texts = odd(placed.rule, house, people)
            found |= {_at(placed, f"rule {placed.rule.name!r} {text}") for text in texts}
    found |= {_at(placed, text) for placed, text in odd_destinations.odd(layers)}
    return sorted(found)


def _at(placed: PlacedRule | PlacedDestination, text: str) -> Finding:
    return Finding(placed.file, placed.line, text)


def shadows(layer: Layer) -> Iterator[tuple[PlacedRule, PlacedRule]]:
    """Rules of a layer, each with the first one before it that matches every call that it matches."""
    shadowed: set[int] = set()
    for (_, first), (index, later) in combinations(enumerate(layer.rules), 2):
        if index not in shadowed and first.rule.covers(later.rule):
            shadowed.add(index)
            yield first, later


def _within(layer: Layer) -> Iterator[tuple[PlacedRule, str]]:
    for first, later in shadows(layer):
        said, before = later.rule, f"rule {first.rule.name!r} ({first}), which comes first"
        if matcher(first.rule) == matcher(said) and first.rule.verdict != said.verdict:
            both = f"{first.rule.verdict} there and {said.verdict} here"
            yield later, f"rule {said.name!r} contradicts {before}: the same calls, {both}"
        else:
            yield later, f"rule {said.name!r} is shadowed by {before} and matches every call that it matches"
    names: dict[str, PlacedRule] = {}
    for placed in layer.rules:
        before_it = names.setdefault(placed.rule.name, placed)
        if before_it is not placed:
            yield (
                placed,
                f"rule {placed.rule.name!r} has the name of another one ({before_it}); give it its own",
            )


def _between(layer: Layer, layers: Sequence[Layer]) -> Iterator[tuple[PlacedRule, str]]:
    """Rules that another layer makes void. Those that came with the product are everybody's and left out."""
    if layer.origin == "bundled":
        return
    for placed in layer.rules:
        if layer.loosens and placed.own:
            continue
        for other in layers:
            if other is not layer and (by := _void(placed.rule, other)):
                yield placed, f"rule {placed.rule.name!r} is void: {_how(placed.rule, by)}"


def _void(rule: Rule, other: Layer) -> PlacedRule | None:
    """The rule of another layer that certainly matches every call that this one matches, if it and all that
    stand before it there win over this one."""
    for placed in other.rules:
        if not _wins(placed.rule, rule):
            return None
        if placed.rule.covers(rule):
            return placed
    return None


def _wins(one: Rule, over: Rule) -> bool:
    return STRICTNESS[one.verdict] > STRICTNESS[over.verdict] or _apart(one, over)


def _apart(one: Rule, other: Rule) -> bool:
    """Whether both ask for roles and share none."""
    return bool(one.roles and other.roles) and not set(one.roles) & set(other.roles)


def _how(rule: Rule, by: PlacedRule) -> str:
    if _apart(by.rule, rule):
        mine, theirs = " or ".join(rule.roles), " or ".join(by.rule.roles)
        return f"it wants the role {mine}, rule {by.rule.name!r} ({by}) wants {theirs}, so nobody can approve"
    return f"rule {by.rule.name!r} ({by}) matches every such call and says {by.rule.verdict}"
