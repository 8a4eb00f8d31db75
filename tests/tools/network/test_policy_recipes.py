"""NetworkPolicies as the documentation of Kubernetes writes them, between concrete pods."""

import pytest
import yaml
from tools._policies import decide
from tools._policy_rules import Port, Side, outside, pod_side, within
from tools.signals._scene import Scene

from opssquad import Json
from tests.tools.signals.network import namespace
from tests.tools.signals.objects import NOW, obj

SPACES = (namespace("default"), namespace("ops", team="ops"), namespace("other"))


def pod(name: str, space: str = "default", ip: str = "10.0.0.9", *named: Json, **labels: str) -> Json:
    spec = {"nodeName": "w1", "containers": [{"name": "c", "ports": list(named)}]}
    return obj("Pod", name, spec, {"podIP": ip, "podIPs": [{"ip": ip}]}, namespace=space, labels=labels)


def policy(text: str, name: str = "p") -> Json:
    return obj("NetworkPolicy", name, yaml.safe_load(text), None, namespace="default")


def passes(
    into: Json, source: Json | Side, *policies: Json, port: int = 80, protocol: str = "TCP"
) -> bool | None:
    """Whether a connection gets out of the one pod and into the other."""
    scene, target = Scene(NOW, [*SPACES, *policies]), pod_side(into)
    from_ = source if isinstance(source, Side) else pod_side(source)
    to = Port(port, protocol=protocol)
    ends = (decide("egress", from_, target, to, scene), decide("ingress", target, from_, to, scene))
    return None if None in (found := [each.passes for each in ends]) else all(found)


DB, WEB = pod("db", role="db"), pod("web", ip="10.0.0.8", role="web")
DENY_IN = policy("{podSelector: {}, policyTypes: [Ingress]}", "default-deny-ingress")
DENY_OUT = policy("{podSelector: {}, policyTypes: [Egress]}", "default-deny-egress")
DENY_ALL = policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "default-deny-all")
ALLOW_IN = policy("{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}", "allow-all-ingress")
ALLOW_OUT = policy("{podSelector: {}, policyTypes: [Egress], egress: [{}]}", "allow-all-egress")


def test_the_default_denials_and_what_opens_them_again() -> None:
    assert passes(DB, WEB) is True
    assert [passes(DB, WEB, each) for each in (DENY_IN, DENY_OUT, DENY_ALL)] == [False] * 3
    assert passes(DB, WEB, DENY_IN, ALLOW_IN) is True
    assert passes(DB, WEB, DENY_ALL, ALLOW_IN) is False
    assert passes(DB, WEB, DENY_ALL, ALLOW_IN, ALLOW_OUT) is True


def test_a_denial_of_egress_does_not_keep_others_out_of_a_pod_in_another_namespace() -> None:
    stranger = pod("stranger", "other", role="web")
    assert passes(DB, stranger, DENY_OUT) is True
    assert passes(stranger, DB, DENY_OUT) is False
    assert passes(stranger, DB, DENY_IN) is True


def test_a_pod_reaches_itself_whatever_policies_say() -> None:
    assert passes(DB, DB, DENY_ALL) is True


ONE_ITEM = """
podSelector: {}
ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}, podSelector: {matchLabels: {role: web}}}]}]
"""
TWO_ITEMS = """
podSelector: {}
ingress:
- from:
  - namespaceSelector: {matchLabels: {team: ops}}
  - podSelector: {matchLabels: {role: web}}
"""


@pytest.mark.parametrize(
    ("source", "one", "two"),
    [
        (pod("a", "ops", role="web"), True, True),
        (pod("a", "ops", role="job"), False, True),
        (pod("a", "default", role="web"), False, True),
        (pod("a", "default", role="job"), False, False),
        (pod("a", "other", role="web"), False, False),
    ],
)
def test_selectors_in_one_item_are_both_meant_in_two_items_either(source: Json, one: bool, two: bool) -> None:
    assert passes(DB, source, policy(ONE_ITEM)) is one
    assert passes(DB, source, policy(TWO_ITEMS)) is two


EXAMPLE = policy("""
podSelector: {matchLabels: {role: db}}
policyTypes: [Ingress, Egress]
ingress:
- from:
  - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
  - namespaceSelector: {matchLabels: {team: ops}}
  - podSelector: {matchLabels: {role: frontend}}
  ports: [{protocol: TCP, port: 6379}]
egress:
- to: [{ipBlock: {cidr: 10.0.0.0/24}}]
  ports: [{protocol: TCP, port: 5978}]
""")


@pytest.mark.parametrize(
    ("source", "port", "let"),
    [
        (outside("a", "172.17.0.5"), 6379, True),
        (outside("a", "172.17.1.5"), 6379, False),
        (outside("a", "172.17.2.5"), 6379, True),
        (outside("a", "172.18.0.5"), 6379, False),
        (outside("a", "172.17.0.5"), 6380, False),
        (outside("a"), 6379, None),
        (pod("f", role="frontend"), 6379, True),
        (pod("f", "other", role="frontend"), 6379, False),
        (pod("f", "ops", role="job"), 6379, True),
        (pod("f", "other", "172.17.3.3", role="job"), 6379, True),
    ],
)
def test_the_example_of_the_documentation_lets_in_what_its_text_says(
    source: Json | Side, port: int, let: bool | None
) -> None:
    assert passes(DB, source, EXAMPLE, port=port) is let


def test_the_example_lets_out_to_its_block_and_port_alone() -> None:
    near, far = pod("n", "other", "10.0.0.77"), pod("f", "other", "10.0.1.77")
    assert passes(near, DB, EXAMPLE, port=5978) is True
    assert passes(far, DB, EXAMPLE, port=5978) is False
    assert passes(near, DB, EXAMPLE, port=5979) is False


def test_a_named_port_is_another_number_in_another_pod() -> None:
    rule = policy("{podSelector: {}, ingress: [{ports: [{port: http}]}]}")
    old = pod("old", "default", "10.0.0.2", {"name": "http", "containerPort": 8080})
    new = pod("new", "default", "10.0.0.3", {"name": "http", "containerPort": 9090})
    assert [passes(each, WEB, rule, port=8080) for each in (old, new)] == [True, False]
    assert [passes(each, WEB, rule, port=9090) for each in (old, new)] == [False, True]


def test_a_named_port_is_of_its_own_protocol_and_a_pod_without_it_is_not_meant() -> None:
    rule = policy("{podSelector: {}, ingress: [{ports: [{port: dns, protocol: UDP}]}]}")
    ports = ({"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"name": "dns", "containerPort": 5353})
    named = pod("named", "default", "10.0.0.2", *ports)
    assert passes(named, WEB, rule, port=53, protocol="UDP") is True
    assert passes(named, WEB, rule, port=53, protocol="TCP") is False
    assert passes(named, WEB, rule, port=5353, protocol="UDP") is False
    assert passes(DB, WEB, rule, port=53, protocol="UDP") is False


def test_ranges_of_ports_hold_both_ends() -> None:
    rule = policy("{podSelector: {}, ingress: [{ports: [{protocol: TCP, port: 32000, endPort: 32768}]}]}")
    said = [passes(DB, WEB, rule, port=port) for port in (31999, 32000, 32768, 32769)]
    assert said == [False, True, True, False]


def test_sctp_is_no_tcp() -> None:
    rule = policy("{podSelector: {}, ingress: [{ports: [{protocol: SCTP, port: 7777}]}]}")
    assert passes(DB, WEB, rule, port=7777, protocol="SCTP") is True
    assert passes(DB, WEB, rule, port=7777) is False


def test_an_empty_list_of_peers_is_all_of_them_and_an_empty_list_of_rules_none() -> None:
    assert passes(DB, WEB, policy("{podSelector: {}, ingress: [{from: [], ports: []}]}")) is True
    assert passes(DB, WEB, policy("{podSelector: {}, ingress: []}")) is False
    assert passes(DB, WEB, policy("{podSelector: {}, egress: []}")) is False
    assert passes(WEB, pod("a", "other"), policy("{podSelector: {}, policyTypes: [Egress]}")) is True


def test_a_policy_that_has_egress_rules_and_names_no_types_is_about_both_directions() -> None:
    both = policy("{podSelector: {matchLabels: {role: db}}, egress: [{}]}")
    assert passes(DB, WEB, both) is False
    assert passes(WEB, DB, both) is True


def test_a_pod_on_the_network_of_its_node_is_known_only_where_plug_ins_agree() -> None:
    host = pod("agent", "ops", "192.168.0.7", role="agent")
    host["spec"] |= {"hostNetwork": True, "nodeName": "w2"}
    beside = {**host, "spec": {**host["spec"], "nodeName": "w1"}}
    by_label = policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}")
    by_block = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/16}}]}]}")
    assert passes(DB, host, DENY_IN) is False
    assert passes(DB, beside, DENY_IN) is True
    assert passes(DB, host, by_label) is None
    assert passes(DB, host, by_block) is True
    assert passes(host, DB, policy("{podSelector: {}, policyTypes: [Ingress]}")) is True


def test_addresses_of_two_families_that_differ_are_not_told_apart_until_the_family_is_known() -> None:
    block = {"cidr": "10.0.0.0/8"}
    both = pod("both")
    both["status"]["podIPs"].append({"ip": "fd00::9"})
    assert within(block, pod_side(both).addresses) is None
    assert within(block, pod_side(both, "IPv4").addresses) is True
    assert within(block, pod_side(both, "IPv6").addresses) is False
    assert within({"cidr": "fd00::/8", "except": ["fd00::/120"]}, ("fd00::9",)) is False


def test_which_policies_isolate_and_which_rule_lets_through_is_said() -> None:
    scene = Scene(NOW, [*SPACES, DENY_IN, EXAMPLE])
    source = pod_side(pod("f", role="frontend"))
    found = decide("ingress", pod_side(DB), source, Port(6379), scene)
    names = [each["metadata"]["name"] for each in found.isolating]
    assert names == ["default-deny-ingress", "p"]
    assert [(each.policy["metadata"]["name"], each.index) for each in found.rules] == [("p", 0)]
    assert decide("ingress", pod_side(DB), pod_side(WEB), Port(6379), scene).rules == ()
