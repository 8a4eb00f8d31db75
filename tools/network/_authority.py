"""The servers that keep the zone of a name: what they say is so, whatever others remember."""

import asyncio

from opssquad import Network, answers, asks

ZONES = 4
"""Zones above a name that are looked for, from the name itself up; the last has two labels."""
KEEPERS = 2
"""Servers of a zone that are asked."""


async def keepers(network: Network, name: str, origin: str) -> list[str]:
    """Their addresses; none where no zone tells its servers."""
    labels = name.rstrip(".").split(".")
    for first in range(max(len(labels) - 1, 0))[-ZONES:]:
        zone = ".".join(labels[first:])
        found = await network.lookup(asks.Lookup(name=f"{zone}.", type="NS", origin=origin))
        if names := _data(found, "NS"):
            asked = [asks.Lookup(name=each, origin=origin) for each in names[:KEEPERS]]
            told = await asyncio.gather(*map(network.lookup, asked))
            return [address for each in told for address in _data(each, "A")[:1]]
    return []


def _data(answer: answers.Resolved, type: asks.RecordType) -> list[str]:
    return [each.data for each in answer.records if each.type == type]
