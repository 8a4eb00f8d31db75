"""Which workload has which address, where a cluster is connected: a session tells its client's address."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from opssquad import Cluster, Json, Rows, Signal, ToolError

from .._kube import owner
from .._pods import is_finished, pod_addresses
from ._common import client


async def workloads_by_address(cluster: Cluster | None) -> dict[str, str]:
    """`Kind/namespace/name` of the workload by the address of each of its pods; empty where that cannot be
    seen. An address that pods of several workloads have, as on the network of a node, is nobody's."""
    if cluster is None:
        return {}
    try:
        pods = await cluster.list("Pod", keep=_slim)
    except ToolError:
        # Sessions are told without their workloads then.
        return {}
    found: dict[str, set[str]] = defaultdict(set)
    for pod in pods:
        for address in pod["addresses"]:
            found[address].add(pod["owner"])
    return {address: next(iter(owners)) for address, owners in found.items() if len(owners) == 1}


def _slim(pod: Json) -> Json | None:
    """Who answers for a pod that runs, and its addresses of both families."""
    addresses = sorted(pod_addresses(pod))
    if not addresses or is_finished(pod):
        return None
    return {"owner": str(owner({**pod, "kind": "Pod"})), "addresses": addresses}


async def placed(
    cluster: Cluster | None, signals: Sequence[Signal], sessions: Rows
) -> tuple[tuple[Signal, ...], dict[str, str]]:
    """The signals with the workloads of the clients that they are about; and all workloads by address. The
    cluster is asked only where a signal is about a client."""
    found = tuple(signals)
    of = addresses_by_client(sessions)
    if cluster is None or not any(_addresses(each, of) for each in found):
        return found, {}
    where = await workloads_by_address(cluster)
    return tuple(place(each, where, of) for each in found), where


def addresses_by_client(sessions: Rows) -> dict[str, set[str]]:
    """From where each client comes."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in sessions.rows:
        if row.get("client"):
            found[client(sessions.name, row).name].add(str(row["client"]))
    return found


def _addresses(signal: Signal, of: Mapping[str, Iterable[str]]) -> set[str]:
    """The addresses of whom it is about: its own, else those of the sessions of its client."""
    own = {str(each) for each in (signal.data.get("addresses") or [signal.data.get("address")]) if each}
    name = signal.data.get("client") or signal.data.get("application")
    if not name and signal.owner.kind == "Client":
        name = signal.owner.name
    return own or set(of.get(str(name or ""), ()))


def place(signal: Signal, where: Mapping[str, str], of: Mapping[str, Iterable[str]]) -> Signal:
    """The signal with the workload that all its addresses are of, as far as they are any pod's."""
    owners = {where[each] for each in _addresses(signal, of) if each in where}
    if len(owners) != 1:
        return signal
    workload = owners.pop()
    told = {"workload": workload, "workload_namespace": workload.split("/")[1]}
    text = f"{signal.text} ({workload})"
    return signal.model_copy(update={"text": text, "data": {**signal.data, **told}})
