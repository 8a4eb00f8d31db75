"""Whether anybody answers at the addresses that DNS servers give, where they give different ones."""

import asyncio
from collections.abc import Sequence

from opssquad import Network, answers, asks

from .signals.dns import ADDRESSES, odd, values

PORTS = (443, 80)
"""Where most that has a name listens; a refusal tells as well that somebody is there."""
MOST = 6
"""Addresses that are tried."""
SECONDS = 2.0


async def connections(
    network: Network, found: Sequence[answers.Resolved], origin: str
) -> list[answers.Connected]:
    """A connection to each address that only some of the servers give; nothing where they agree, or where it
    is clear without whose answer is the odd one."""
    given = [set(values(each)) for each in found if each.status and each.ask.type in ADDRESSES]
    if len(given) < 2 or odd(found):
        return []
    apart = sorted(set[str]().union(*given) - given[0].intersection(*given))[:MOST]
    wanted = [
        asks.Connect(host=each, port=port, origin=origin, seconds=SECONDS) for each in apart for port in PORTS
    ]
    return list(await asyncio.gather(*map(network.connect, wanted)))
