"""Hosts in what engineers say."""

import pytest

from opssquad.models.hosts import named_host
from opssquad.types import Json


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "why does https://shop.example.org/api?x=1 fail?",
            {"host": "shop.example.org", "port": 443, "url": "https://shop.example.org/api?x=1", "tls": 443},
        ),
        (
            "is pay.example.com reachable?",
            {"host": "pay.example.com", "port": 443, "url": "https://pay.example.com/", "tls": 443},
        ),
        (
            "connect to 192.0.2.7:8080 times out",
            {"host": "192.0.2.7", "port": 8080, "url": "http://192.0.2.7:8080/"},
        ),
        (
            "smtp.example.com:587 refuses us.",
            {"host": "smtp.example.com", "port": 587, "url": "https://smtp.example.com:587/", "tls": 587},
        ),
        ("b\u00fccher.example geht nicht", {"host": "b\u00fccher.example", "port": 443, "tls": 443,
                                           "url": "https://b\u00fccher.example/"}),
    ],
)  # fmt: skip
def test_a_host_is_told_with_its_port_and_what_to_ask_there(text: str, told: Json) -> None:
    assert named_host(text) == told


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
    assert named_host(text) == {}
