"""Hosts that arguments and mounted files name, and the Services that are meant."""

import pytest
from tools._depends import dependencies, elsewhere
from tools._mentions import mentioned
from tools.signals._scene import Scene

from opssquad import Json
from tests.tools.signals.network import namespace, service, workload
from tests.tools.signals.objects import NOW, obj, told


def reads(text: str, key: str = "app.yaml") -> list[Json]:
    """The Deployment `web`, and the ConfigMap that it mounts with this file."""
    web = workload("web")
    web["spec"]["template"]["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "conf"}}]
    return [web, {**obj("ConfigMap", "conf"), "data": {key: text}}]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("cart:\n  host: cart\n  port: 6379\n", ["cart:6379"]),
        ('[cart]\nhost = "cart.n.svc" # the new one\nport = 6379\n', ["cart.n.svc:6379"]),
        ('{"cartUrl": "http://cart/v1"}', ["cart"]),
        ("bootstrap.servers=log-0.log:9092,log:9092", ["log-0.log:9092", "log:9092"]),
        ("spring.datasource.url=jdbc:postgresql://cart:5432/x?ssl=no", ["cart:5432"]),
        ("upstream cart { server cart.n.svc.cluster.local:80; }", ["cart.n.svc.cluster.local:80"]),
        ("proxy_pass http://cart/;", ["cart"]),
        ("--cart=http://cart:8080\n-b\nlog:9092", ["cart:8080", "log:9092"]),
        ("# url: http://cart:80\n// host: cart", []),
        ("--image=cart:1204\nimage: cart:1204", []),
        ("start: 12:30:45\nlevel: debug", []),
    ],
)
def test_hosts_stand_in_configuration_of_many_languages(text: str, named: list[str]) -> None:
    assert [str(each) for each in mentioned(text)] == named


def test_a_workload_depends_on_the_services_that_its_files_name_and_on_no_other_word() -> None:
    web, conf = reads("cart: {host: cart}\nmode: {backend: memory}\nstore: http://store.example.com\n")
    scene = Scene(NOW, [web, conf, service("cart"), service("mode")])
    found = dependencies(web["spec"]["template"], "n", scene)
    assert [(str(each.service), each.variable) for each in found] == [
        ("Service/n/cart", "app.yaml of ConfigMap conf")
    ]


def test_a_workload_depends_on_the_services_that_its_arguments_name() -> None:
    web = workload("web", LIST="jdbc:postgresql://db:5432/x")
    web["spec"]["template"]["spec"]["containers"][0]["args"] = ["serve", "--cart", "http://cart:80"]
    found = dependencies(web["spec"]["template"], "n", Scene(NOW, [web, service("cart"), service("db")]))
    assert {str(each.service) for each in found} == {"Service/n/cart", "Service/n/db"}


def test_who_names_a_service_in_a_file_is_its_caller() -> None:
    gone = obj("Deployment", "cart", {"replicas": 0, "selector": {"matchLabels": {"app": "cart"}}})
    gone["spec"]["template"] = {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": []}}
    found = told(gone, service("cart"), *reads("url: http://cart:80"))["workload.scaled_to_zero"]
    assert found.data["callers"] == ["Deployment/n/web"]


def test_a_file_may_name_a_port_that_the_service_does_not_have() -> None:
    cart = obj("Service", "cart", {"clusterIP": "10.96.0.7", "ports": [{"port": 80}]})
    found = told(*reads("cart:\n  url: http://cart:8081/v1\n"), cart)["env.wrong_port"]
    assert (found.data["port"], found.data["ports"]) == (8081, [80])
    assert found.data["file"] == "ConfigMap/n/conf"
    assert "config" not in found.data, "a whole file is its owner's to write"
    assert found.quotes[0].locator == "ConfigMap/n/conf"


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("db.host=db\ndb.port=8081", "db:8081"),
        ("db:\n  host: db\n  port: 8081\n", "db:8081"),
        ("db.host=db\nserver.port=8081", "db"),
        ("db:\n  host: db\nport: 8081\n", "db"),
        ("host: db\n# port: 1\nport: 8081\n", "db:8081"),
        ("host: db\nmetrics_port: 8081\n", "db"),
    ],
)
def test_a_port_goes_with_the_host_whose_key_is_alike_and_as_deep(text: str, port: str) -> None:
    assert [str(each) for each in mentioned(text)] == [port]


def test_calls_into_another_namespace_may_stand_in_a_file() -> None:
    scene = Scene(
        NOW, [*reads("url: http://db.stores.svc:80"), namespace("stores")], frozenset(), frozenset({"n"})
    )
    assert list(elsewhere(scene)) == ["stores"]
