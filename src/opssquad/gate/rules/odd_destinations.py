"""What is odd about rules of destinations: shadowed, contradictory, void. Certain, never guessed."""

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import combinations

from opssquad.gate.rules.destinations import Destination
from opssquad.gate.rules.reading import Layer, PlacedDestination

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def odd(layers: Sequence[Layer]) -> Iterator[tuple[PlacedDestination, str]]:
    """Every rule that is odd, with why."""
    for layer in layers:
        yield from _within(layer)
        yield from _named_alike(layer)
        yield from _void(layer, layers)
        for placed in layer.destinations:
            if placed.rule.networks and all(_mapped(each) for each in placed.rule.networks):
                said = "can match nothing: an IPv4-mapped address counts as the IPv4 one; give that"
                yield placed, _about(placed.rule, said)


def _mapped(network: object) -> bool:
    return isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED)


def _about(rule: Destination, text: str) -> str:
    return f"destination {rule.name!r} {text}"


def _matcher(rule: Destination) -> dict[str, object]:
    return rule.model_dump(include={"hosts", "networks", "ports"})


def _within(layer: Layer) -> Iterator[tuple[PlacedDestination, str]]:
    shadowed: set[int] = set()
    for (_, first), (index, later) in combinations(enumerate(layer.destinations), 2):
        if index in shadowed or not first.rule.covers(later.rule):
            continue
        shadowed.add(index)
        before = f"destination {first.rule.name!r} ({first}), which comes first"
        if _matcher(first.rule) == _matcher(later.rule) and first.rule.verdict != later.rule.verdict:
            both = f"{first.rule.verdict} there and {later.rule.verdict} here"
            yield later, _about(later.rule, f"contradicts {before}: the same destinations, {both}")
        else:
            yield later, _about(later.rule, f"is shadowed by {before} and matches all that it matches")


def _named_alike(layer: Layer) -> Iterator[tuple[PlacedDestination, str]]:
    names: dict[str, PlacedDestination] = {}
    for placed in layer.destinations:
        before = names.setdefault(placed.rule.name, placed)
        if before is not placed:
            yield placed, _about(placed.rule, f"has the name of another one ({before}); give it its own")


def _void(layer: Layer, layers: Sequence[Layer]) -> Iterator[tuple[PlacedDestination, str]]:
    """Rules that allow what another layer refuses. The bundled ones are everybody's and left out."""
    if layer.origin == "bundled":
        return
    for placed in layer.destinations:
        if placed.rule.verdict == "refuse" or layer.loosens and placed.own:
            continue
        by = (_refusing(placed.rule, other) for other in layers if other is not layer)
        if found := next(filter(None, by), None):
            said = f"is void: destination {found.rule.name!r} ({found}) refuses all that it matches"
            yield placed, _about(placed.rule, said)


def _refusing(rule: Destination, other: Layer) -> PlacedDestination | None:
    for placed in other.destinations:
        if placed.rule.verdict == "allow":
            return None
        if placed.rule.covers(rule):
            return placed
    return None
