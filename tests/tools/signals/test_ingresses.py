"""Ingresses: their class, the Services and ports behind them, their certificates."""

import pytest

from opssquad import Json
from tests.tools.signals.network import service
from tests.tools.signals.objects import obj, told

KINDS = frozenset({"Service", "Secret", "IngressClass"})


def ingress(port: Json | None = None, cls: str = "nginx", name: str = "web", **more: object) -> Json:
    backend = {"service": {"name": name, "port": port or {"number": 80}}}
    paths = [{"path": "/api", "pathType": "Prefix", "backend": backend}]
    spec = {"rules": [{"host": "shop.example.io", "http": {"paths": paths}}], **more}
    return obj(
        "Ingress", "front", {**spec, **({"ingressClassName": cls} if cls else {})}, {"loadBalancer": {}}
    )


def klass(name: str = "nginx", **notes: str) -> Json:
    made = obj("IngressClass", name, {"controller": "k8s.io/ingress-nginx"}, annotations=notes)
    made["metadata"].pop("namespace")
    return made


def test_a_service_and_a_port_that_are_not_there_are_told_with_the_path() -> None:
    found = told(ingress(), klass(), complete=KINDS)["ingress.backend_missing"]
    assert (found.data["ref"], found.data["path"]) == ("Service/n/web", "shop.example.io/api")
    found = told(ingress({"number": 8080}), klass(), service("web"), complete=KINDS)[
        "ingress.backend_missing"
    ]
    assert found.data["lacks"] == "Service web has no port 8080"


def test_a_port_may_be_named() -> None:
    named = service("web")
    named["spec"]["ports"][0]["name"] = "http"
    assert "ingress.backend_missing" not in told(ingress({"name": "http"}), klass(), named, complete=KINDS)
    found = told(ingress({"name": "https"}), klass(), named, complete=KINDS)
    assert found["ingress.backend_missing"].data["lacks"] == "Service web has no port https"


def test_the_default_backend_is_one_too() -> None:
    gone = {"service": {"name": "gone", "port": {"number": 80}}}
    found = told(ingress(defaultBackend=gone), klass(), service("web"), complete=KINDS)
    assert found["ingress.backend_missing"].data["ref"] == "Service/n/gone"


def test_a_certificate_that_is_not_there_is_told_with_its_hosts() -> None:
    tls = [{"hosts": ["shop.example.io"], "secretName": "shop-tls"}]
    found = told(ingress(tls=tls), klass(), service("web"), complete=KINDS)["ingress.backend_missing"]
    assert (found.data["kind"], found.data["ref"]) == ("Secret", "Secret/n/shop-tls")
    assert "certificate of shop.example.io" in found.text


def test_a_class_that_does_not_exist_is_told_with_those_that_do() -> None:
    found = told(ingress(cls="nginxx"), klass(), service("web"), complete=KINDS)["ingress.class_missing"]
    assert (found.data["class"], found.data["classes"]) == ("nginxx", ["nginx"])
    assert "ingress.class_missing" not in told(ingress(), klass(), service("web"), complete=KINDS)


def test_an_ingress_without_a_class_needs_a_default_one() -> None:
    found = told(ingress(cls=""), klass(), service("web"), complete=KINDS)["ingress.class_missing"]
    assert "names no class, and none is the default" in found.text
    default = klass(**{"ingressclass.kubernetes.io/is-default-class": "true"})
    assert "ingress.class_missing" not in told(ingress(cls=""), default, service("web"), complete=KINDS)


def test_an_ingress_that_a_controller_took_up_without_a_class_is_well() -> None:
    served = ingress(cls="")
    served["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
    assert "ingress.class_missing" not in told(served, klass(), service("web"), complete=KINDS)


def test_a_class_of_the_old_annotation_needs_no_object() -> None:
    old = ingress(cls="")
    old["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "traefik"}
    assert "ingress.class_missing" not in told(old, klass(), service("web"), complete=KINDS)


@pytest.mark.parametrize("unread", sorted(KINDS))
def test_what_could_not_be_read_is_not_missed(unread: str) -> None:
    tls = [{"hosts": ["shop.example.io"], "secretName": "shop-tls"}]
    found = told(ingress(cls="nginxx", tls=tls), complete=KINDS - {unread})
    kinds = {e.data["kind"] for e in [found.get("ingress.backend_missing")] if e}
    assert unread not in kinds
    assert ("ingress.class_missing" in found) is (unread != "IngressClass")
