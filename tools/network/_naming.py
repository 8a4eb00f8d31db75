"""The hops before a connection: who calls, the name along its search path, the cluster's DNS."""

import difflib

from opssquad import Ref, Signal

from .._kube import dig
from .._pods import is_ready
from .._text import some
from ..signals._scene import Scene
from ..signals.dns import NAMESPACES, behind_dns, dns_services, dns_signals
from ..signals.environment import environment_signals
from ..signals.names import missing_services
from ._hops import Client, Goal, Hop, first_of, where
from ._lookups import asks_cluster, candidates, found, meant

MOST = 4


def client_hop(client: Client) -> Hop:
    """Whether there is anybody who calls."""
    if client.who is None:
        return Hop("client", "not checked", "no client was named")
    if client.outside:
        return Hop("client", "ok", client.words())
    many = len(client.pods)
    if not many:
        why = "wants no pods" if not client.desired else "has no pod"
        return Hop("client", "broken", f"{client.words()} {why}, so nobody calls", client.who)
    nodes = where(client.pods)
    if not nodes:
        return Hop("client", "broken", f"{client.words()}: none of its {many} pods is on a node", client.who)
    ready = sum(is_ready(each) for each in client.pods)
    policy = client.spec.get("dnsPolicy") or "ClusterFirst"
    host = ", on the network of its node" if client.spec.get("hostNetwork") else ""
    said = f"{client.words()}: {ready} of {many} pods ready, on {some(nodes, MOST)}; dnsPolicy {policy}{host}"
    return Hop("client", "ok", said)


def hosts_file_hop(client: Client, goal: Goal) -> Hop | None:
    """The name as the pod's own file has it, which goes before any DNS."""
    for each in dig(client.spec, "hostAliases", default=()):
        if goal.host in (each.get("hostnames") or ()):
            return Hop("name", "ok", f"{goal.host} is {each.get('ip')} in the pod's /etc/hosts")
    return None


def name_hop(client: Client, goal: Goal, scene: Scene) -> Hop:
    """Whether the name is one, as the client's resolver asks for it."""
    spec, space = client.spec, client.namespace or (goal.service.namespace if goal.service else "")
    wanted = goal.service or meant(goal.host, space, scene)
    if wanted is None:
        return Hop("name", "not checked", f"{goal.host} is no name of the cluster; the API knows no other")
    if not scene.get(wanted):
        return _absent(client, goal, wanted, scene)
    if client.inside and not asks_cluster(spec, scene):
        return _outside(client, goal, scene)
    hit = found(goal.host, spec, space, scene) if client.inside else None
    if client.inside and hit is None:
        along = some(candidates(goal.host, spec, space), MOST)
        return Hop("name", "broken", f"{goal.host} is not found along its search path ({along})", client.who)
    return Hop("name", "ok", f"{goal.host} is Service {wanted.name} in {wanted.namespace}")


def _absent(client: Client, goal: Goal, wanted: Ref, scene: Scene) -> Hop:
    if not scene.covers("Service", wanted.namespace):
        if scene.lacks(Ref(kind="Namespace", name=wanted.namespace)):
            said = f"{goal.host}: there is no namespace {wanted.namespace}"
            return Hop("name", "broken", said, wanted)
        return Hop("name", "unknown", f"the Services of {wanted.namespace} could not be read")
    known = [each["metadata"]["name"] for each in scene.within("Service", wanted.namespace)]
    near = difflib.get_close_matches(wanted.name, known, n=3, cutoff=0.5)
    said = f"{goal.host}: there is no Service {wanted.name} in {wanted.namespace}"
    signals: tuple[Signal, ...] = ()
    workload = scene.get(client.who) if client.who else None
    if workload and (
        told := first_of(missing_services(workload, scene), "service.missing", service=str(wanted))
    ):
        signals = (told,)
    return Hop("name", "broken", said + (f"; nearest: {', '.join(near)}" if near else ""), wanted, signals)


def _outside(client: Client, goal: Goal, scene: Scene) -> Hop:
    workload = scene.get(client.who) if client.who else None
    told = (
        first_of(environment_signals(workload, scene), "workload.outside_dns")
        if workload and "spec" in workload
        else None
    )
    policy = client.spec.get("dnsPolicy") or "ClusterFirst"
    who = client.words()
    said = f"with dnsPolicy {policy} {who} does not ask the cluster's DNS, which alone knows {goal.host}"
    return Hop("name", "broken", said, client.who, (told,) if told else ())


def dns_hop(scene: Scene, inside: bool) -> Hop:
    """Whether the cluster's DNS answers, by its endpoints and its Corefile; `inside`: a name of the cluster
    is asked for."""
    services = dns_services(scene)
    if not services:
        read = any(scene.covers("Service", each) for each in NAMESPACES)
        said = (
            "no Service for port 53 in the system's namespaces" if read else "its namespace could not be read"
        )
        return Hop("cluster DNS", "unknown", said)
    signals = tuple(dns_signals(scene))
    wrong, down = first_of(signals, "dns.corefile_wrong"), first_of(signals, "dns.down")
    if wrong and (inside or down):
        return Hop("cluster DNS", "broken", wrong.text, wrong.entity, signals)
    if down:
        return Hop("cluster DNS", "broken", down.text, down.owner, signals)
    workload = behind_dns(services[0], scene)
    notes = [each.text for each in signals]
    who = f"{workload['kind']} {workload['metadata']['name']}" if workload else "its Service"
    return Hop(
        "cluster DNS",
        "ok",
        "; ".join(notes) or f"{who} answers, its Corefile knows the cluster",
        None,
        signals,
    )
