"""Signals of probes as others read them: who asked, which Service was asked, where a certificate is kept."""

from collections.abc import Iterable

from opssquad import Cluster, Json, Ref, Signal, ToolError, answers

from .._kube import dig
from ._subject import behind
from .signals.dns import address as bare
from .signals.ends import origin

APART = ("host", "port", "origin", "server", "type", "why", "part")
"""What tells signals of one name about one thing apart."""
NAMELESS = ("NXDOMAIN", "NODATA")


async def placed(
    cluster: Cluster | None, answer: answers.Answer, signals: Iterable[Signal]
) -> tuple[Signal, ...]:
    """The signals with `owner` who asked, and in their data what a catalogue links by: `about` (what was
    asked), `through` (the workloads behind its address), `service`, `kept_in` (the Secret of the
    certificate), for names `how` and `exists` as logs do."""
    asked_by = origin(answer)
    return tuple([await _one(cluster, asked_by, each) for each in signals])


async def _one(cluster: Cluster | None, asked_by: Ref, signal: Signal) -> Signal:
    data = dict(signal.data) | {"message": signal.text}
    data["key"] = " ".join(str(data[each]) for each in APART if each in data)
    about = signal.entity
    if about.kind == "Service":
        data["service"] = [str(about)]
    data |= {"about": str(about), "through": await behind(cluster, str(data.get("address", "")))}
    if signal.id == "net.unresolved":
        data |= _unresolved(data, about)
        data["dns"] = await behind(cluster, bare(str(data.get("server", ""))))
    if signal.id.endswith(".certificate") and cluster and about.kind == "Ingress":
        data |= await _kept(cluster, about, str(data.get("host", "")))
    return signal.model_copy(update={"data": data, "owner": asked_by})


def _unresolved(data: Json, about: Ref) -> Json:
    gone = data.get("status") in NAMELESS
    return {"how": "not_found" if gone else "no_answer", "exists": about.kind == "Service"}


async def _kept(cluster: Cluster, about: Ref, host: str) -> Json:
    try:
        ingress = await cluster.get("Ingress", about.name, about.namespace)
    except ToolError:
        # The certificate was seen; where it is kept is not known to who may not read it.
        return {}
    for tls in dig(ingress, "spec", "tls", default=()):
        if tls.get("secretName") and host in (tls.get("hosts") or [host]):
            return {"kept_in": str(Ref(kind="Secret", namespace=about.namespace, name=tls["secretName"]))}
    return {}
