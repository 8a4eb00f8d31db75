"""Addresses in log lines, and who is behind them."""

import pytest
from tools._addresses import Address, Directory, addresses, endpoints

from opssquad import Json, Ref
from tests.tools.recorded import of_kind


@pytest.mark.parametrize(
    ("line", "first"),
    [
        (
            '{"msg": "call failed", "target": "http://a:8080/x", "error": "dial tcp 10.0.0.1:80: refused"}',
            "a:8080",
        ),
        ("Error: connect ECONNREFUSED 10.96.1.2:8080", "10.96.1.2:8080"),
        ("Connection refused: pay/10.96.1.2:8080", "10.96.1.2:8080"),
        ("dial tcp 10.96.1.2:5432: connect: connection refused", "10.96.1.2:5432"),
        (
            '[error] timed out, client: 10.9.9.9, request: "GET / HTTP/1.1", upstream: "http://10.1.1.1:80/"',
            "10.1.1.1:80",
        ),
        ("level=error addr=db.shop.svc:5432 err=timeout", "db.shop.svc:5432"),
        ("POST http://user:pw@orders.shop/api failed", "orders.shop"),
    ],
)
def test_the_address_that_was_called_comes_first(line: str, first: str) -> None:
    assert str(addresses(line)[0]) == first


def test_a_line_without_an_address_has_none() -> None:
    assert addresses("Database connection timeout after 5000ms") == []
    assert endpoints("Database connection timeout after 5000ms") == []
    assert endpoints("Connecting to database at db.internal:5432") == [Address("db.internal", 5432)]


def _service(name: str, namespace: str, ip: str, **selector: str) -> Json:
    spec = {"clusterIP": ip, "clusterIPs": [ip], "selector": selector}
    return {"kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def test_a_service_is_found_by_cluster_ip_and_by_every_form_of_its_name() -> None:
    known = Directory([_service("db", "shop", "10.96.0.7"), _service("db", "other", "10.96.0.8")])
    for host in ("10.96.0.7", "db", "db.shop", "db.shop.svc", "db.shop.svc.cluster.local"):
        found = known.service(Address(host, 5432), "shop")
        assert found is not None
        assert found["metadata"]["namespace"] == "shop", host
    assert known.service(Address("db.shop.example.com"), "shop") is None
    assert known.service(Address("10.96.0.9"), "shop") is None


def test_of_several_addresses_the_one_that_is_a_service_wins() -> None:
    known = Directory([_service("pay", "shop", "10.96.0.7")])
    address, service = known.reached([Address("proxy", 3128), Address("10.96.0.7", 80)], "shop")
    assert (str(address), service is not None) == ("10.96.0.7:80", True)
    address, service = known.reached([Address("host"), Address("db.internal", 5432)], "shop")
    assert (str(address), service) == ("db.internal:5432", None)


def test_a_service_leads_to_the_workload_it_selects_running_or_not() -> None:
    recording = "media-0702"
    known = Directory(
        list(of_kind(recording, "Service")),
        list(of_kind(recording, "Pod")),
        list(of_kind(recording, "Deployment")),
    )
    for name in ("playback", "cdn-signer"):
        service = known.service(Address(name), "streaming")
        assert service is not None
        assert known.workload(service) == Ref(kind="Deployment", namespace="streaming", name=name)
    assert not any(pod["metadata"]["name"].startswith("cdn-signer") for pod in of_kind(recording, "Pod"))


def test_an_empty_selector_leads_nowhere() -> None:
    service = _service("external", "shop", "10.96.0.9")
    assert Directory([service], list(of_kind("shop-0412", "Pod"))).workload(service) is None
