"""Names that do not resolve: in the words of several languages, and as signals of a log."""

import pytest
from tools._addresses import Directory, service_named
from tools._loglines import entries
from tools.signals._case import Case, Read
from tools.signals.calls import called
from tools.signals.logs import log_signals
from tools.signals.lookups import failed_lookup

from opssquad import Signal
from tests.tools.signals.objects import NOW, pod

IPS = "10.1.2.3:4->10.96.0.10:53"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("dial tcp: lookup cart-db on 10.96.0.10:53: no such host", "not_found"),
        ("Error: getaddrinfo ENOTFOUND cart-db", "not_found"),
        ("java.net.UnknownHostException: cart-db: Name or service not known", "not_found"),
        ('could not translate host name "cart-db" to address: Name or service not known', "not_found"),
        ("HTTPConnectionPool(host='cart-db', port=80): [Errno -2] Name or service not known", "not_found"),
        ("ConnectionError: Error -2 connecting to cart-db:6379. Name or service not known.", "not_found"),
        ("System.Net.Sockets.SocketException: Name or service not known (cart-db:80)", "not_found"),
        ("nslookup: can't resolve 'cart-db'", "not_found"),
        ("** server can't find cart-db: NXDOMAIN", "not_found"),
        ("curl: (6) Could not resolve host: cart-db", "not_found"),
        ("wget: bad address 'cart-db:80'", "not_found"),
        ('host not found in upstream "cart-db" in /etc/nginx/conf.d/a.conf:3', "not_found"),
        ("DNS resolution failed for cart-db:50051: Domain name not found", "not_found"),
        ("Error: queryA ENOTFOUND cart-db", "not_found"),
        ("cart-db could not be resolved (3: Host not found), client: 10.1.2.3", "not_found"),
        ("tcp connect (cart-db:5432): non-existing domain - :nxdomain", "not_found"),
        ('{:failed_connect, [{:to_address, {~c"cart-db", 80}}, {:inet, [:inet], :nxdomain}]}', "not_found"),
        ("Unknown MySQL server host 'cart-db' (-2)", "not_found"),
        ("DNS resolution failed for cart-db:50051: Timeout while contacting DNS servers", "no_answer"),
        ("Error: queryA ETIMEOUT cart-db", "no_answer"),
        ("cart-db could not be resolved (110: Operation timed out)", "no_answer"),
        ("System.Net.Sockets.SocketException: Resource temporarily unavailable (cart-db:80)", "no_answer"),
        ("Error: getaddrinfo EAI_AGAIN cart-db cart-db:6379", "no_answer"),
        ("java.net.UnknownHostException: cart-db: Temporary failure in name resolution", "no_answer"),
        (f"lookup cart-db on 10.96.0.10:53: read udp {IPS}: i/o timeout", "no_answer"),
        ("lookup cart-db on 10.96.0.10:53: server misbehaving", "no_answer"),
    ],
)
def test_a_name_that_does_not_resolve_is_told_with_how_the_lookup_failed(text: str, how: str) -> None:
    found = failed_lookup(text)
    assert found is not None
    assert (found.host, found.how) == ("cart-db", how)
    assert found.words in text


@pytest.mark.parametrize(
    "text",
    [
        "connection refused",
        "user lookup failed: try again later",
        "could not resolve reference to bean 'cart'",
        "404 page not found",
        "cart-db: i/o timeout",
    ],
)
def test_other_errors_are_no_failed_lookups(text: str) -> None:
    assert failed_lookup(text) is None


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("db", "Service/shop/db"),
        ("db.data", "Service/data/db"),
        ("db.data.svc", "Service/data/db"),
        ("db.data.svc.cluster.local.", "Service/data/db"),
        ("db-0.db.data.svc.cluster.local", "Service/data/db"),
        ("db.example.com", "None"),
        ("10.0.0.7", "None"),
        ("svc.example.io", "None"),
    ],
)
def test_a_host_name_means_a_service_by_its_form(host: str, service: str) -> None:
    assert str(service_named(host, "shop")) == service


def signals(*bodies: str) -> list[Signal]:
    text = "\n".join(f"2026-01-01T11:59:{second:02}Z {body}" for second, body in enumerate(bodies))
    said = entries(text)
    return log_signals(Case([Read(pod(), "app", False, text)], said, NOW, Directory(()), called(said)))


def test_a_log_tells_each_name_that_does_not_resolve_once_with_the_service_it_would_be() -> None:
    line = "ERROR dial tcp: lookup cart-db on 10.96.0.10:53: no such host"
    (found,) = [e for e in signals(line, "INFO up", line) if e.id == "log.unresolved"]
    assert (found.data["host"], found.data["how"], found.data["count"]) == ("cart-db", "not_found", 2)
    assert (found.data["service"], str(found.owner)) == ("Service/n/cart-db", "Deployment/n/web")


def test_a_dns_server_that_logs_what_it_does_not_know_is_well() -> None:
    said = '[INFO] 10.0.0.5:4321 - 12 "A IN cart-db.n.svc.cluster.local. udp 50 false 512" NXDOMAIN qr,aa 143'
    assert signals(said) == []


def test_a_tool_that_loops_until_a_name_resolves_needs_no_level() -> None:
    said = signals("waiting", "** server can't find cart-db.n.svc.cluster.local: NXDOMAIN", "waiting")
    found = next(each for each in said if each.id == "log.unresolved")
    assert found.data["service"] == "Service/n/cart-db"
