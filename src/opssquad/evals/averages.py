"""Shares, means and spreads of many runs, with 95 % intervals. Pure.

Runs come in groups, one for each recording: those of one recording are not independent.
"""

import statistics
from collections.abc import Sequence

from opssquad.evals.intervals import bootstrap, percentile, pooled, share_interval, wilson
from opssquad.types import Value


class Share(Value):
    """`right` of `of` runs; share and its 95 % interval between 0 and 1, None where `of` is zero."""

    right: int = 0
    of: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        """The figure itself, 0 to 1, as `Mean` has it too."""
        return self.share

    @property
    def counted(self) -> str:
        """`189 of 313`."""
        return f"{self.right} of {self.of}"


class Mean(Value):
    """The mean of `of` values with its 95 % interval; None where there is none."""

    of: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        """The figure itself, 0 to 1, as `Share` has it too."""
        return self.mean

    @property
    def counted(self) -> str:
        """Of how many runs it is: `50 runs`."""
        return f"{self.of} runs"


class Spread(Value):
    """How a cost spreads over `of` runs, in its own unit; None where nobody counted it."""

    of: int = 0
    median: float | None = None
    p90: float | None = None
    total: float | None = None
    most: float | None = None


def share_of(groups: Sequence[Sequence[bool]]) -> Share:
    """How many of them hold."""
    of = sum(map(len, groups))
    if not of:
        return Share()
    right = sum(map(sum, groups))
    low, high = share_interval(groups)
    return Share(right=right, of=of, share=right / of, low=low, high=high)


def mean_of(groups: Sequence[Sequence[float]]) -> Mean:
    """The mean of all values; its interval draws groups. Where all values are 0, or all 1, a draw has no
    width, and it is Wilson's over the groups."""
    of = sum(map(len, groups))
    if not of:
        return Mean()
    mean = sum(map(sum, groups)) / of
    if mean in (0, 1):
        low, high = wilson(mean * len(groups), len(groups))
    else:
        low, high = bootstrap([(sum(g), len(g)) for g in groups], pooled) or (0.0, 1.0)
    return Mean(of=of, mean=mean, low=min(low, mean), high=max(high, mean))


def spread_of(values: Sequence[float]) -> Spread:
    """How they spread."""
    if not values:
        return Spread()
    return Spread(
        of=len(values),
        median=statistics.median(values),
        p90=percentile(values, 0.9),
        total=sum(values),
        most=max(values),
    )
