"""The tool `sockets`: what the kernel of a place says of its sockets and its tables of connections."""

from typing import Annotated

from opssquad import Cluster, Network, Ref, Result, asks, probe_source, tool

from ._origins import from_each, named
from ._placed import placed
from ._told import told, unasked
from .signals.kernel import sockets as seen


@tool(effect="read")
async def sockets(
    network: Network,
    cluster: Cluster | None,
    origin: Annotated[str, "node/NAME or here; empty for every place there is"] = "",
) -> Result:
    """Read what kernels say: sockets by state, listeners, retransmits, conntrack, local ports, the clock."""
    where = [named(origin)] if origin else list(network.origins())

    async def one(place: str) -> Result:
        return await _of(network, cluster, place)

    return await from_each(where, Ref(kind="Host", name="here"), "", one)


async def _of(network: Network, cluster: Cluster | None, place: str) -> Result:
    answer = await network.sockets(asks.Sockets(origin=place))
    signals = await placed(cluster, answer, seen(answer))
    return Result(
        text=told([answer], signals),
        sources=(probe_source(answer),),
        data={
            "end": answer.end, "states": answer.states,
            "conntrack": [answer.conntrack, answer.conntrack_max],
            "segments": [answer.segments_out, answer.retransmitted], **unasked([answer]),
        },
        signals=signals,
        commands=("ss -s", "nstat -az TcpRetransSegs TcpOutSegs", "sysctl net.netfilter.nf_conntrack_count"),
    )  # fmt: skip
