"""What NetworkPolicies let through, and who is told of what they do not."""

import pytest
from tools._policies import directions, lets, lets_dns
from tools._policy_rules import Port, side
from tools._selectors import matches
from tools.signals._scene import Scene

from opssquad import Json, Ref
from tests.tools.signals.network import app, namespace, policy, running, service, workload
from tests.tools.signals.objects import NOW, obj, told

DB = Ref(kind="Deployment", namespace="n", name="db")
WEB = Ref(kind="Deployment", namespace="n", name="web")
PODS = (workload("web"), workload("db", 5432))
POSTGRES = Port(5432)
DNS_RULE: Json = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
TO_DB: Json = {"to": [{"podSelector": app("db")}]}


def into_db(policies: list[Json], port: Port = POSTGRES, caller: Json | None = None, *more: Json) -> object:
    """Whether policies let `web` into `db`."""
    db = workload("db", 5432)
    source = caller or workload("web")
    address = Ref(kind="Deployment", namespace=source["metadata"]["namespace"], name="web")
    ends = side(DB, db["spec"]["template"]), side(address, source["spec"]["template"])
    return lets("ingress", *ends, port, Scene(NOW, [*policies, *more]))


def test_without_a_policy_everything_passes() -> None:
    assert into_db([]) is True
    assert into_db([policy("other", app("other"), "Ingress")]) is True
    assert into_db([policy("egress-only", app("db"), "Egress")]) is True


def test_a_policy_is_about_pods_of_its_own_namespace() -> None:
    elsewhere = policy("deny", {}, "Ingress")
    elsewhere["metadata"]["namespace"] = "m"
    assert into_db([elsewhere]) is True


@pytest.mark.parametrize(
    ("operator", "values", "labels", "fits"),
    [
        ("In", ["a", "b"], {"k": "a"}, True),
        ("In", ["a", "b"], {}, False),
        ("NotIn", ["a", "b"], {"k": "a"}, False),
        ("NotIn", ["a", "b"], {"k": "c"}, True),
        ("NotIn", ["a", "b"], {}, True),
        ("Exists", None, {"k": ""}, True),
        ("Exists", None, {}, False),
        ("DoesNotExist", None, {"k": "a"}, False),
        ("DoesNotExist", None, {}, True),
    ],
)
def test_an_expression_is_held_against_labels(
    operator: str, values: list[str] | None, labels: dict[str, str], fits: bool
) -> None:
    expression = {"key": "k", "operator": operator, **({"values": values} if values else {})}
    assert matches({"matchExpressions": [expression]}, labels) is fits
    assert matches({"matchExpressions": [expression], "matchLabels": {"x": "y"}}, labels) is False


def test_a_policy_without_rules_lets_nothing_in() -> None:
    assert into_db([policy("deny", {}, "Ingress")]) is False


def test_what_any_policy_lets_through_passes() -> None:
    allow = policy("allow", app("db"), "Ingress", ingress=[{"from": [{"podSelector": app("web")}]}])
    assert into_db([policy("deny", {}, "Ingress"), allow]) is True


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        ({}, True),
        ({"from": [{"podSelector": {}}]}, True),
        ({"from": [{"podSelector": app("api")}]}, False),
        ({"from": [{"podSelector": app("api")}, {"podSelector": app("web")}]}, True),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, None),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 80}]}, False),
        ({"from": [{"namespaceSelector": {}, "podSelector": app("api")}]}, False),
        ({"from": [{"namespaceSelector": {}}]}, True),
        ({"ports": [{"port": 5432, "protocol": "TCP"}]}, True),
        ({"ports": [{"port": 5432}]}, True),
        ({"ports": [{"port": 5432, "protocol": "UDP"}]}, False),
        ({"ports": [{"port": 80}, {"port": 443}]}, False),
        ({"ports": [{"protocol": "TCP"}]}, True),
        ({"ports": [{"port": 5000, "endPort": 6000}]}, True),
        ({"ports": [{"port": 5000, "endPort": 5400}]}, False),
        ({"ports": [{"port": "postgres"}]}, None),
        ({"ports": [{"port": 80}], "from": [{"podSelector": app("web")}]}, False),
        ({"from": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}]}, True),
    ],
)
def test_a_rule_lets_through_what_fits_its_peers_and_its_ports(rule: Json, passes: bool | None) -> None:
    assert into_db([policy("p", app("db"), "Ingress", ingress=[rule])]) is passes


def test_a_named_port_is_the_one_of_the_pods_that_are_connected_to() -> None:
    db = workload("db", "http")
    ends = side(DB, db["spec"]["template"]), side(WEB, workload("web")["spec"]["template"])
    scene = Scene(NOW, [policy("p", app("db"), "Ingress", ingress=[{"ports": [{"port": "http"}]}])])
    assert lets("ingress", *ends, Port(8080), scene) is True
    assert lets("ingress", *ends, Port(9090), scene) is False


@pytest.mark.parametrize(
    ("selector", "read", "passes"),
    [
        ({"matchLabels": {"team": "a"}}, namespace("m", team="a"), True),
        ({"matchLabels": {"team": "a"}}, namespace("m", team="b"), False),
        ({"matchLabels": {"team": "a"}}, None, None),
        ({"matchLabels": {"kubernetes.io/metadata.name": "m"}}, None, True),
        ({"matchLabels": {"kubernetes.io/metadata.name": "k"}}, None, False),
    ],
)
def test_a_namespace_is_judged_by_its_labels(selector: Json, read: Json | None, passes: bool | None) -> None:
    caller = workload("web")
    caller["metadata"]["namespace"] = "m"
    rule = {"from": [{"namespaceSelector": selector}]}
    policies = [policy("p", app("db"), "Ingress", ingress=[rule])]
    assert into_db(policies, POSTGRES, caller, *([read] if read else [])) is passes


def test_pods_of_another_namespace_are_not_meant_by_a_pod_selector_alone() -> None:
    caller = workload("web")
    caller["metadata"]["namespace"] = "m"
    allow = policy("p", app("db"), "Ingress", ingress=[{"from": [{"podSelector": app("web")}]}])
    assert into_db([allow], POSTGRES, caller) is False


def test_pods_in_the_network_of_their_node_are_not_judged() -> None:
    assert into_db([policy("deny", {}, "Ingress")], Port(5432), workload("web", host=True)) is None


def test_a_rule_for_the_port_of_the_service_is_not_judged() -> None:
    allow = policy("p", app("db"), "Ingress", ingress=[{"ports": [{"port": 80}]}])
    assert into_db([allow], Port(5432, service=80)) is None


def test_the_directions_of_a_policy_follow_from_its_rules_where_it_does_not_say() -> None:
    bare = policy("p", {})
    assert directions(bare) == ("ingress",)
    assert directions(policy("p", {}, egress=[{}])) == ("ingress", "egress")


@pytest.mark.parametrize(
    ("rules", "passes"),
    [
        ([], False),
        ([TO_DB], False),
        ([TO_DB, DNS_RULE], True),
        ([{"ports": [{"port": 443}]}], False),
        ([{"ports": [{"port": 53}]}], True),
        ([{}], True),
        ([{"to": [{"namespaceSelector": {}}], **DNS_RULE}], True),
        (
            [
                {
                    "to": [
                        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
                    ]
                }
            ],
            True,
        ),
        ([{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}]}], None),
        ([{"to": [{"ipBlock": {"cidr": "10.96.0.10/32"}}], **DNS_RULE}], None),
        ([{"ports": [{"port": 5353, "protocol": "UDP"}]}], None),
        ([{"ports": [{"port": 1, "endPort": 65535, "protocol": "UDP"}]}], True),
    ],
)
def test_whether_the_dns_can_be_asked(rules: list[Json], passes: bool | None) -> None:
    end = side(WEB, workload("web")["spec"]["template"])
    assert lets_dns(end, Scene(NOW, [policy("p", {}, "Egress", egress=rules)])) is passes


def scene(*policies: Json) -> list[Json]:
    web = workload("web", DB_URL="postgres://db:5432/shop")
    return [web, workload("db", 5432), service("db", 5432, 5432), *policies]


def test_a_policy_that_denies_what_the_environment_names_is_told_with_caller_and_service() -> None:
    found = told(
        *scene(policy("lock", app("db"), "Ingress", ingress=[{"from": [{"podSelector": app("api")}]}]))
    )
    denied = found["policy.denies"]
    assert (str(denied.entity), denied.severity) == ("NetworkPolicy/n/lock", "warning")
    assert denied.at == NOW.replace(hour=11, minute=40)
    said = {key: denied.data[key] for key in ("direction", "workloads", "service", "used_by", "allows_dns")}
    assert said == {
        "direction": "ingress",
        "workloads": ["Deployment/n/db"],
        "service": ["Service/n/db"],
        "used_by": ["Deployment/n/web"],
        "allows_dns": True,
    }
    assert denied.data["changed_by"] == "kubectl-create"
    assert "(created 20 min ago): no policy lets calls of web to db:5432 pass (ingress)" in denied.text


def test_a_policy_that_lets_the_caller_in_is_not_told() -> None:
    allow = policy("lock", app("db"), "Ingress", ingress=[{"from": [{"podSelector": app("web")}]}])
    assert "policy.denies" not in told(*scene(allow))


def test_egress_without_the_dns_denies_every_name() -> None:
    denied = told(*scene(policy("lock", {}, "Egress", egress=[TO_DB])))["policy.denies"]
    said = {key: denied.data[key] for key in ("direction", "workloads", "service", "allows_dns")}
    assert said == {
        "direction": "egress",
        "workloads": ["Deployment/n/web"],
        "service": [],
        "allows_dns": False,
    }
    assert "DNS queries of web" in denied.text


def test_without_the_dns_it_is_not_one_service_that_fails() -> None:
    denied = told(*scene(policy("lock", {}, "Egress")))["policy.denies"]
    assert denied.data["service"] == []
    assert [each["to"] for each in denied.data["calls"]] == ["Service/n/db"]


def test_of_several_policies_the_newest_is_the_one_that_denies() -> None:
    old = policy("old", app("db"), "Ingress", age=5_000)
    new = policy("new", {}, "Ingress", age=3)
    assert told(*scene(old, new))["policy.denies"].entity.name == "new"


def test_a_denial_of_long_ago_is_most_likely_meant() -> None:
    denied = told(*scene(policy("lock", {}, "Ingress", age=9_000)))["policy.denies"]
    assert (denied.severity, denied.data["recent"]) == ("info", False)


def test_a_denial_that_nobody_is_known_to_suffer_from_is_not_told() -> None:
    objects = [workload("web"), workload("db", 5432), service("db", 5432, 5432)]
    assert "policy.denies" not in told(*objects, policy("lock", app("db"), "Ingress"))


def test_labels_that_only_the_pods_carry_count() -> None:
    meshed = running(workload("web", DB_URL="postgres://db:5432/shop"))
    meshed["metadata"]["labels"]["mesh"] = "on"
    maker = obj(
        "ReplicaSet", "web-h1", ownerReferences=[{"kind": "Deployment", "name": "web", "controller": True}]
    )
    rule = {"from": [{"podSelector": {"matchLabels": {"mesh": "on"}}}]}
    allow = policy("lock", app("db"), "Ingress", ingress=[rule])
    assert "policy.denies" in told(*scene(allow))
    assert "policy.denies" not in told(*scene(allow), meshed, maker)


def test_a_service_with_one_open_backend_is_not_denied() -> None:
    other = workload("db", 5432)
    other["metadata"]["name"] = "db-canary"
    other["spec"]["template"]["metadata"]["labels"] = {"app": "db", "track": "canary"}
    lock = policy("lock", {"matchExpressions": [{"key": "track", "operator": "DoesNotExist"}]}, "Ingress")
    assert "policy.denies" not in told(*scene(lock), other)
    assert "policy.denies" in told(*scene(lock))


def test_a_policy_that_selects_no_pod_is_told() -> None:
    kinds = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"})
    lost = policy("lost", app("gone"), "Ingress")
    assert told(*PODS, lost, complete=kinds)["policy.selects_nothing"].severity == "info"
    assert "policy.selects_nothing" not in told(*PODS, lost, complete=kinds - {"Pod"})
    assert "policy.selects_nothing" not in told(*PODS, policy("db", app("db"), "Ingress"), complete=kinds)
    bare = running(workload("gone"))
    assert "policy.selects_nothing" not in told(bare, lost, complete=kinds)
