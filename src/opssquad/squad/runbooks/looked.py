"""What a walk that found nothing looked at, in words: a reader must be able to tell it from an all-clear."""

from collections.abc import Sequence

from opssquad.squad.runbooks.book import BEFORE, Runbook
from opssquad.squad.runbooks.passed import Passed
from opssquad.templates import fill
from opssquad.types import Json


def checks(book: Runbook, passed: Sequence[Passed], facts: Json) -> tuple[str, ...]:
    """What each look at the steady state showed, all of which are behind."""
    pairs = zip(book.checks, (p for p in passed if p.step == BEFORE), strict=True)
    return tuple(f"{look.tool}: {fill(look.say, facts)} {p.said}" for look, p in pairs)


def tools(book: Runbook, passed: Sequence[Passed]) -> tuple[str, ...]:
    """The tools that the steps looked with, each once."""
    return tuple(dict.fromkeys(book.steps[p.step].tool for p in passed if p.call and p.step in book.steps))
