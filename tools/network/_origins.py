"""From where a host is asked: what only a cluster knows is asked from its nodes, all else from here."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from opssquad import Json, Network, Ref, Result, Signal

HERE = ""
MOST = 12
"""Places that are asked side by side."""
LINES = 5
"""Lines that each of several places is told in."""
INSIDE = ("Service", "Pod")
ENDS = (".svc", ".cluster.local")
From = Callable[[str], Awaitable[Result]]
"""What one place shows."""


def places(network: Network, about: Ref, host: str, origin: str) -> list[str]:
    """From where to ask: the place that is named, else every node for what is of the cluster, else here. None
    for a name that the cluster alone resolves where nothing probes from inside."""
    if origin:
        return [origin]
    name = host.rstrip(".").lower()
    of_cluster = about.kind in INSIDE or name.endswith(ENDS)
    inside = [each for each in network.origins() if each.startswith("node/")]
    if of_cluster and inside:
        return inside[:MOST]
    return [] if of_cluster and not _is_address(name) else [HERE]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


async def from_one(where: Sequence[str], host: str, ask: From) -> Result:
    """What the first of these places shows; without any, why nothing was sent."""
    return await ask(where[0]) if where else _unknown(host)


async def from_each(where: Sequence[str], about: Ref, host: str, ask: From) -> Result:
    """What each of these places shows, asked side by side."""
    if len(where) < 2:
        return await from_one(where, host, ask)
    found = dict(zip(where, await asyncio.gather(*map(ask, where)), strict=True))
    signals = _of_all(found, about)
    text = [line for place, each in found.items() for line in _lines(place, each)]
    return Result(
        text="\n".join(text),
        sources=tuple(quote for each in found.values() for quote in each.sources),
        data={
            "places": {place or "here": dict(each.data) for place, each in found.items()},
            **_unasked([each.data for each in found.values()]),
        },
        signals=signals,
        commands=next(iter(found.values())).commands,
    )


def _lines(place: str, result: Result) -> list[str]:
    told = result.text.splitlines()
    more = [f"  … {len(told) - LINES} more lines with origin={place or 'here'}"] if len(told) > LINES else []
    return [f"From {place or 'here'}:", *(f"  {line}" for line in told[:LINES]), *more]


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
