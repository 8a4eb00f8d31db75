"""Whether something fits, where not everything is known: no, maybe, yes. Pure."""

from collections.abc import Iterable
from enum import IntEnum


class Fit(IntEnum):
    """How a rule fits a call. MAYBE: it depends on what the call does not say."""

    NO = 0
    MAYBE = 1
    YES = 2


def every(fits: Iterable[Fit]) -> Fit:
    """All of them together; YES of none."""
    return min(fits, default=Fit.YES)


def either(fits: Iterable[Fit]) -> Fit:
    """Any of them; NO of none."""
    return max(fits, default=Fit.NO)
