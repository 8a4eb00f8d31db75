"""Reading what a path concerns and no more: the namespaces of its ends, the system's DNS and agents, nodes.

Where a name tells no namespace, the server is asked which have it.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opssquad import Cluster, Json, ToolError

from .._addresses import is_address, service_addresses
from .._depends import elsewhere
from .._extensions import MESH, Extension, served, spaces_of
from .._kube import dig
from .._rights import tried, visible
from ..signals._scene import Scene
from ..signals.agents import SPACES as AGENTS
from ..signals.dns import NAMESPACES
from ..signals.replicas import KINDS
from ._aims import OUTSIDE, Words
from ._entering import best, of_host, rules

SPACED = (
    *("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Service", "EndpointSlice"),
    *("ConfigMap", "Secret", "Ingress", "NetworkPolicy"),
)
SYSTEM = ("Pod", "Deployment", "DaemonSet", "Service", "EndpointSlice", "ConfigMap", "NetworkPolicy")
GLOBAL = ("Node", "IngressClass")
MOST = 12
"""Namespaces that are read for one question."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POLICIES = {
    "policy.networking.k8s.io": ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"),
    "cilium.io": ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
    "crd.projectcalico.org": ("NetworkPolicy", "GlobalNetworkPolicy"),
    "projectcalico.org": ("NetworkPolicy", "GlobalNetworkPolicy"),
}
"""Policies of other kinds, by group: they are not evaluated, but that there are some is told."""


@dataclass
class Survey:
    """What was read: the scene, the namespaces that the question is about, where each text was found, kinds
    not read and why, and policies of other kinds."""

    scene: Scene
    spaces: frozenset[str]
    homes: tuple[str, str] = ("", "")
    unread: dict[str, str] = field(default_factory=dict)
    others: str = ""


async def survey(cluster: Cluster, client: Words, to: Words, namespace: str) -> Survey:
    """Read what a path between these two concerns; of all calls where `to` is empty. Raises ToolError."""
    spaces = await tried(cluster, "Namespace")
    known = [] if isinstance(spaces, ToolError) else spaces
    names = {each["metadata"]["name"] for each in known}
    if namespace and known and namespace not in names:
        await cluster.get("Namespace", namespace)
    home = namespace or cluster.namespace
    first, second = await asyncio.gather(
        *(_found(cluster, each, namespace, home, names) for each in (client, to))
    )
    if not first and not second:
        first = {home} if home else _few(names)
    single = tuple(next(iter(each)) if len(each) == 1 else "" for each in (first, second))
    wanted = first | second
    entries = (
        []
        if to.text and not _enters(client, to)
        else await _entries(cluster, wanted if not to.text else None)
    )
    if to.text:
        wanted |= _led_to(entries, to)
    found = await _read(cluster, wanted, [*known, *entries], names)
    more = _more(found.scene, to) - wanted
    if more:
        found = await _read(cluster, wanted | set(sorted(more)[:MOST]), [*known, *entries], names)
    found.spaces = frozenset(wanted)
    found.homes = (single[0], single[1])
    found.others = await _others(cluster, wanted)
    return found


def _few(names: set[str]) -> set[str]:
    mine = {each for each in names if not each.startswith("kube-") and each not in {*NAMESPACES, *AGENTS}}
    if len(mine) > MOST:
        raise ToolError(f"there are {len(mine)} namespaces: say which, or who calls what")
    return mine


def _enters(client: Words, to: Words) -> bool:
    """Whether an Ingress may be on the way."""
    return to.kind == "Ingress" or bool(to.scheme) or "." in to.host or client.host in OUTSIDE


async def _found(cluster: Cluster, said: Words, namespace: str, home: str, names: set[str]) -> set[str]:
    """The namespaces that a text may mean; none for what is outside or not told."""
    if not said.text or said.host in OUTSIDE:
        return set()
    if said.namespace:
        return {said.namespace}
    if is_address(said.host):
        return await _with_address(cluster, said.host)
    parts = said.host.split(".")
    if not said.kind and len(parts) > 1:
        space = (
            parts[parts.index("svc", 2) - 1] if "svc" in parts[2:] else parts[1] if len(parts) == 2 else ""
        )
        return {space} & (names or {space}) - {""}
    if namespace:
        return {namespace}
    kinds = (said.kind,) if said.kind else ("Service", *KINDS)
    hits = await _holding(cluster, kinds, said.host) or await _holding(cluster, ("Pod", "CronJob"), said.host)
    return {home} if home and (home in hits or not hits) else hits


async def _holding(cluster: Cluster, kinds: Iterable[str], name: str) -> set[str]:
    listed = await asyncio.gather(*(visible(cluster, each, fields=f"metadata.name={name}") for each in kinds))
    return {each["metadata"].get("namespace", "") for found in listed for each in found or ()} - {""}


async def _with_address(cluster: Cluster, address: str) -> set[str]:
    def service(obj: Json) -> Json | None:
        return obj if address in service_addresses(obj) else None

    listed = await asyncio.gather(
        visible(cluster, "Service", keep=service), visible(cluster, "Pod", fields=f"status.podIP={address}")
    )
    return {each["metadata"]["namespace"] for found in listed for each in found or ()}


async def _entries(cluster: Cluster, spaces: set[str] | None) -> list[Json]:
    """Ingresses, and the routes and Gateways that the cluster serves; everywhere where `spaces` is None.
    What may not be listed everywhere is still read of the namespaces in question."""
    more, _ = await served(cluster)
    asked = [Extension("networking.k8s.io", "Ingress", True), *(e for e in more if "gateway" in e.group)]
    listed = await asyncio.gather(
        *(
            visible(cluster, each.kind, space if each.namespaced else "", group=each.group)
            for each in asked
            for space in (sorted(spaces) if spaces and each.kind != "Gateway" else [""])
        )
    )
    return [each for found in listed for each in found or ()]


def _led_to(entries: Iterable[Json], to: Words) -> set[str]:
    """The namespaces of the rules that a host and path go by."""
    scene = Scene(_EPOCH, entries)
    if to.kind == "Ingress":
        return set()
    mine = of_host(rules(scene), to.host)
    hit = best(mine, to.host, to.path)
    chosen = [hit] if hit else mine[:1]
    return {
        space for each in chosen for space in (each.namespace, each.holder["metadata"].get("namespace", ""))
    }


def _more(scene: Scene, to: Words) -> set[str]:
    """Further namespaces that are called: by workloads where all calls are asked for, else by aliases."""
    if not to.text:
        return set(elsewhere(scene))
    aliases = [str(dig(each, "spec", "externalName", default="")).split(".") for each in scene.of("Service")]
    return {each[1] for each in aliases if each[2:3] == ["svc"]}


async def _read(cluster: Cluster, wanted: set[str], objects: list[Json], names: set[str]) -> Survey:
    unread: dict[str, str] = {}
    system = [
        each
        for each in (*NAMESPACES, *AGENTS[1:])
        if each in (names or {NAMESPACES[0]}) and each not in wanted
    ]
    more, _ = await served(cluster)
    mesh = [each for each in more if each.group == MESH]
    asked = [(kind, space, "") for space in sorted(wanted) for kind in SPACED]
    asked += [(kind, "", "") for kind in GLOBAL]
    asked += [(kind, space, "") for space in system for kind in SYSTEM]
    asked += [(each.kind, space, each.group) for each in mesh for space in spaces_of(each, sorted(wanted))]
    told, listed = await asyncio.gather(
        visible(cluster, "Event", fields="involvedObject.kind=Node"),
        asyncio.gather(*(tried(cluster, k, space, group=group, keep=_light) for k, space, group in asked)),
    )
    objects = [*objects, *(told or ())]
    found: dict[tuple[str, str, str], Json] = {_key(each): each for each in objects}
    lost: set[str] = set()
    for (kind, space, _), got in zip(asked, listed, strict=True):
        if not isinstance(got, ToolError):
            found |= {_key(each): each for each in got}
        elif space in system:
            lost.add(space)
        else:
            unread[kind] = str(got)
    kinds = {*SPACED, *GLOBAL, *(each.kind for each in mesh), *(["Namespace"] if names else [])}
    complete = frozenset(kinds - set(unread))
    spaces = frozenset(wanted | (set(system) - lost))
    return Survey(Scene(cluster.now(), found.values(), complete, spaces), spaces, unread=unread)


def _key(obj: Json) -> tuple[str, str, str]:
    return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _light(obj: Json) -> Json:
    if obj.get("kind") in {"Pod", "EndpointSlice", "Node"}:
        obj["metadata"].pop("managedFields", None)
    if dig(obj, "status", "images"):
        obj["status"].pop("images")
    return obj


async def _others(cluster: Cluster, spaces: set[str]) -> str:
    """Policies of other kinds that are there, counted in words."""
    try:
        kinds = await cluster.kinds(*POLICIES)
    except ToolError as error:
        return f"whether there are policies of other kinds could not be read ({error})"
    mine = [each for each in kinds if each.kind in POLICIES.get(each.group, ())]
    counts: Counter[str] = Counter()
    for each in mine:
        for space in sorted(spaces) if each.namespaced else ("",):
            found = await visible(cluster, each.kind, space, group=each.group)
            counts[each.kind] += len(found or ())
    return ", ".join(f"{many} {kind}" for kind, many in counts.items() if many)
