"""The same probe several times, and what its answers have in common: loss, and how the times spread."""

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from opssquad.errors import ToolError
from opssquad.findings import Quote
from opssquad.together import together
from opssquad.worlds.net.answers import Answer, End
from opssquad.worlds.net.asks import Ask
from opssquad.worlds.net.telling import lines, place

A = TypeVar("A", bound=Ask)
B = TypeVar("B", bound=Answer)
MOST = 20
"""Probes of one series: enough to tell a loss of 15 % from none, and no load."""
NOTHING: frozenset[End] = frozenset({"timeout"})
"""Ends of a probe that nothing came back for. A refusal is an answer: packets pass both ways."""


@dataclass(frozen=True)
class Spread:
    """What came of several probes. `ends` counts those that did not end well, by how; `lost` those that
    nothing came back for, `loss` their percentage of all. Times are milliseconds of those that ended well,
    0 without any: `p50` and `p95` by nearest rank, `jitter` the mean difference of one to the next."""

    sent: int
    ends: dict[End, int]
    lost: int
    loss: float
    least: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    most: float = 0.0
    jitter: float = 0.0

    @property
    def good(self) -> int:
        """How many ended well."""
        return self.sent - sum(self.ends.values())

    def line(self) -> str:
        """All of it in a line."""
        failed = ", ".join(f"{count} {end.replace('_', ' ')}" for end, count in sorted(self.ends.items()))
        said = f"{self.good} of {self.sent} ok" + (f" ({failed})" if failed else "")
        if not self.good:
            return f"{said}, loss {self.loss:g} %"
        times = f"min {self.least:.1f} p50 {self.p50:.1f} p95 {self.p95:.1f} max {self.most:.1f} ms"
        return f"{said}, loss {self.loss:g} %, {times}, jitter {self.jitter:.1f} ms"


def spread(answers: Sequence[Answer]) -> Spread:
    """What answers to the same probe have in common; pure. Raises ValueError without any."""
    if not answers:
        raise ValueError("no answers to tell anything of")
    ends: Counter[End] = Counter(each.end for each in answers if each.end != "ok")
    lost = sum(count for end, count in ends.items() if end in NOTHING)
    loss = round(100 * lost / len(answers), 1)
    times = [each.ms for each in answers if each.end == "ok"]
    if not times:
        return Spread(len(answers), dict(ends), lost, loss)
    steps = [abs(later - before) for before, later in itertools.pairwise(times)]
    return Spread(
        len(answers),
        dict(ends),
        lost,
        loss,
        least=min(times),
        p50=percentile(times, 50),
        p95=percentile(times, 95),
        most=max(times),
        jitter=sum(steps) / len(steps) if steps else 0.0,
    )


def percentile(times: Sequence[float], percent: float) -> float:
    """The value that so many percent are not above, by nearest rank."""
    return sorted(times)[max(math.ceil(percent / 100 * len(times)), 1) - 1]


async def repeated(
    probe: Callable[[A], Awaitable[B]], ask: A, times: int, gap: float = 0.0, *, at_once: bool = False
) -> list[B]:
    """Ask so many times, one after another with `gap` seconds between, or all at once; the answers in the
    order of the asking. Raises ToolError for less than one or more than 20."""
    if not 1 <= times <= MOST:
        raise ToolError(f"a probe is repeated 1 to {MOST} times, not {times}")
    found: dict[int, B] = {}

    async def one(number: int) -> None:
        found[number] = await probe(ask)

    if at_once:
        await together(one(number) for number in range(times))
        return [found[number] for number in range(times)]
    for number in range(times):
        if number:
            await asyncio.sleep(gap)
        await one(number)
    return list(found.values())


def source(answers: Sequence[Answer]) -> Quote:
    """A series as a place that can be quoted: the first line of each answer, and what they have in common."""
    text = [lines(each)[0] for each in answers]
    return Quote(locator=_place(answers), text="\n".join([*text, spread(answers).line()]))


def quote(answers: Sequence[Answer]) -> Quote:
    """What the answers have in common, as a line of that source."""
    return Quote(locator=_place(answers), text=spread(answers).line())


def _place(answers: Sequence[Answer]) -> str:
    return f"{place(answers[0].ask)}, {len(answers)} times"
