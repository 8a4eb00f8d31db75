"""The rule that lets through what a NetworkPolicy denies: applied, nothing is denied any more."""

import copy

import pytest
from tools.signals._scene import Scene
from tools.signals.reading import read_signals

from opssquad import Json, Signal
from tests.tools.signals.network import app, namespace, policy, service, workload
from tests.tools.signals.objects import NOW

DNS_RULE: Json = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}
FROM_API = [{"from": [{"podSelector": app("api")}]}]
TO_API = [{"to": [{"podSelector": app("api")}]}, DNS_RULE]


def scene(*policies: Json, space: str = "n", target: int | str = 5432) -> list[Json]:
    """`web` calls `db`, in the same namespace or from another."""
    web = workload("web", DB_URL="postgres://db.n:5432/shop")
    web["metadata"]["namespace"] = space
    names = [namespace("n"), namespace("m")]
    return [*names, web, workload("db", 5432), service("db", 5432, target), *policies]


def denials(objects: list[Json]) -> list[Signal]:
    return [each for each in read_signals(Scene(NOW, objects)) if each.id == "policy.denies"]


def mended(objects: list[Json], fix: list[Json]) -> list[Json]:
    """The objects with the patch on their policy. Its tests hold, or nothing is changed."""
    changed = copy.deepcopy(objects)
    spec = changed[-1]["spec"]
    for each in fix:
        field, _, last = each["path"].removeprefix("/spec").strip("/").partition("/")
        if each["op"] == "test":
            assert (spec[field] if field else spec) == each["value"]
        elif last == "-":
            spec[field].append(each["value"])
        else:
            spec[field] = each["value"]
    return changed


@pytest.mark.parametrize(
    ("shut", "space"),
    [
        (policy("lock", app("db"), "Ingress", ingress=FROM_API), "n"),
        (policy("lock", app("db"), "Ingress", ingress=[]), "m"),
        (policy("lock", {}, "Ingress"), "m"),
        (policy("lock", app("web"), "Egress", egress=TO_API), "n"),
        (policy("lock", {}, "Egress"), "n"),
        (policy("lock", app("web"), "Egress", egress=[TO_API[0]]), "n"),
    ],
)
def test_what_is_denied_passes_with_the_rule(shut: Json, space: str) -> None:
    shut = {**shut, "metadata": {**shut["metadata"], "namespace": "n"}}
    objects = scene(shut, space=space)
    (denied,) = denials(objects)
    assert denied.data["lets"]
    assert denials(mended(objects, denied.data["fix"])) == []


def test_the_rule_is_no_wider_than_the_call() -> None:
    (denied,) = denials(scene(policy("lock", app("db"), "Ingress", ingress=FROM_API), space="m"))
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "m"}},
        "podSelector": app("web"),
    }
    rule = {"from": [peer], "ports": [{"protocol": "TCP", "port": 5432}]}
    assert denied.data["fix"] == [
        {"op": "test", "path": "/spec/ingress", "value": FROM_API},
        {"op": "add", "path": "/spec/ingress/-", "value": rule},
    ]


def test_callers_of_one_port_share_a_rule() -> None:
    other = workload("shop", DB_URL="postgres://db.n:5432/shop")
    objects = [other, *scene(policy("lock", app("db"), "Ingress", ingress=[]))]
    (denied,) = denials(objects)
    added = [each["value"] for each in denied.data["fix"] if each["op"] == "add"]
    assert [len(each["from"]) for each in added] == [2]
    assert denials(mended(objects, denied.data["fix"])) == []


def test_without_the_dns_the_dns_is_let_through_as_well() -> None:
    (denied,) = denials(scene(policy("lock", {}, "Egress", egress=[])))
    assert DNS_RULE in [each.get("value") for each in denied.data["fix"]]


def test_for_a_caller_whose_pods_carry_no_label_nothing_is_proposed() -> None:
    bare = scene(policy("lock", app("db"), "Ingress", ingress=[]))
    bare[2]["spec"]["template"]["metadata"]["labels"] = {}
    bare[2]["spec"]["selector"] = {}
    (denied,) = denials(bare)
    assert (denied.data["fix"], denied.data["lets"]) == ([], "")
