"""How long 20 probes at once take beyond the slowest of them: on a link that delays, else on loopback."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from opssquad.worlds.net import asks, series
from opssquad.worlds.net.answers import Answer
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.live import Live
from tests.bench.measure import Figure
from tests.network.lab import Lab, Link, link_by, why_not

PROBES = series.MOST
DELAY = 100.0
"""Milliseconds each way: as far as the other side of an ocean."""


async def over(ask: asks.Ask) -> float:
    """By how many percent a series at once takes longer than the slowest of its probes."""
    live = Live(Here())
    await live.probe(ask)
    began = time.perf_counter()
    found: list[Answer] = await series.repeated(live.probe, ask, PROBES, at_once=True)
    took = (time.perf_counter() - began) * 1000
    slowest = max(each.ms for each in found)
    return 100 * (took - slowest) / slowest


@contextmanager
def _full() -> Iterator[int]:
    """A port of this machine that drops who connects: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield int(server.getsockname()[1])


def figure(times: int) -> Figure:
    """The figure, and on what it was measured."""
    name = f"{PROBES} probes at once, beyond the slowest"
    if why_not():
        with _full() as port:
            ask = asks.Connect(host="127.0.0.1", port=port, seconds=1)
            return Figure(name, [asyncio.run(over(ask)) for _ in range(times)], "%", 10, "timeouts of 1 s")
    with Lab() as lab:
        lab.host("client")
        far = lab.host("far", Link(delay=DELAY))
        ask = asks.Connect(host=far.v4, port=9)
        values = [lab.inside("client", lambda: over(ask)) for _ in range(times)]
        return Figure(name, values, "%", 10, f"a link of {2 * DELAY:g} ms there and back, by {link_by()}")
