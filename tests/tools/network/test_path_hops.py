"""Each hop of a path, broken by one change of a cluster that is well."""

from typing import Any

import pytest
from tools.network._hops import Path

from opssquad import Json
from tests.tools.network.town import READ, Break, agent, at, broken, path_of, town
from tests.tools.signals.network import app, policy, service
from tests.tools.signals.objects import ago, event, obj


def walked(break_: Break, client: str = "web", to: str = "db:5432") -> Path:
    objects = town()
    break_(objects)
    return path_of(objects, client, to)


def put(name: str, *path: Any, value: object) -> Break:
    """Sets a field of one of the objects."""

    def break_(objects: dict[str, Json]) -> None:
        found: Any = objects[name]
        for step in path[:-1]:
            found = found.setdefault(step, {}) if isinstance(found, dict) else found[step]
        found[path[-1]] = value

    return break_


def drop(*names: str) -> Break:
    return lambda objects: [objects.pop(each) for each in names]


def add(made: Json) -> Break:
    return lambda objects: objects.update({"more": made})


def not_ready(name: str) -> Break:
    return put(name, "status", "conditions", 0, "status", value="False")


def nothing(objects: dict[str, Json]) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    "to", ["db:5432", "db", "db.n", "db.n.svc", "db.n.svc.cluster.local", "10.96.1.1", "10.0.2.1:5432"]
)
def test_a_path_that_is_well_has_no_broken_hop(to: str) -> None:
    found = walked(nothing, to=to)
    assert found.first is None
    assert {each.verdict for each in found.hops} == {"ok"}


def test_the_hops_come_in_the_order_in_which_a_packet_meets_them() -> None:
    assert [each.what for each in walked(nothing).hops] == [
        "client",
        "name",
        "cluster DNS",
        "policies to the DNS",
        "Service",
        "port",
        "endpoints",
        "pods",
        "egress policies",
        "ingress policies",
        "kube-proxy and plug-in",
        "nodes",
    ]


EGRESS_DB = [{"to": [{"podSelector": app("db")}]}]


def both(*breaks: Break) -> Break:
    """One after the other."""
    return lambda objects: [each(objects) for each in breaks]


def lock(of: str, *types: str, **rules: object) -> Break:
    """Puts a policy for the pods of one workload."""
    return add(policy("lock", app(of), *types, **rules))


EMPTY = put("slice", "endpoints", value=[])
NO_PLUGIN = ".:53 {\n    forward . 1.1.1.1\n}\n"
FROM_API, DNS_ONLY = [{"from": [{"podSelector": app("api")}]}], [{"ports": [{"port": 53, "protocol": "UDP"}]}]
NO_NETWORK = {"type": "NetworkUnavailable", "status": "True"}
WEB, DB = "Deployment/n/web", "Deployment/n/db"
SERVICE, LOCK, NONE = "Service/n/db", "NetworkPolicy/n/lock", "service.no_endpoints"
DENIES, AGENTS = "policy.denies", "kube-proxy and plug-in"
DNS_NAMES = "Deployment/kube-system/names"


def ports(*listed: tuple[int, int]) -> Break:
    """Sets the ports of the Service, each with the one that it leads to."""
    return put("service", "spec", "ports", value=[{"port": one, "targetPort": to} for one, to in listed])


def condition_of(name: str, condition: Json) -> Break:
    return lambda objects: objects[name]["status"]["conditions"].append(condition)


SILENT = both(not_ready("db pod"), put("slice", "endpoints", 0, "conditions", "ready", value=False))
EARLY = both(not_ready("db pod"), put("service", "spec", "publishNotReadyAddresses", value=True))
LOST = both(put("service", "spec", "selector", value={"app": "d"}), EMPTY)
BY_HAND = both(put("service", "spec", "selector", value={}), EMPTY)
COREFILE = put("corefile", "data", "Corefile", value=NO_PLUGIN)
BROKEN: list[tuple[Break, str, str, str]] = [
    (drop("web pod"), "client", WEB, ""),
    (put("web pod", "spec", "nodeName", value=""), "client", WEB, ""),
    (drop("service", "slice"), "name", SERVICE, "service.missing"),
    (put("web pod", "spec", "dnsPolicy", value="Default"), "name", WEB, ""),
    (put("web pod", "spec", "dnsPolicy", value="None"), "name", WEB, ""),
    (COREFILE, "cluster DNS", "ConfigMap/kube-system/names", "dns.corefile_wrong"),
    (put("dns slice", "endpoints", value=[]), "cluster DNS", DNS_NAMES, "dns.down"),
    (lock("web", "Egress", egress=EGRESS_DB), "policies to the DNS", LOCK, DENIES),
    (ports((6000, 5432)), "port", WEB, "env.wrong_port"),
    (ports((5432, 9999)), "port", SERVICE, "service.port_mismatch"),
    (LOST, "endpoints", SERVICE, NONE),
    (SILENT, "endpoints", DB, NONE),
    (put("slice", "endpoints", 0, "addresses", value=["10.0.9.9"]), "endpoints", SERVICE, ""),
    (put("service", "spec", "internalTrafficPolicy", value="Local"), "endpoints", SERVICE, ""),
    (BY_HAND, "endpoints", SERVICE, NONE),
    (EARLY, "pods", DB, ""),
    (lock("db", "Ingress", ingress=FROM_API), "ingress policies", LOCK, DENIES),
    (lock("web", "Egress", egress=DNS_ONLY), "egress policies", LOCK, DENIES),
    (
        put("proxy w1", "status", "conditions", 0, "status", value="False"),
        AGENTS,
        "Node//w1",
        "node.proxy_down",
    ),
    (add(agent("cilium", "w2", ready=False)), AGENTS, "Node//w2", "node.proxy_down"),
    (not_ready("w2"), "nodes", "Node//w2", "node.not_ready"),
    (condition_of("w1", NO_NETWORK), "nodes", "Node//w1", "node.pressure"),
]


@pytest.mark.parametrize(("break_", "what", "culprit", "signal"), BROKEN)
def test_a_broken_hop_is_the_first_and_names_the_object_that_is_to_blame(
    break_: Break, what: str, culprit: str, signal: str
) -> None:
    hop = broken(walked(break_))
    assert (hop.what, str(hop.object)) == (what, culprit)
    assert [each.id for each in hop.signals if each.id == signal] == ([signal] if signal else [])


@pytest.mark.parametrize(("minutes", "lost"), [(3, True), (300, False)])
def test_a_full_table_of_connections_is_told_by_the_event_about_the_node(minutes: float, lost: bool) -> None:
    def break_(objects: dict[str, Json]) -> None:
        said = "nf_conntrack: nf_conntrack: table full, dropping packet"
        objects["event"] = event(objects["w1"], "ConntrackFull", said, minutes)

    found = walked(break_)
    assert at(found, "nodes").verdict == ("broken" if lost else "ok")
    assert [each.id for each in found.signals] == (["net.table_full"] if lost else [])


def test_kube_proxy_of_the_nodes_that_are_called_does_not_translate_for_the_client() -> None:
    found = walked(lambda o: o.update({"proxy w2": agent("kube-proxy", "w2", ready=False)}))
    assert found.first is None


def test_a_deployment_that_sets_its_dns_policy_is_told_as_the_catalogue_knows_it() -> None:
    def break_(objects: dict[str, Json]) -> None:
        objects["web"]["spec"]["template"]["spec"]["dnsPolicy"] = "Default"
        objects["web pod"]["spec"]["dnsPolicy"] = "Default"

    assert [each.id for each in broken(walked(break_)).signals] == ["workload.outside_dns"]


def test_a_policy_stops_a_part_of_the_pods_and_says_which_part() -> None:
    def break_(objects: dict[str, Json]) -> None:
        second = {**objects["db pod"], "metadata": {**objects["db pod"]["metadata"], "name": "db-h1-y"}}
        second["metadata"]["labels"] = {**second["metadata"]["labels"], "track": "canary"}
        objects["second"] = second
        shut = {"matchExpressions": [{"key": "track", "operator": "Exists"}]}
        objects["lock"] = policy("lock", shut, "Ingress")

    assert "for 1 of 2 pairs of pods" in broken(walked(break_)).fact


def test_what_could_not_be_read_is_unknown_and_not_broken() -> None:
    objects = town()
    found = path_of(objects, "web", "db:5432", complete=READ - {"NetworkPolicy", "EndpointSlice"})
    assert found.first is None
    assert at(found, "egress policies").verdict == "unknown"
    assert at(found, "endpoints").verdict == "unknown"


def test_an_address_block_that_cannot_be_held_against_a_name_is_unknown() -> None:
    rules: Json = [
        {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]},
        {"ports": [{"port": 53, "protocol": "UDP"}]},
    ]
    lock = add(policy("lock", app("web"), "Egress", egress=rules))
    assert at(walked(lock, to="https://api.example.com"), "egress policies").verdict == "unknown"
    assert at(walked(lock, to="203.0.113.7:443"), "egress policies").verdict == "ok"
    assert at(walked(lock, to="198.51.100.7:443"), "egress policies").verdict == "broken"


def test_a_cache_on_each_node_answers_where_policies_forbid_the_dns_itself() -> None:
    def break_(objects: dict[str, Json]) -> None:
        objects["lock"] = policy("lock", app("web"), "Egress", egress=EGRESS_DB)
        objects["cache"] = agent("node-local-dns", "w1")

    assert at(walked(break_), "policies to the DNS").verdict == "unknown"


def test_an_alias_is_followed_to_the_service_that_it_stands_for() -> None:
    alias = obj("Service", "store", {"type": "ExternalName", "externalName": "db.n.svc.cluster.local"})
    found = walked(add(alias), to="store:5432")
    assert (found.first, at(found, "alias").verdict) == (None, "ok")
    gone = obj("Service", "store", {"type": "ExternalName", "externalName": "gone.n.svc.cluster.local"})
    assert broken(walked(add(gone), to="store:5432")).what == "alias"


def test_aliases_that_stand_for_each_other_end() -> None:
    ring = obj("Service", "ring", {"type": "ExternalName", "externalName": "ring.n.svc.cluster.local"})
    assert "in a ring" in broken(walked(add(ring), to="ring")).fact


def test_a_name_of_another_namespace_is_found_along_the_search_path() -> None:
    other = service("cache", 6379, 6379, clusterIP="10.96.1.9")
    other["metadata"]["namespace"] = "m"
    found = walked(add(other), to="cache.m:6379")
    assert at(found, "name").verdict == "ok"
    assert str(broken(walked(add(other), to="cache:6379")).object) == "Service/n/cache"


def test_a_pod_without_a_search_path_does_not_find_a_short_name() -> None:
    def break_(objects: dict[str, Json]) -> None:
        objects["web pod"]["spec"] |= {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"]}}

    assert broken(walked(break_, to="db:5432")).what == "name"
    assert walked(break_, to="db.n.svc.cluster.local:5432").first is None


def test_expired_certificates_are_told_of_ports_that_speak_tls() -> None:
    def break_(objects: dict[str, Json]) -> None:
        objects["service"]["spec"]["ports"] = [{"port": 443, "targetPort": 5432}]
        secret = {**obj("Secret", "db-tls"), "type": "kubernetes.io/tls"}
        secret["metadata"]["annotations"] = {"example.com/not-after": ago(60)}
        objects["secret of db"] = secret
        volume = {"name": "t", "secret": {"secretName": "db-tls"}}
        objects["db pod"]["spec"] = {**objects["db pod"]["spec"], "volumes": [volume]}

    hop = broken(walked(break_, to="db:443"))
    assert (hop.what, str(hop.object)) == ("certificate", "Secret/n/db-tls")
    assert [each.id for each in hop.signals] == ["certificate.expired"]


def test_a_node_reaches_its_own_pods_whatever_policies_say_and_other_nodes_do_not() -> None:
    def break_(objects: dict[str, Json]) -> None:
        for number, name in enumerate(("w1", "w2"), 1):
            objects[name]["status"]["addresses"] = [{"type": "InternalIP", "address": f"192.168.0.{number}"}]
        objects["lock"] = policy("lock", {}, "Ingress")

    own, other = (walked(break_, f"192.168.0.{n}", "10.0.2.1:5432") for n in (2, 1))
    assert (at(own, "ingress policies").verdict, at(other, "ingress policies").verdict) == ("ok", "broken")


def test_endpoints_that_are_kept_to_zones_are_said_and_are_not_broken() -> None:
    hints = put("slice", "endpoints", 0, "hints", value={"forZones": [{"name": "a"}]})
    assert "topology hints" in at(walked(hints), "endpoints").fact
    assert walked(hints).first is None
