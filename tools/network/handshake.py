"""The tool `tls`: one handshake, its certificates, and what is wrong with them."""

import shlex
from typing import Annotated

from opssquad import Cluster, Network, Ref, Result, asks, duration, probe_source, tool

from ._origins import OneNode, from_one, places
from ._placed import placed
from ._subject import subject
from ._told import barred, told
from .signals.tls import clock, shaken


@tool(effect="read", name="tls")
async def handshake(
    network: Network,
    cluster: Cluster | None,
    host: Annotated[str, "name or address to connect to"],
    port: asks.Port = 443,
    name: Annotated[str, "name that must be on the certificate (SNI); empty for the host"] = "",
    origin: OneNode = "",
) -> Result:
    """Do a TLS handshake: protocol, certificates with dates and names, faults, clock skew."""
    about = await subject(cluster, host)

    async def one(place: str) -> Result:
        return await _shaken(
            network, cluster, about, asks.Shake(host=host, port=port, name=name, origin=place)
        )

    return await from_one(places(network, about, host, origin), host, one)


async def _shaken(network: Network, cluster: Cluster | None, about: Ref, ask: asks.Shake) -> Result:
    answer = await network.shake(ask)
    signals = await placed(cluster, answer, shaken(answer, about))
    own = answer.chain[0] if answer.chain else None
    notes = []
    if own and own.not_after and own.not_after > clock(answer):
        notes.append(
            f"The server's certificate is valid for another {duration(own.not_after - clock(answer))}."
        )
    return Result(
        text=told([answer], signals, notes),
        sources=(probe_source(answer),),
        data={
            "end": answer.end, "protocol": answer.protocol, "faults": list(answer.faults),
            "not_after": own.not_after.isoformat() if own and own.not_after else "",
            **barred([answer]),
        },
        signals=signals,
        commands=(_line(ask.host, ask.port, ask.name),),
    )  # fmt: skip


def _line(host: str, port: int, name: str) -> str:
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return shlex.join(["openssl", "s_client", "-connect", at, "-servername", name or host, "-showcerts"])
