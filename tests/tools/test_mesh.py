"""What Istio's policies let through, by the examples of Istio's own reference and tasks.

Those are: the reference pages AuthorizationPolicy and PeerAuthentication, the concepts page Security, and the
task Authorization for TCP traffic, all under istio.io/latest/docs.
"""

import pytest
from tools._mesh import judge
from tools._mesh_rules import Member, member
from tools.signals._scene import Scene

from opssquad import Json, Ref
from tests.tools.signals.network import app, namespace, running, workload
from tests.tools.signals.objects import NOW, ago, obj

KINDS = frozenset({"AuthorizationPolicy", "PeerAuthentication", "Namespace"})
GET_INFO = {"operation": {"methods": ["GET"], "paths": ["/info*"]}}
ALLOW_NOTHING: Json = {}
ALLOW_ALL: Json = {"rules": [{}]}
DENY_ALL: Json = {"action": "DENY", "rules": [{}]}


def rule(*sources: Json, ports: list[str] | None = None) -> Json:
    to = [{"operation": {"ports": ports}}] if ports else []
    return {
        **({"from": [{"source": each} for each in sources]} if sources else {}),
        **({"to": to} if to else {}),
    }


def authorization(spec: Json, name: str = "p", space: str = "n", age: float = 20) -> Json:
    return obj("AuthorizationPolicy", name, spec, namespace=space, creationTimestamp=ago(age))


def peers(spec: Json, name: str = "default", space: str = "n", age: float = 20) -> Json:
    return obj("PeerAuthentication", name, spec, namespace=space, creationTimestamp=ago(age))


def meshed(name: str = "web", space: str = "n", account: str = "", proxy: bool = True) -> Member:
    made = workload(name)
    spec = made["spec"]["template"]["spec"]
    if account:
        spec["serviceAccountName"] = account
    if proxy:
        spec["containers"].append({"name": "istio-proxy"})
    pod = running(made)
    pod["status"]["podIP"] = "10.0.1.7"
    who = Ref(kind="Deployment", namespace=space, name=name)
    return member(who, made["spec"]["template"], [pod], Scene(NOW, [namespace(space)]))


def passes(client: Member, *policies: Json, target: Member | None = None, port: int = 8080) -> bool | None:
    scene = Scene(NOW, policies, KINDS)
    return judge(client, target or meshed("db"), port, "db", scene).passes


def test_without_a_policy_everything_passes() -> None:
    assert passes(meshed()) is True
    assert passes(meshed(), authorization(DENY_ALL, space="m")) is True
    assert passes(meshed(), authorization({"selector": app("other"), **DENY_ALL})) is True


def test_the_documented_examples_of_all_and_nothing() -> None:
    assert passes(meshed(), authorization(ALLOW_NOTHING)) is False
    assert passes(meshed(), authorization(ALLOW_ALL)) is True
    assert passes(meshed(), authorization(DENY_ALL)) is False
    assert passes(meshed(), authorization({"action": "DENY"})) is True


def test_a_denial_comes_before_what_allows_and_any_policy_may_allow() -> None:
    assert passes(meshed(), authorization(ALLOW_ALL, "a"), authorization(DENY_ALL, "d")) is False
    assert passes(meshed(), authorization(ALLOW_NOTHING, "a"), authorization(ALLOW_ALL, "b")) is True


def test_an_audit_lets_through_and_a_custom_answer_is_not_known() -> None:
    assert passes(meshed(), authorization({"action": "AUDIT", "rules": [{}]})) is True
    custom = authorization({"action": "CUSTOM", "provider": {"name": "x"}, "rules": [{}]}, "c")
    assert passes(meshed(), custom) is None
    assert passes(meshed(), custom, authorization(DENY_ALL)) is False


def test_the_root_namespace_is_about_all_others_and_selects_in_them() -> None:
    assert passes(meshed(), authorization(ALLOW_NOTHING, space="istio-system")) is False
    chosen = authorization({"selector": app("db"), **DENY_ALL}, space="istio-system")
    assert passes(meshed(), chosen) is False
    assert passes(meshed(), chosen, target=meshed("cache")) is True


@pytest.mark.parametrize(
    ("source", "matches"),
    [
        ({"principals": ["cluster.local/ns/default/sa/curl"]}, True),
        ({"principals": ["cluster.local/ns/default/sa/sleep"]}, False),
        ({"principals": ["*/sa/curl"]}, True),
        ({"principals": ["cluster.local/ns/default/*"]}, True),
        ({"principals": ["cluster.local/ns/def"]}, False),
        ({"principals": ["*"]}, True),
        ({"principals": ["old-td/ns/default/sa/curl"]}, None),
        ({"principals": ["old-td/ns/default/sa/sleep"]}, False),
        ({"notPrincipals": ["cluster.local/ns/default/sa/curl"]}, False),
        ({"notPrincipals": ["cluster.local/ns/foo/*"]}, True),
        ({"namespaces": ["dev", "default"]}, True),
        ({"namespaces": ["dev"]}, False),
        ({"notNamespaces": ["foo"]}, True),
        ({"notNamespaces": ["def*"]}, False),
        ({"serviceAccounts": ["default/curl"]}, True),
        ({"serviceAccounts": ["curl"]}, False),
        ({"ipBlocks": ["10.0.0.0/8"]}, True),
        ({"ipBlocks": ["10.0.1.7"]}, True),
        ({"notIpBlocks": ["10.0.0.0/8"]}, False),
        ({"ipBlocks": ["192.168.0.0/16"]}, False),
        ({"namespaces": ["default"], "principals": ["*/sa/sleep"]}, False),
        ({"requestPrincipals": ["*"]}, None),
        ({"requestPrincipals": ["*"], "namespaces": ["dev"]}, False),
        ({"remoteIpBlocks": ["10.0.0.0/8"]}, None),
    ],
)
def test_a_source_is_held_against_who_calls(source: Json, matches: bool | None) -> None:
    client = meshed("curl", "default", "curl")
    assert passes(client, authorization({"rules": [rule(source)]})) is matches
    against = None if matches is None else not matches
    assert passes(client, authorization({"action": "DENY", "rules": [rule(source)]})) is against


def test_one_source_of_several_is_enough() -> None:
    client = meshed("curl", "default", "curl")
    several = rule({"namespaces": ["test"]}, {"principals": ["cluster.local/ns/default/sa/curl"]})
    assert passes(client, authorization({"rules": [several]})) is True


def test_a_caller_without_a_proxy_shows_no_identity() -> None:
    bare = meshed(proxy=False)
    assert passes(bare, authorization({"rules": [rule({"namespaces": ["n"]})]})) is False
    assert passes(bare, authorization({"rules": [rule({"notPrincipals": ["x"]})]})) is True
    assert passes(bare, authorization(ALLOW_ALL)) is True


def test_the_example_of_ports_over_tcp() -> None:
    echo = authorization({"selector": app("db"), "rules": [rule(ports=["9000", "9001"])]})
    assert [passes(meshed(), echo, port=each) for each in (9000, 9001, 9002)] == [True, True, False]
    others = {"action": "DENY", "rules": [{"to": [{"operation": {"notPorts": ["9000"]}}]}]}
    assert [passes(meshed(), authorization(others), port=each) for each in (9000, 9002)] == [True, False]


def test_what_only_a_request_tells_is_not_known_unless_it_cannot_matter() -> None:
    reads = {"rules": [{**rule({"namespaces": ["n"]}), "to": [GET_INFO]}]}
    assert passes(meshed(), authorization(reads)) is None
    assert passes(meshed(space="m"), authorization(reads)) is False
    when = {"action": "DENY", "rules": [{"when": [{"key": "request.headers[v]", "values": ["v1"]}]}]}
    assert passes(meshed(), authorization(when)) is None
    assert passes(meshed(), authorization(when, "w"), authorization(ALLOW_NOTHING, "a")) is False
    assert passes(meshed(), authorization(reads, "r"), authorization(ALLOW_ALL, "a")) is True


def test_a_reference_is_heeded_where_a_waypoint_may_stand() -> None:
    db = {"targetRefs": [{"kind": "Service", "group": "", "name": "db"}], **DENY_ALL}
    other = {"targetRefs": [{"kind": "Service", "group": "", "name": "other"}], **DENY_ALL}
    edge = {"targetRef": {"kind": "Gateway", "name": "edge"}, **DENY_ALL}
    assert [passes(meshed(), authorization(each)) for each in (db, other, edge)] == [None, True, True]


def test_where_no_proxy_stands_nothing_is_enforced() -> None:
    assert passes(meshed(), authorization(DENY_ALL), target=meshed("db", proxy=False)) is True
    template = workload("db")["spec"]["template"]
    unseen = member(Ref(kind="Deployment", namespace="n", name="db"), template, [], Scene(NOW, []))
    assert passes(meshed(), authorization(DENY_ALL), target=unseen) is None


@pytest.mark.parametrize(("mode", "inside"), [("ambient", True), ("none", False)])
def test_the_label_of_a_namespace_takes_its_pods_into_the_mesh(mode: str, inside: bool) -> None:
    scene = Scene(NOW, [namespace("n", **{"istio.io/dataplane-mode": mode})])
    web = workload("web")
    who = Ref(kind="Deployment", namespace="n", name="web")
    assert member(who, web["spec"]["template"], [running(web)], scene).inside is inside
    opted_out = running(web)
    opted_out["metadata"]["labels"]["istio.io/dataplane-mode"] = "none"
    assert member(who, web["spec"]["template"], [opted_out], scene).inside is False
    assert member(who, web["spec"]["template"], [running(web)], Scene(NOW, [])).inside is None


STRICT: Json = {"mtls": {"mode": "STRICT"}}
PERMISSIVE: Json = {"mtls": {"mode": "PERMISSIVE"}}
FINANCE: Json = {"selector": app("finance")}


@pytest.mark.parametrize(
    ("policies", "port", "expected"),
    [
        ([peers(STRICT)], 8080, False),
        ([peers(STRICT, space="m")], 8080, True),
        ([peers(STRICT, space="istio-system")], 8080, False),
        ([peers(STRICT, space="istio-system"), peers(PERMISSIVE)], 8080, True),
        ([peers(PERMISSIVE), peers({**FINANCE, **STRICT}, "finance")], 8080, False),
        ([peers({**FINANCE, **STRICT, "portLevelMtls": {"8080": {"mode": "DISABLE"}}})], 8080, True),
        ([peers({**FINANCE, **STRICT, "portLevelMtls": {"8080": {"mode": "DISABLE"}}})], 9090, False),
        ([peers(STRICT, "a"), peers({**FINANCE, "mtls": {"mode": "UNSET"}}, "b")], 8080, False),
        ([peers({**FINANCE, **STRICT}, space="istio-system")], 8080, True),
        ([peers(STRICT, "young", age=5), peers(PERMISSIVE, "old", age=50)], 8080, True),
    ],
)
def test_mutual_tls_that_is_asked_for_keeps_out_who_has_no_proxy(
    policies: list[Json], port: int, expected: bool
) -> None:
    finance = meshed("finance")
    assert passes(meshed(proxy=False), *policies, target=finance, port=port) is expected
    assert passes(meshed(), *policies, target=finance, port=port) is True


def test_a_port_that_the_proxy_leaves_alone_is_not_judged() -> None:
    made = workload("db")
    pod = running(made)
    pod["spec"] = {**pod["spec"], "containers": [{"name": "app"}, {"name": "istio-proxy"}]}
    pod["metadata"]["annotations"] = {"traffic.sidecar.istio.io/excludeInboundPorts": "5432, 6379"}
    target = member(Ref(kind="Deployment", namespace="n", name="db"), {}, [pod], Scene(NOW, []))
    found = [passes(meshed(), authorization(DENY_ALL), target=target, port=each) for each in (5432, 6379, 80)]
    assert found == [None, None, False]


def test_of_a_namespace_that_was_not_read_only_a_denial_is_known() -> None:
    def of(policy: Json) -> bool | None:
        return judge(meshed(), meshed("db"), 80, "db", Scene(NOW, [policy], frozenset())).passes

    assert of(authorization(DENY_ALL)) is False
    assert of(authorization(ALLOW_NOTHING)) is None
    assert of(authorization(ALLOW_ALL)) is None
