"""The tools `connect` and `ping`: whether a host answers, how fast, and how much is lost on the way."""

import shlex
from collections.abc import Sequence
from typing import Annotated

from opssquad import Cluster, Network, Ref, Result, Signal, asks, probe_source, series, tool

from ._origins import EveryNode, from_each, places
from ._placed import placed
from ._subject import subject
from ._told import barred, told
from .signals.series import ENOUGH, Probe, first_of_each_end, rationed, several
from .signals.tcp import connected

SHORT = 0.9
"""Seconds for each connection of a series: TCP sends again after 1 s, so that within less every packet that
is lost shows."""
GAP = 0.1
"""Seconds between echoes: hosts that answer so many a second take a burst for an attack."""

ALIKE = ("denied", "not_possible", "not_recorded", "unresolved")
"""Ends that a second try has as well."""


@tool(effect="read")
async def connect(
    network: Network,
    cluster: Cluster | None,
    host: Annotated[str, "name or address"],
    port: asks.Port,
    times: Annotated[asks.Times, "more than 1 tells loss and percentiles; loss from 10 on"] = 1,
    origin: EveryNode = "",
) -> Result:
    """Open TCP connections and close them: open, refused, timeout or unreachable, and how long it took."""
    about = await subject(cluster, host)

    async def one(place: str) -> Result:
        ask = asks.Connect(host=host, port=port, origin=place)
        return await _connected(network, cluster, about, ask, times)

    return await from_each(places(network, about, host, origin), about, host, one)


async def _connected(
    network: Network, cluster: Cluster | None, about: Ref, ask: asks.Connect, times: int
) -> Result:
    first = await network.connect(ask)
    command = shlex.join(["nc", "-vz", "-w", f"{ask.seconds:g}", ask.host, str(ask.port)])
    if times == 1 or first.end in ALIKE:
        signals = await placed(cluster, first, connected(first, about))
        return Result(
            text=told([first], signals),
            sources=(probe_source(first),),
            data={"end": first.end, "ms": round(first.ms, 1), "address": first.address, **barred([first])},
            signals=signals,
            commands=(command,),
        )
    # Looked up once: a lookup that is lost or late must not count for the way to the host.
    short = ask.model_copy(update={"seconds": SHORT, "address": first.address})
    found = [first, *await series.repeated(network.connect, short, times - 1, at_once=True)]
    signals = await placed(cluster, first, several(found, about))
    return _of_series(found, signals, _notes(found), command)


@tool(effect="read")
async def ping(
    network: Network,
    cluster: Cluster | None,
    host: Annotated[str, "name or address"],
    times: Annotated[asks.Times, "echoes; loss is told from 10 on"] = 5,
    origin: EveryNode = "",
) -> Result:
    """Send echoes to a host: loss, percentiles, jitter. That none comes back may be a firewall's doing."""
    about = await subject(cluster, host)

    async def one(place: str) -> Result:
        return await _echoed(network, cluster, about, asks.Echo(host=host, origin=place, seconds=5), times)

    return await from_each(places(network, about, host, origin), about, host, one)


async def _echoed(
    network: Network, cluster: Cluster | None, about: Ref, ask: asks.Echo, times: int
) -> Result:
    first = await network.echo(ask)
    short = ask.model_copy(update={"seconds": 1, "address": first.address})
    found = [first]
    if times > 1 and first.end not in ALIKE:
        found += await series.repeated(network.echo, short, times - 1, GAP)
    signals = await placed(cluster, found[0], several(found, about, silence=False))
    notes = _notes(found)
    if all(each.end == "timeout" for each in found):
        notes.append("No echo came back: many firewalls drop them; `connect` to a port tells more.")
    command = shlex.join(["ping", "-c", str(times), ask.host])
    return _of_series(found, signals, notes, command)


def _notes(found: Sequence[Probe]) -> list[str]:
    spread = series.spread(found)
    some = 0 < spread.lost < spread.sent
    notes = [spread.line()]
    if some and rationed(found):
        notes.append("Asked by UDP, which hosts answer a few times, then once a second: it tells no loss.")
    elif some and spread.sent < ENOUGH:
        notes.append(f"Too few to tell a loss: ask {ENOUGH} times or more.")
    return notes


def _of_series(
    found: Sequence[Probe], signals: tuple[Signal, ...], notes: Sequence[str], command: str
) -> Result:
    spread = series.spread(found)
    data = {
        "sent": spread.sent, "ok": spread.good, "loss": spread.loss, "ends": dict(spread.ends),
        "p50": round(spread.p50, 1), "p95": round(spread.p95, 1), "max": round(spread.most, 1),
        **barred(first_of_each_end(found)),
    }  # fmt: skip
    return Result(
        text=told(first_of_each_end(found), signals, notes),
        sources=(series.source(found),),
        data=data,
        signals=signals,
        commands=(command,),
    )
