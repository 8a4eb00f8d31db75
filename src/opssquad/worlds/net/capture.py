"""Reads a live network as a recording keeps it: what it was asked, and what it answered."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from opssquad.documents import yaml_text
from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.material import Probed, line, probed
from opssquad.worlds.net.network import Backend
from opssquad.worlds.net.recorded import PROBES, TOLD

AT_ONCE = 8
"""Probes under way at a time."""


async def read_network(backend: Backend, asked: Sequence[asks.Ask]) -> list[answers.Answer]:
    """The answers to probes, in their order. The same one asked again is asked when it was answered. Raises
    ToolError for what cannot be asked at all."""
    places = backend.origins()
    for ask in asked:
        if ask.origin not in places:
            raise ToolError(f"nothing probes from {ask.origin!r} here")
    turns, queues = asyncio.Semaphore(AT_ONCE), {asks.key(ask): asyncio.Lock() for ask in asked}

    async def one(ask: asks.Ask) -> answers.Answer:
        async with queues[asks.key(ask)], turns:
            return await backend.probe(ask)

    return list(await asyncio.gather(*(one(ask) for ask in asked)))


def files(
    places: dict[str, str], found: Sequence[answers.Answer], clock: datetime, clean: Callable[[Json], Json]
) -> Iterator[tuple[str, bytes]]:
    """The files of a network part, by path below the recording's folder; `clean` takes secrets out."""
    told = {"origins": [{"name": name, "says": says} for name, says in places.items()]}
    yield TOLD, yaml_text(told).encode()
    lines = (
        line(Probed(clean(each.answer), each.at, each.ahead)) for each in (probed(a, clock) for a in found)
    )
    yield PROBES, "".join(f"{each}\n" for each in lines).encode()
