"""Statistics of shares and costs, pure: Wilson, pass@k, the exact McNemar test, bootstrap over groups.

Groups hold what is not independent of each other, such as the runs of one recording: a group is drawn or left
as a whole. Nothing here knows a report.
"""

import math
import random
import statistics
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

Z = statistics.NormalDist().inv_cdf(0.975)
"""How many standard deviations to each side hold 95 %."""
_POWER = statistics.NormalDist().inv_cdf(0.8)
DRAWS = 2000
SEED = 20260308
"""One seed for ever: the same values give the same interval."""


def wilson(right: float, of: float) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score; `of` is above zero and may be a fraction."""
    share = right / of
    middle = share + Z * Z / (2 * of)
    half = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    whole = 1 + Z * Z / of
    # Rounding must not push an end past the share, or out of 0 to 1.
    low = 0.0 if right == 0 else min(max((middle - half) / whole, 0.0), share)
    high = 1.0 if right == of else max(min((middle + half) / whole, 1.0), share)
    return low, high


def share_interval(groups: Sequence[Sequence[bool]]) -> tuple[float, float]:
    """The 95 % interval of the share of all values: Wilson's, with as many values as the groups are worth.

    Values of one group that always agree are worth one; values that do not care for their group count each.
    The groups are not empty.
    """
    of = sum(map(len, groups))
    share = sum(map(sum, groups)) / of
    worth = effective(groups)
    return wilson(share * worth, worth)


def effective(groups: Sequence[Sequence[bool]]) -> float:
    """How many independent values the values are worth: the plain variance of their share over the one
    between groups. The number of values if every group is one value, the number of groups if all of a group
    agree; the latter also where nothing varies."""
    of, number = sum(map(len, groups)), len(groups)
    share = sum(map(sum, groups)) / of
    if share in (0, 1) or number == 1:
        return number
    off = sum((sum(group) - share * len(group)) ** 2 for group in groups)
    between = off / of**2
    return of if between == 0 else min(max(share * (1 - share) / between, 1.0), of)


def pass_at(k: int, right: int, of: int) -> float:
    """The chance that at least one of `k` runs is right, unbiased from `right` of `of`; k is at most `of`."""
    return 1 - math.comb(of - right, k) / math.comb(of, k)


def pass_all(k: int, right: int, of: int) -> float:
    """The chance that `k` runs are all right, unbiased from `right` of `of`; k is at most `of`."""
    return math.comb(right, k) / math.comb(of, k)


def bootstrap(
    groups: Sequence[T], figure: Callable[[Sequence[T]], float | None]
) -> tuple[float, float] | None:
    """The 95 % percentile interval of a figure over groups that are drawn anew, with replacement.

    Draws for which the figure is None are left out; None if that is more than half of them.
    """
    if not groups:
        return None
    draw = random.Random(SEED)
    drawn = (figure(draw.choices(groups, k=len(groups))) for _ in range(DRAWS))
    found = sorted(value for value in drawn if value is not None)
    if 2 * len(found) < DRAWS:
        return None
    last = len(found) - 1
    return found[round(0.025 * last)], found[round(0.975 * last)]


def pooled(groups: Sequence[tuple[float, int]]) -> float:
    """The mean over all values of groups, each given as the sum and the number of its values."""
    return sum(total for total, _ in groups) / sum(of for _, of in groups)


def mcnemar(better: int, worse: int) -> float:
    """The exact two-sided p of the pairs that differ, if each could have gone either way; 1 if none does."""
    of = better + worse
    tail = sum(math.comb(of, n) for n in range(min(better, worse) + 1))
    return min(1.0, tail / 2.0 ** (of - 1))


LEAST = 6
"""Pairs, all different the same way, that an exact two-sided test at 5 % takes at least: 2 * 0.5 ** 6."""


def pairs_needed(difference: float, differing: float) -> int:
    """Roughly how many pairs tell a difference of shares in four of five times, at 5 %, if that share of the
    pairs differs (Connor's formula). The difference is not zero."""
    differing = max(differing, abs(difference))
    spread = Z * math.sqrt(differing) + _POWER * math.sqrt(differing - difference**2)
    return max(math.ceil((spread / difference) ** 2), LEAST)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of the values does not exceed; the values are not empty."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]
