"""The tool `trace`: the hops to a host, and the largest packet that passes whole."""

import shlex
from typing import Annotated

from opssquad import Cluster, Network, Ref, Result, asks, probe_source, tool

from ._origins import OneNode, from_one, places
from ._placed import placed
from ._subject import subject
from ._told import barred, told
from .signals.tcp import traced


@tool(effect="read")
async def trace(
    network: Network,
    cluster: Cluster | None,
    host: Annotated[str, "name or address"],
    port: Annotated[asks.AnyPort, "TCP port to trace to; 0 for UDP, as traceroute does"] = 0,
    origin: OneNode = "",
) -> Result:
    """Trace the way to a host hop by hop: who answers, who refuses, and how large packets may be."""
    about = await subject(cluster, host)

    async def one(place: str) -> Result:
        return await _traced(network, cluster, about, asks.Trace(host=host, port=port, origin=place))

    return await from_one(places(network, about, host, origin), host, one)


async def _traced(network: Network, cluster: Cluster | None, about: Ref, ask: asks.Trace) -> Result:
    answer = await network.trace(ask)
    signals = await placed(cluster, answer, traced(answer, about))
    notes = []
    if answer.end == "ok" and not answer.reached:
        last = next((hop for hop in reversed(answer.hops) if hop.address), None)
        where = f" behind hop {last.number}, {last.address}" if last else ""
        notes.append(f"Nothing answered{where}: it is lost there, or dropped by who says nothing.")
    if answer.reached and not answer.mtu:
        notes.append("How large packets may be is not known: the host answers no UDP.")
    by_tcp = ["-T", "-p", str(ask.port)] if ask.port else []
    return Result(
        text=told([answer], signals, notes),
        sources=(probe_source(answer),),
        data={
            "end": answer.end, "reached": answer.reached, "mtu": answer.mtu,
            "hops": [hop.address for hop in answer.hops],
            **barred([answer]),
        },
        signals=signals,
        commands=(shlex.join(["traceroute", "-n", *by_tcp, ask.host]),),
    )  # fmt: skip
