"""Services that configuration names and that do not exist."""

import pytest
from tools.signals._scene import Scene
from tools.signals.reading import read_signals

from opssquad import Json
from tests.tools.signals.network import namespace, service, workload
from tests.tools.signals.objects import NOW, obj, told

KINDS = frozenset({"Service"})


@pytest.mark.parametrize(
    ("variable", "value", "missing"),
    [
        ("CART_URL", "http://cart-db:6379/0", "Service/n/cart-db"),
        ("CART_HOST", "cart-db", "Service/n/cart-db"),
        ("CART", "cart-db:6379", "Service/n/cart-db"),
        ("CART_URL", "redis://user:pw@cart-db.n.svc.cluster.local:6379", "Service/n/cart-db"),
        ("CART_HOST", "cart-db.data", "Service/data/cart-db"),
        ("CART_HOST", "cart.example", ""),
        ("CART_URL", "https://api.example.com/v1", ""),
        ("CART_HOST", "10.0.0.7", ""),
        ("CART_HOST", "localhost", ""),
        ("CART_MODE", "cart-db", ""),
        ("SERVER_PORT", "8080", ""),
    ],
)
def test_a_host_that_can_only_be_a_service_is_missed(variable: str, value: str, missing: str) -> None:
    found = told(workload("web", **{variable: value}), namespace("data"), complete=KINDS).get(
        "service.missing"
    )
    assert (found.data["service"] if found else "") == missing


def test_services_that_exist_are_not_missed_whatever_their_kind() -> None:
    web = workload("web", A_URL="http://a", B_URL="http://b", C_URL="http://c")
    outside = obj("Service", "a", {"type": "ExternalName", "externalName": "a.example.io"})
    bare = obj("Service", "b", {"ports": [{"port": 80}], "clusterIP": "10.96.0.9"})
    assert "service.missing" not in told(web, outside, bare, service("c"), complete=KINDS)


def test_a_file_of_a_mounted_config_map_may_name_it() -> None:
    web = workload("web")
    web["spec"]["template"]["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "conf"}}]
    conf = {**obj("ConfigMap", "conf"), "data": {"app.yaml": "cart:\n  url: http://cart-db:6379\n"}}
    found = told(web, conf, complete=KINDS)["service.missing"]
    assert (found.data["where"], found.quotes[0].locator) == (
        "app.yaml of ConfigMap conf",
        "ConfigMap/n/conf",
    )
    assert found.quotes[0].text == "cart-db:6379"


def test_the_quote_shows_the_name_and_not_the_password_before_it() -> None:
    found = told(workload("web", CART_URL="redis://user:pw@cart-db:6379"), complete=KINDS)["service.missing"]
    assert [each.text for each in found.quotes] == ["cart-db:6379"]


def test_a_host_that_the_pod_itself_knows_is_no_service() -> None:
    web: Json = workload("web", CART_URL="http://cart-db:6379")
    web["spec"]["template"]["spec"]["hostAliases"] = [{"ip": "192.0.2.9", "hostnames": ["cart-db"]}]
    assert "service.missing" not in told(web, complete=KINDS)


def test_a_namespace_that_was_not_read_is_not_judged() -> None:
    web = workload("web", CART_URL="http://cart-db.data.svc:6379")
    scene = Scene(NOW, [web, namespace("data")], KINDS, frozenset({"n"}))
    assert "service.missing" not in {each.id for each in read_signals(scene)}
