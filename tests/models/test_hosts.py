"""Hosts in what engineers say."""

import pytest

from opssquad.models.hosts import named_hosts
from opssquad.types import Json


def told(host: str, port: int, url: str, **more: object) -> Json:
    return {"host": host, "port": port, "url": url, **more}


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            "why does https://shop.example.org/api?x=1 fail?",
            told("shop.example.org", 443, "https://shop.example.org/api?x=1", tls=443),
        ),
        ("is pay.example.com reachable?", told("pay.example.com", 443, "https://pay.example.com/", tls=443)),
        ("connect to 192.0.2.7:8080 times out", told("192.0.2.7", 8080, "http://192.0.2.7:8080/")),
        (
            "smtp.example.com:587 refuses us.",
            told("smtp.example.com", 587, "https://smtp.example.com:587/", tls=587),
        ),
        (
            "b\u00fccher.example geht nicht",
            told("b\u00fccher.example", 443, "https://b\u00fccher.example/", tls=443),
        ),
    ],
)
def test_a_host_is_told_with_its_port_and_what_to_ask_there(text: str, facts: Json) -> None:
    (found,) = named_hosts(text)
    assert found.pop("hostname", "192.0.2.7") == facts["host"]
    assert found.pop("other", facts["port"]) == facts["port"]
    assert found == facts


@pytest.mark.parametrize(
    "text",
    [
        "web cannot reach cart",
        "cart.shop.svc.cluster.local does not resolve",
        "http://cart.shop.svc/health says 503",
        "release 5.8.3 of web is slow. Why",
        "what is wrong with values.yaml",
        "mail me at ops@example.com",
        "http://[broken",
    ],
)
def test_what_only_a_cluster_resolves_and_what_is_no_host_is_left_out(text: str) -> None:
    assert named_hosts(text) == []


def test_each_host_is_told_once_urls_first() -> None:
    found = named_hosts(
        "map.example.org is slow and https://shop.example.org/ too, shop.example.org:443 that is"
    )
    assert [each["host"] for each in found] == ["shop.example.org", "map.example.org"]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("we cannot reach [2001:db8::2]:80, why?", told("2001:db8::2", 80, "http://[2001:db8::2]:80/")),
        ("is 2001:DB8::2 up?", told("2001:db8::2", 443, "https://[2001:db8::2]/", tls=443)),
        (
            "[fe80::1%eth0]:25 hangs",
            told("fe80::1%eth0", 25, "https://[fe80::1%25eth0]:25/", tls=25, other=25),
        ),
        ("curl http://[::1]:8080/x fails", told("::1", 8080, "http://[::1]:8080/x")),
    ],
)
def test_an_address_of_ipv6_is_told_as_one_of_ipv4_is(text: str, facts: Json) -> None:
    assert named_hosts(text) == [facts]


@pytest.mark.parametrize(
    "text", ["at 12:30:45 it failed", "std::vector is slow", "a::b", ":: and [::", "x:y:z", "key: value"]
)
def test_times_and_paths_of_programs_are_no_addresses(text: str) -> None:
    assert named_hosts(text) == []
