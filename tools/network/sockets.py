"""The tool `sockets`: what the kernel of a place says of its sockets and its tables of connections."""

from typing import Annotated

from opssquad import Cluster, Network, Result, asks, probe_source, tool

from ._placed import placed
from ._told import told
from .signals.kernel import sockets as seen


@tool(effect="read")
async def sockets(
    network: Network,
    cluster: Cluster | None,
    origin: Annotated[str, "of which place: empty for here, or node/NAME"] = "",
) -> Result:
    """Read what the kernel says of sockets: states, who listens, retransmits, conntrack, ephemeral ports."""
    answer = await network.sockets(asks.Sockets(origin=origin))
    signals = await placed(cluster, answer, seen(answer))
    return Result(
        text=told([answer], signals),
        sources=(probe_source(answer),),
        data={
            "end": answer.end, "states": answer.states,
            "conntrack": [answer.conntrack, answer.conntrack_max],
            "segments": [answer.segments_out, answer.retransmitted],
        },
        signals=signals,
        commands=("ss -s", "nstat -az TcpRetransSegs TcpOutSegs", "sysctl net.netfilter.nf_conntrack_count"),
    )  # fmt: skip
