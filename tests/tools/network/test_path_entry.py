"""The way in from outside: class, certificate, rule and backend of an Ingress, routes of a Gateway."""

from typing import Any

import pytest
from tools.network._entering import Rule, best, fits
from tools.network._every import entries

from opssquad import Json
from tests.tools.network.town import at, broken, path_of, scene_of, town
from tests.tools.signals.network import app, policy
from tests.tools.signals.objects import ago, obj

URL = "https://shop.example/api/x"


def changed(name: str, change: Any, to: str = URL, client: str = "internet") -> Any:
    objects = town()
    change(objects[name] if name else objects)
    return path_of(objects, client, to)


def nothing(_: Json) -> None:
    return None


def test_a_way_in_that_is_well_goes_by_class_certificate_rule_and_service() -> None:
    found = changed("", nothing)
    assert found.first is None
    assert [each.what for each in found.hops[:5]] == ["client", "class", "certificate", "rule", "Service"]
    assert at(found, "ingress policies").fact == "no policy isolates web (ingress)"


def backend(**service: Any) -> Any:
    def change(ingress: Json) -> None:
        ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"] |= service

    return change


def noted(key: str, value: str) -> Any:
    return lambda secret: secret["metadata"]["annotations"].update({key: value})


EDGE, SECRET, MISSING = "Ingress/n/edge", "Secret/n/shop-tls", "ingress.backend_missing"
EXPIRED = noted("example.com/not-after", ago(5))
FOR_OTHERS = noted("cert-manager.io/alt-names", "other.example")


def classed(ingress: Json) -> None:
    ingress["spec"]["ingressClassName"] = "gone"


def aimed(service: Json) -> None:
    service["spec"]["ports"][0]["targetPort"] = 9


@pytest.mark.parametrize(
    ("name", "change", "what", "culprit", "signal"),
    [
        ("ingress", classed, "class", EDGE, "ingress.class_missing"),
        ("ingress", backend(name="gone"), "rule", EDGE, MISSING),
        ("ingress", backend(port={"number": 99}), "rule", EDGE, MISSING),
        ("", lambda objects: objects.pop("secret"), "certificate", EDGE, MISSING),
        ("secret", EXPIRED, "certificate", SECRET, "certificate.expired"),
        ("secret", FOR_OTHERS, "certificate", SECRET, "certificate.wrong_name"),
        ("front", aimed, "port", "Service/n/web", "service.port_mismatch"),
    ],
)
def test_a_broken_hop_on_the_way_in_names_its_object(
    name: str, change: Any, what: str, culprit: str, signal: str
) -> None:
    hop = broken(changed(name, change))
    assert (hop.what, str(hop.object)) == (what, culprit)
    assert signal in [each.id for each in hop.signals]


def test_a_certificate_of_which_no_end_is_noted_is_not_called_well() -> None:
    found = changed("secret", lambda secret: secret["metadata"].pop("annotations"))
    assert (found.first, at(found, "certificate").verdict) == (None, "not checked")


def test_a_path_and_a_host_that_no_rule_is_for_are_broken_and_say_what_there_is() -> None:
    assert "shop.example/api (Prefix)" in broken(changed("", nothing, "https://shop.example/other")).fact
    assert "there is: shop.example" in broken(changed("", nothing, "https://shup.example/api")).fact


def test_whoever_holds_a_rule_is_not_known_to_policies() -> None:
    def lock(objects: dict[str, Json]) -> None:
        objects["lock"] = policy(
            "lock", app("web"), "Ingress", ingress=[{"from": [{"podSelector": app("edge")}]}]
        )

    def shut(objects: dict[str, Json]) -> None:
        objects["lock"] = policy("lock", app("web"), "Ingress")

    assert at(changed("", lock), "ingress policies").verdict == "unknown"
    assert at(changed("", shut), "ingress policies").verdict == "broken"


def test_a_service_is_reached_from_outside_by_the_ingress_that_leads_to_it() -> None:
    assert at(changed("", nothing, "web"), "rule").verdict == "ok"
    hop = broken(changed("", nothing, "db"))
    assert (hop.what, str(hop.object)) == ("exposure", "Service/n/db")
    opened = changed("service", lambda s: s["spec"].update(type="NodePort"), "db")
    assert opened.first is None


@pytest.mark.parametrize(
    ("hosts", "scheme"), [(["shop.example"], "https"), ([], "https"), (["other.example"], "http")]
)
def test_a_way_in_is_by_tls_where_a_certificate_is_named_for_its_host_or_for_every_one(
    hosts: list[str], scheme: str
) -> None:
    objects = town()
    objects["ingress"]["spec"]["tls"][0]["hosts"] = hosts
    assert path_of(objects, "internet", "web").goal.scheme == scheme
    assert [each.scheme for each in entries(scene_of(objects), {"n"})] == [scheme]


def rule(path: str, kind: str = "Prefix", host: str = "a.example", to: str = "s") -> Rule:
    return Rule(obj("Ingress", "i"), host, path, kind, to, "n", 80)


@pytest.mark.parametrize(
    ("kind", "path", "asked", "hit"),
    [
        ("Exact", "/foo", "/foo", True),
        ("Exact", "/foo", "/foo/", False),
        ("Exact", "/foo/", "/foo", False),
        ("Prefix", "/", "/anything", True),
        ("Prefix", "/foo", "/foo/", True),
        ("Prefix", "/foo/", "/foo", True),
        ("Prefix", "/aaa/bb", "/aaa/bbb", False),
        ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", False),
        ("Exact", "/foo", "/bar", False),
    ],
)
def test_paths_match_as_the_reference_of_ingresses_has_it(
    kind: str, path: str, asked: str, hit: bool
) -> None:
    assert fits(rule(path, kind), asked) is hit


def test_of_several_rules_the_closest_host_and_the_longest_path_win() -> None:
    known = [
        rule("/", to="root"),
        rule("/api", to="prefix"),
        rule("/api", "Exact", to="exact"),
        rule("/api/v1", host="*.example", to="wild"),
        rule("/api/v1/x", host="", to="any"),
    ]

    def to(host: str, path: str) -> str:
        found = best(known, host, path)
        return found.service if found else ""

    assert [to("a.example", p) for p in ("/api", "/api/v1", "/z")] == ["exact", "prefix", "root"]
    assert [to("b.example", p) for p in ("/api/v1", "/api/v1/x")] == ["wild", "wild"]
    assert to("b.a.example", "/api/v1") == ""
    assert to("other.test", "/api/v1/x/y") == "any"


def gateway(objects: dict[str, Json], port: int = 80) -> None:
    objects.pop("ingress")
    listeners = [{"name": "http", "allowedRoutes": {"namespaces": {"from": "Same"}}}]
    objects["gateway"] = obj("Gateway", "gate", {"gatewayClassName": "c", "listeners": listeners})
    rules = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/api"}}],
            "backendRefs": [{"name": "web", "port": port}],
        }
    ]
    spec = {"parentRefs": [{"name": "gate"}], "hostnames": ["shop.example"], "rules": rules}
    objects["route"] = obj("HTTPRoute", "shop", spec)


def test_a_route_of_a_gateway_leads_in_too() -> None:
    found = changed("", gateway)
    assert (found.first, at(found, "rule").verdict) == (None, "ok")
    hop = broken(changed("", lambda o: gateway(o, port=81)))
    assert (hop.what, [each.id for each in hop.signals]) == ("rule", ["route.backend_missing"])


def test_a_gateway_that_is_not_programmed_is_told() -> None:
    def change(objects: dict[str, Json]) -> None:
        gateway(objects)
        objects["gateway"]["status"] = {
            "conditions": [{"type": "Programmed", "status": "False", "reason": "Down"}]
        }

    hop = broken(changed("", change))
    assert (hop.what, str(hop.object)) == ("class", "Gateway/n/gate")
