"""The actions of an entry as options: filled from the facts of its match, never with a value nobody knows."""

from collections.abc import Collection, Iterator, Sequence

from opssquad.diagnosis.catalogue import Remedy
from opssquad.findings import Option
from opssquad.templates import fill, fill_args, holes_of, lookup
from opssquad.types import Json


def options(actions: Sequence[Remedy], named: Collection[str], facts: Json) -> Iterator[Option]:
    """What may be done, each call once. One that a tool does is left out where its label names what is not
    known, and is left to people, in words, where a value that it takes is not."""
    made: list[tuple[str, Json]] = []
    for remedy in actions:
        if (remedy.needs and remedy.needs not in named) or remedy.unless in named:
            continue
        if remedy.tool and _nameless(remedy, facts):
            continue
        option = _option(remedy, facts)
        if not option.tool or (option.tool, option.args) not in made:
            made.append((option.tool, option.args))
            yield option


def _nameless(remedy: Remedy, facts: Json) -> bool:
    return any(lookup(facts, hole) in (None, "", []) for hole in holes_of(remedy.label, parts=False))


def _option(remedy: Remedy, facts: Json) -> Option:
    args = fill_args(remedy.args, facts) if remedy.tool else {}
    return Option(
        label=fill(remedy.label, facts),
        action=remedy.action,
        target=fill(remedy.target, facts),
        tool=remedy.tool if args is not None else "",
        args=args or {},
    )
