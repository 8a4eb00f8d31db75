"""From where a host is asked: what only a cluster knows is asked from its nodes, all else from here."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

from opssquad import Json, Network, Ref, Result, Signal

from .._addresses import is_address
from ._told import MOST as MOST_LINES

HERE, HERE_TOLD = "", "here"
"""The place that is here, and what results call it: one may be asked for by either."""
MOST = 12
"""Places that are asked side by side."""
LINES = 5
"""Lines that each of several places is told in, where there is room for so many."""
INSIDE = ("Service", "Pod")
ENDS = (".svc", ".cluster.local")
OneNode = Annotated[str, "node/NAME or here; empty for here, and for what is of the cluster a node"]
EveryNode = Annotated[str, "node/NAME or here; empty for here, and for what is of the cluster every node"]
"""The argument `origin` of probes that one place makes, and of those that are worth making from each."""
From = Callable[[str], Awaitable[Result]]
"""What one place shows."""


def places(network: Network, about: Ref, host: str, origin: str) -> list[str]:
    """From where to ask: the place that is named, else every node for what is of the cluster, else here. None
    for a name that the cluster alone resolves where nothing probes from inside."""
    if origin:
        return [named(origin)]
    name = host.rstrip(".").lower()
    of_cluster = about.kind in INSIDE or name.endswith(ENDS)
    inside = [each for each in network.origins() if each.startswith("node/")]
    if of_cluster and inside:
        return inside
    return [] if of_cluster and not is_address(name) else [HERE]


def named(origin: str) -> str:
    """A place by the name that probes have for it."""
    return HERE if origin == HERE_TOLD else origin


async def from_one(where: Sequence[str], host: str, ask: From) -> Result:
    """What the first of these places shows; without any, why nothing was sent."""
    return await ask(where[0]) if where else _unknown(host)


async def from_each(where: Sequence[str], about: Ref, host: str, ask: From) -> Result:
    """What each of these places shows, asked side by side; those beyond 12 are counted."""
    if len(where) < 2:
        return await from_one(where, host, ask)
    asked = where[:MOST]
    found = dict(zip(asked, await asyncio.gather(*map(ask, asked)), strict=True))
    signals = _of_all(found, about)
    text = [*_differing(found), *_told_of(found), *_left(where[MOST:])]
    return Result(
        text="\n".join(text),
        sources=tuple(quote for each in found.values() for quote in each.sources),
        data={
            "places": {place or HERE_TOLD: dict(each.data) for place, each in found.items()},
            **_unasked([each.data for each in found.values()]),
        },
        signals=signals,
        commands=next(iter(found.values())).commands,
    )


def _differing(found: Mapping[str, Result]) -> list[str]:
    """Which places show what, where it is not the same from all."""
    alike: dict[str, list[str]] = {}
    for place, each in found.items():
        alike.setdefault(_outcome(each), []).append(place or HERE_TOLD)
    told = "; ".join(f"{', '.join(places)}: {outcome}" for outcome, places in alike.items())
    return [f"Places differ. {told}"] if len(alike) > 1 else []


def _outcome(result: Result) -> str:
    if result.signals:
        return ", ".join(sorted({each.id for each in result.signals}))
    ends = ", ".join(result.data.get("ends") or [result.data.get("end", "ok")])
    return f"some {ends}" if result.data.get("ok") and result.data.get("ends") else ends


def _told_of(found: Mapping[str, Result]) -> list[str]:
    # Two lines are for what is said of all places, and one of each for how many more it has.
    most = min(LINES, (MOST_LINES - 2) // len(found) - 1)
    return [line for place, each in found.items() for line in _lines(place or HERE_TOLD, each, most)]


def _lines(place: str, result: Result, most: int) -> list[str]:
    first, *told = result.text.splitlines()
    rest = len(told) + 1 - most
    more = [f"  … {rest} more lines with origin={place}"] if rest > 0 else []
    return [f"From {place}: {first}", *(f"  {line}" for line in told[: most - 1]), *more]


def _left(places: Sequence[str]) -> list[str]:
    if not places:
        return []
    return [f"Places that were not asked: {len(places)} more; origin={places[0]} asks one of them."]


def _of_all(found: Mapping[str, Result], about: Ref) -> tuple[Signal, ...]:
    """The signals of all places. A loss that every place sees is none of any place's own."""
    losses = [place for place, each in found.items() if any(s.id == "net.loss" for s in each.signals)]
    seen = [signal for each in found.values() for signal in each.signals]
    if len(losses) < len(found):
        return tuple(seen)
    return tuple(
        each.model_copy(update={"entity": about, "data": {**each.data, "node": ""}})
        if each.id == "net.loss"
        else each
        for each in seen
    )


def _unknown(host: str) -> Result:
    return Result(
        text=f"{host} is a name of the cluster, known inside of it alone, and nothing probes from there:"
        " nothing was sent. `path` tells what the cluster itself says of it.",
        data={"unasked": [{"what": host, "why": "nothing probes from inside of the cluster"}]},
    )


def _unasked(places: Sequence[Mapping[str, Any]]) -> Json:
    """That no place asked anybody."""
    told = [each.get("unasked") for each in places]
    return {"unasked": [one for each in told for one in each or ()]} if all(told) else {}
