"""Sentences with holes: `{rollout.revision}` is filled from facts; a part in `[[...]]` with an unfilled hole
is left out, so that nothing is claimed that was not seen."""

import re
from datetime import datetime
from typing import Any

from opssquad.times import clock_time
from opssquad.types import Json

HOLE = re.compile(r"\{([\w.]+)\}")
PART = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


def fill(template: str, facts: Json) -> str:
    """The sentence with its holes filled; a hole outside `[[...]]` that no fact fills reads `unknown`."""

    def part(match: re.Match[str]) -> str:
        inner = match[1]
        holes = HOLE.findall(inner)
        return _holes(inner, facts) if all(lookup(facts, h) not in (None, "", []) for h in holes) else ""

    return " ".join(_holes(PART.sub(part, template), facts).split())


def fill_all(value: Any, facts: Json) -> Any:
    """The same over a structure. A string that is one hole takes the fact's own type."""
    match value:
        case str() if whole := HOLE.fullmatch(value):
            return lookup(facts, whole[1])
        case str():
            return fill(value, facts)
        case dict():
            return {k: fill_all(v, facts) for k, v in value.items()}
        case list():
            return [fill_all(v, facts) for v in value]
        case _:
            return value


def fill_args(args: Json, facts: Json) -> Json | None:
    """The arguments of a call; one that stands in `[[...]]` is left out where nothing fills it. None where
    any other cannot be filled: such a call is not to be made."""
    found: Json = {}
    for name, value in args.items():
        whole = PART.fullmatch(value) if isinstance(value, str) else None
        if all(lookup(facts, hole) not in (None, "", []) for hole in holes_of(value)):
            found[name] = fill_all(whole[1] if whole else value, facts)
        elif not whole:
            return None
    return found


def holes_of(value: Any, *, parts: bool = True) -> list[str]:
    """The holes of a sentence or of a structure of sentences; those in `[[...]]` only with `parts`."""
    match value:
        case str():
            return HOLE.findall(value if parts else PART.sub("", value))
        case dict():
            return [hole for each in value.values() for hole in holes_of(each, parts=parts)]
        case list():
            return [hole for each in value for hole in holes_of(each, parts=parts)]
        case _:
            return []


def _holes(text: str, facts: Json) -> str:
    return HOLE.sub(lambda m: _say(lookup(facts, m[1])), text)


def lookup(facts: Json, path: str) -> Any:
    value: Any = facts
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _say(value: Any) -> str:
    """A fact as a sentence holds it: instants as UTC time, changes as `field from -> to`, or `field (now to)`
    where nobody knows what stood there before."""
    match value:
        case None:
            return "unknown"
        case datetime():
            return f"{clock_time(value)} UTC"
        case list():
            return ", ".join(_say(v) for v in value)
        case {"field": field, "from": old, "to": new}:
            return f"{field} {_or_none(old)} -> {_or_none(new)}"
        case {"field": field, "now": None}:
            return f"{field} (gone)"
        case {"field": field, "now": now}:
            return f"{field} (now {now})"
        case _:
            return str(value)


def _or_none(value: Any) -> str:
    return "(none)" if value in (None, "") else str(value)
