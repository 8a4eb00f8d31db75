"""Requests in the access logs of proxies, servers and frameworks, and whom a proxy asked."""

import json

import pytest
from tools._access import Access, in_fields, in_text

COMBINED = '10.0.0.9 - - [05/Jan/2026:12:00:00 +0000] "POST /cart HTTP/1.1" 502 150 "-" "curl/8.5.0"'


@pytest.mark.parametrize(
    ("line", "access"),
    [
        (COMBINED, Access("POST", "/cart", 502)),
        # ingress-nginx
        (
            f"{COMBINED} 425 5.001 [shop-cart-80] [] 10.244.1.5:8080 0 5.000 504 a1b2",
            Access("POST", "/cart", 502, "10.244.1.5:8080"),
        ),
        # Traefik
        (
            f'{COMBINED} 12 "cart@kubernetes" "http://10.244.1.5:8080" 30000ms',
            Access("POST", "/cart", 502, "10.244.1.5:8080"),
        ),
        # Envoy
        (
            '[2026-01-05T12:00:00.000Z] "GET /cart HTTP/1.1" 503 UF 0 95 0 - "-" "curl" "id" "cart" '
            '"10.244.1.5:80"',
            Access("GET", "/cart", 503, "10.244.1.5:80"),
        ),
        # HAProxy
        (
            "10.0.0.9:51234 [05/Jan/2026:12:00:00.000] www cart/cart1 0/0/-1/-1/3004 503 217 - - SC-- "
            '1/1/0/0/3 0/0 "GET /cart HTTP/1.1"',
            Access("GET", "/cart", 503, "cart"),
        ),
        ("level=warn method=GET path=/cart status=500", Access("GET", "/cart", 500)),
        # A port of a client is no upstream.
        ('"GET /cart HTTP/1.1" 500 from 10.244.1.9:51234', Access("GET", "/cart", 500)),
        ("started with 3 workers", None),
    ],
)  # fmt: skip
def test_a_plain_line_tells_of_a_request(line: str, access: Access | None) -> None:
    assert in_text(line) == access


@pytest.mark.parametrize(
    ("said", "access"),
    [
        ({"method": "GET", "path": "/cart", "status": 200}, Access("GET", "/cart", 200)),
        (
            {
                "RequestMethod": "GET",
                "RequestPath": "/cart",
                "DownstreamStatus": 504,
                "OriginStatus": 0,
                "ServiceAddr": "10.244.1.5:80",
            },
            Access("GET", "/cart", 504, "10.244.1.5:80"),
        ),
        ({"request": {"method": "GET", "uri": "/cart"}, "status": 502}, Access("GET", "/cart", 502)),
        ({"req": {"method": "GET", "url": "/cart"}, "res": {"statusCode": 500}}, Access("GET", "/cart", 500)),
        (
            {"path": "/cart", "response_code": 503, "method": "GET", "upstream_host": "-"},
            Access("GET", "/cart", 503),
        ),
        ({"path": "/etc/app.yaml", "msg": "read"}, None),
        ({"url": "https://api.example.com/v1", "status": 500}, None),
    ],
)
def test_a_structured_line_tells_of_a_request(said: dict[str, object], access: Access | None) -> None:
    assert in_fields(json.loads(json.dumps(said))) == access
