"""What logs say that databases, meshes, certificates and foreign hosts answered, in the words of those."""

import pytest
from tools.signals.strangers import FORMS, met

from tests.tools.signals.objects import logged, pod

X509 = "x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z"
SAID = [
    ("log.fd_limit", "files", "accept4: too many open files; retrying in 1s"),
    ("log.fd_limit", "files", "Error: EMFILE: too many open files, open '/srv/a'"),
    ("log.fd_limit", "threads", "OutOfMemoryError: unable to create native thread: possibly out of memory"),
    ("log.fd_limit", "ports", "dial tcp 10.0.0.1:5432: connect: cannot assign requested address"),
    ("log.certificate", "expired", f"{X509} is after 2025-12-31T00:00:00Z"),
    ("log.certificate", "expired", "Error: certificate has expired, code: 'CERT_HAS_EXPIRED'"),
    ("log.certificate", "not_yet_valid", f"{X509} is before 2026-01-09T00:00:00Z"),
    ("log.certificate", "not_yet_valid", "SSL: certificate is not yet valid (_ssl.c:1129)"),
    ("log.certificate", "not_yet_valid", "invalid peer certificate: InvalidCertificate(NotValidYet)"),
    ("log.certificate", "unknown_authority", "x509: certificate signed by unknown authority"),
    ("log.certificate", "wrong_name", "x509: certificate is valid for a.example, not b.example"),
    ("log.mesh_denied", "policy", "upstream answered 403: RBAC: access denied"),
    ("log.mesh_denied", "policy", "GET http://db/v1 got 403 Forbidden, body RBAC: access denied"),
    ("log.conntrack_full", "table", "nf_conntrack: nf_conntrack: table full, dropping packet"),
    ("log.conntrack_full", "table", "kernel: ip_conntrack: table full, dropping packet."),
    ("log.rate_limited", "told_to_wait", "POST https://api.example.com/v1 failed: 429 Too Many Requests"),
    ("log.database", "too_many_connections", "FATAL: sorry, too many clients already"),
    ("log.database", "pool_exhausted", "Connection is not available, request timed out after 30000ms"),
    ("log.database", "pool_exhausted", "TimeoutError: QueuePool limit of size 5 overflow 10 reached"),
    ("log.database", "pool_exhausted", "Error: timeout exceeded when trying to connect"),
    ("log.database", "pool_exhausted", "PoolTimeout: couldn't get a connection after 30.00 sec"),
    ("log.database", "pool_exhausted", "The connection pool has been exhausted, either raise it"),
    ("log.database", "pool_exhausted", "could not obtain a connection from the pool within 5.000 seconds"),
    ("log.database", "pool_exhausted", "Timed out fetching a new connection from the connection pool"),
    ("log.database", "pool_exhausted", "connection not available and request was dropped from queue"),
    ("log.database", "pool_exhausted", "Connection acquisition timed out after 30000ms"),
    ("log.database", "deadlock", "ERROR: deadlock detected"),
    ("log.database", "statement_timeout", "ERROR: canceling statement due to statement timeout"),
    ("log.database", "lock_timeout", "ERROR: canceling statement due to lock timeout"),
    ("log.database", "password", 'FATAL: password authentication failed for user "app"'),
    ("log.database", "no_right", "ERROR: permission denied for table orders"),
    ("log.database", "no_right", 'FATAL: role "app" does not exist'),
    ("log.database", "read_only", "ERROR: cannot execute INSERT in a read-only transaction"),
    ("log.database", "schema", 'ERROR: column "discount" does not exist'),
    ("log.database", "schema", 'ERROR: relation "orders" does not exist'),
    ("log.database", "files", "FATAL: database files are incompatible with server"),
]  # fmt: skip


@pytest.mark.parametrize(("signal", "why", "line"), SAID)
def test_the_words_of_a_server_are_a_signal_with_its_reason(signal: str, why: str, line: str) -> None:
    assert [(name, reason) for name, reason, _ in met(line)] == [(signal, why)]
    found = next(each for each in logged(pod(), f"ERROR {line}") if each.id == signal)
    assert found.data["why"] == why
    assert found.severity == "warning"


def test_the_kernel_names_no_level_and_is_told_of_its_node_all_the_same() -> None:
    line = "[81.2] nf_conntrack: nf_conntrack: table full, dropping packet"
    (found,) = [each for each in logged(pod(), line) if each.id == "log.conntrack_full"]
    assert found.data["node"] == "n1"


def test_every_form_has_its_words_here() -> None:
    assert {(each.signal, each.why) for each in FORMS} == {(signal, why) for signal, why, _ in SAID}


@pytest.mark.parametrize(
    "line",
    [
        "file /srv/a does not exist",
        "user 17 does not exist",
        "permission denied for /data",
        "token expired, refreshing",
        "429 items indexed",
        "deadlock check passed",
        "pool size is 20",
    ],
)
def test_words_that_only_look_alike_are_none(line: str) -> None:
    assert list(met(line)) == []


def test_what_is_only_noted_is_no_trouble() -> None:
    found = {each.id for each in logged(pod(), "INFO retrying after 429 Too Many Requests")}
    assert found == set()
