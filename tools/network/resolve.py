"""The tool `resolve`: what DNS servers say of a name, compared with one another and with the cluster."""

import asyncio
import shlex
from collections.abc import Sequence
from typing import Annotated

from opssquad import Cluster, Json, Network, Ref, Result, Signal, ToolError, answers, asks, probe_source, tool

from .._kube import dig
from ._alive import connections
from ._authority import keepers
from ._origins import HERE, OneNode, from_one, places
from ._placed import placed
from ._subject import subject
from ._told import barred, told
from .signals.dns import address, differ, slowly, unresolved, values, wrong

MOST = 5
"""Servers that one question is put to."""
OWN, AUTHORITY = "own", "authority"


@tool(effect="read")
async def resolve(
    network: Network,
    cluster: Cluster | None,
    name: Annotated[str, "host name, or an address with type PTR; with a final dot no search path is used"],
    type: asks.RecordType = "A",
    servers: Annotated[
        str, "addresses, `own` (resolvers), `authority` (of the zone); by comma; empty: own"
    ] = "",
    origin: OneNode = "",
) -> Result:
    """Ask DNS for a name: records, TTLs, status, search path; several servers are compared, and a Service's
    name with its clusterIP."""
    about = await subject(cluster, name)

    async def one(place: str) -> Result:
        asked = await _servers(network, servers, name, place)
        lookups = [asks.Lookup(name=name, type=type, server=each, origin=place) for each in asked]
        return await _resolved(network, cluster, about, lookups)

    # Whoever names a server may ask it for any name, from anywhere.
    by_server = bool(set(_words(servers)) - {OWN, AUTHORITY})
    where = [HERE] if by_server and not origin else places(network, about, name, origin)
    return await from_one(where, name, one)


async def _resolved(
    network: Network, cluster: Cluster | None, about: Ref, lookups: Sequence[asks.Lookup]
) -> Result:
    found = await asyncio.gather(*map(network.lookup, lookups))
    known = await _known(cluster, about)
    signals: list[Signal] = []
    notes: list[str] = []
    judged: list[answers.Resolved] = []
    for each in found:
        if known and each.status and known.elsewhere(each.server):
            notes.append(f"{each.server} is not the cluster's DNS: it need not know Service {known.name}")
            continue
        judged.append(each)
        signals += unresolved(each, about, await subject(cluster, address(each.server or each.ask.server)))
        signals += slowly(each, about)
        if known and await subject(cluster, each.name) == about:
            signals += wrong(each, known.ref, known.addresses)
    reached = await connections(network, judged, lookups[0].origin)
    signals += differ(judged, about, reached)
    seen = await placed(cluster, found[0], signals)
    return Result(
        text=told(found, seen, notes),
        sources=(*map(probe_source, found), *map(probe_source, reached)),
        data={"answers": [_data(each) for each in found], **barred(found)},
        signals=seen,
        commands=tuple(_line(each) for each in found),
    )


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(each.strip() for each in text.split(",") if each.strip())) or [OWN]


async def _servers(network: Network, text: str, name: str, origin: str) -> list[str]:
    """Whom to ask; "" where the resolvers of the place are asked in turn, as it has but one, or none is
    known."""
    found: list[str] = []
    for word in _words(text):
        if word == OWN:
            own = network.resolvers(origin)
            found += own[:MOST] if len(own) > 1 else [""]
        else:
            found += await keepers(network, name, origin) if word == AUTHORITY else [word]
    if len(found) > MOST and {OWN, AUTHORITY}.isdisjoint(_words(text)):
        raise ToolError(f"{len(found)} servers are too many for one question: name at most {MOST}")
    return list(dict.fromkeys(found))[:MOST] or [""]


class _Service:
    """What the cluster says of the Service that a name belongs to."""

    def __init__(self, ref: Ref, addresses: tuple[str, ...], dns: frozenset[str]) -> None:
        self.ref, self.addresses, self._dns = ref, addresses, dns
        self.name = f"{ref.namespace}/{ref.name}"

    def elsewhere(self, server: str) -> bool:
        """Whether a server is known not to be the cluster's own DNS."""
        return bool(self._dns) and bool(server) and address(server) not in self._dns


async def _known(cluster: Cluster | None, about: Ref) -> _Service | None:
    if cluster is None or about.kind != "Service":
        return None
    try:
        service, systems = await asyncio.gather(
            cluster.get("Service", about.name, about.namespace),
            cluster.list("Service", "kube-system", labels="k8s-app=kube-dns"),
        )
    except ToolError:
        # Whoever may not read them gets the servers' answers all the same.
        return None
    dns = frozenset(each for system in systems for each in _addresses(system))
    return _Service(about, _addresses(service), dns)


def _addresses(service: Json) -> tuple[str, ...]:
    """The addresses of a Service; none for a headless one, and for one that is another name."""
    given = dig(service, "spec", "clusterIPs", default=None) or [dig(service, "spec", "clusterIP")]
    return tuple(str(each) for each in given if each and each != "None")


def _data(answer: answers.Resolved) -> Json:
    told_ = {"server": answer.server, "status": answer.status or answer.end, "name": answer.name}
    return told_ | {"values": list(values(answer))}


def _line(answer: answers.Resolved) -> str:
    ask = answer.ask
    server = address(ask.server)
    port = ask.server.removeprefix(f"[{server}]").removeprefix(server).lstrip(":")
    at = [f"@{server}", *(["-p", port] if port else [])] if server else []
    words = ["-x", ask.name] if ask.type == "PTR" else ["+search", ask.name, ask.type]
    return shlex.join(["dig", *at, *words])
