"""What a name that did not resolve says of the cluster's DNS: whether its Service exists, who should know.

Read only where a log tells of such a name.
"""

import asyncio
from collections.abc import Iterable

from opssquad import Cluster, Json, Quote, Ref, Signal, ToolError

from ._kube import quote_at, ref, source
from ._rights import visible
from .signals._scene import Scene
from .signals.dns import NAMESPACES, behind_dns, dns_services

MOST = 3
"""Names of which it is looked up whether they exist."""


async def resolving(cluster: Cluster, told: Iterable[Signal]) -> tuple[list[Signal], tuple[Quote, ...]]:
    """The signals of a log, those of unresolved cluster names with more: whether the Service `exists`, and
    where that or the manner of failing points at it, the workload that is the cluster's `dns`."""
    signals = list(told)
    asked = [each for each in signals if each.id == "log.unresolved" and each.data.get("service")]
    if not asked:
        return signals, ()
    names = list(dict.fromkeys(str(each.data["service"]) for each in asked))[:MOST]
    dns, found = await asyncio.gather(
        _dns(cluster), asyncio.gather(*(_exists(cluster, Ref.parse(each)) for each in names))
    )
    known = dict(zip(names, found, strict=True))
    sources = tuple(source(each) for each in found if isinstance(each, dict))
    return [_more(each, known, dns) if each in asked else each for each in signals], sources


async def _exists(cluster: Cluster, address: Ref) -> Json | bool | None:
    """The Service; False where there is none, None where that cannot be told."""
    try:
        return await cluster.find("Service", address.name, address.namespace) or False
    except ToolError:
        return None


async def _dns(cluster: Cluster) -> Ref | None:
    """The workload behind the cluster's DNS, or its Service; None where neither can be seen."""
    kinds = ("Service", "Deployment", "DaemonSet")
    listed = await asyncio.gather(*(visible(cluster, kind, NAMESPACES[0]) for kind in kinds))
    scene = Scene(cluster.now(), [each for some in listed for each in some or ()])
    for service in dns_services(scene):
        return ref(behind_dns(service, scene) or service)
    return None


def _more(signal: Signal, known: dict[str, Json | bool | None], dns: Ref | None) -> Signal:
    service = known.get(str(signal.data["service"]))
    data = {**signal.data, "used_by": [str(signal.owner)]}
    quotes = signal.quotes
    text = signal.text
    if service is not None:
        data["exists"] = bool(service)
    if isinstance(service, dict):
        quotes = (*quotes, quote_at(service, "metadata", "name"))
        text = f"{text}; Service {service['metadata']['name']} exists"
    if dns and signal.owner != dns and (service or signal.data["how"] == "no_answer"):
        data["dns"] = str(dns)
    return signal.model_copy(update={"data": data, "quotes": quotes, "text": text})
