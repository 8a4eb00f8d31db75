"""Calls that fail from one node alone, by logs of several pods that were read together."""

import pytest
from tools._addresses import Directory
from tools._loglines import entries
from tools.signals._case import Case, Read
from tools.signals.calls import called
from tools.signals.logs import log_signals

from opssquad import Json, Signal
from tests.tools.signals.network import service
from tests.tools.signals.objects import NOW, ago, pod, ranked

TIMEOUT = "ERROR dial tcp: GET http://db:5432/x failed: i/o timeout"
SERVED = "INFO handled GET /orders in 12 ms"
EARLY = (
    'ERROR Get "https://{}:443/x": x509: certificate has expired or is not yet valid: '
    "current time 2025-12-30T12:00:00Z is before 2025-12-31T00:00:00Z"
)
LATE = 'ERROR Get "https://{}:443/x": x509: certificate has expired'
STRANGE = 'ERROR Get "https://{}:443/x": x509: certificate signed by unknown authority'
UNRESOLVED = "ERROR lookup db.n.svc.cluster.local on 10.96.0.10:53: read udp: i/o timeout"


def on(name: str, node: str) -> Json:
    made = pod(name, ready=True)
    made["spec"] = {**made["spec"], "nodeName": node}
    return made


Log = tuple[str, str, tuple[str, ...]]


def said(*logs: Log) -> list[Signal]:
    """What these logs tell of nodes."""
    return [each for each in every_said(*logs) if each.id == "calls.fail_by_node"]


def every_said(*logs: Log) -> list[Signal]:
    """The signals of logs of pods (name, node, lines), a line a minute until now."""
    texts = [
        "\n".join(f"{ago(len(lines) - n)} {line}" for n, line in enumerate(lines)) for _, _, lines in logs
    ]
    reads = [
        Read(on(name, node), "app", False, text) for (name, node, _), text in zip(logs, texts, strict=True)
    ]
    told = [each for index, text in enumerate(texts) for each in entries(text, index)]
    case = Case(reads, told, NOW, Directory([service("db", 5432, 5432)]), called(told))
    return log_signals(case)


def test_failures_of_the_pods_of_one_node_are_told_of_that_node() -> None:
    (found,) = said(
        ("web-1", "w2", (TIMEOUT,) * 4), ("web-2", "w1", (SERVED,) * 4), ("web-3", "w3", (SERVED,) * 4)
    )
    assert str(found.entity) == "Node//w2"
    assert found.data["service"] == "Service/n/db"
    assert found.data["pods"] == ["Pod/n/web-1"]
    assert found.data["well"] == ["Pod/n/web-2", "Pod/n/web-3"]
    assert found.data["count"] == 4
    assert found.quotes[0].text.endswith(TIMEOUT)


def test_names_that_the_dns_does_not_answer_on_one_node_count_too() -> None:
    (found,) = said(("web-1", "w2", (UNRESOLVED,) * 3), ("web-2", "w1", (SERVED,) * 3))
    assert str(found.entity) == "Node//w2"


def test_failures_from_two_nodes_are_not_by_node() -> None:
    assert not said(
        ("web-1", "w2", (TIMEOUT,) * 4), ("web-2", "w1", (TIMEOUT,) * 4), ("web-3", "w3", (SERVED,) * 4)
    )


def test_where_another_pod_of_that_node_is_well_it_is_not_the_node() -> None:
    assert not said(
        ("web-1", "w2", (TIMEOUT,) * 4), ("web-2", "w2", (SERVED,) * 4), ("web-3", "w3", (SERVED,) * 4)
    )


def test_silent_logs_elsewhere_prove_nothing() -> None:
    assert not said(("web-1", "w2", (TIMEOUT,) * 4), ("web-2", "w1", ()))
    assert not said(("web-1", "w2", (TIMEOUT,) * 4))


def test_two_failures_are_an_accident() -> None:
    assert not said(("web-1", "w2", (TIMEOUT,) * 2), ("web-2", "w1", (SERVED,) * 4))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (TIMEOUT, "timeout"),
        ("ERROR dial tcp 10.0.0.9:5432: connect: connection refused", "refused"),
        ("ERROR read tcp 10.0.0.1:33->10.0.0.9:5432: connection reset by peer", "reset"),
        ("ERROR GET http://db:5432/x: 503 Service Unavailable", "answered"),
        ("ERROR lookup db.n.svc.cluster.local on 10.96.0.10:53: no such host", "unresolved"),
        (UNRESOLVED, "timeout"),
        (EARLY.format("db"), "not_yet_valid"),
        (LATE.format("db"), "expired"),
        (STRANGE.format("db"), "unknown_authority"),
    ],
)
def test_why_they_fail_is_told(line: str, why: str) -> None:
    (found,) = said(("web-1", "w2", (line,) * 3), ("web-2", "w1", (SERVED,) * 3))
    assert found.data["why"] == why


def test_of_several_reasons_the_most_frequent_counts() -> None:
    refused = "ERROR GET http://db:5432/x failed: connection refused"
    lines = (TIMEOUT, refused, TIMEOUT, TIMEOUT)
    (found,) = said(("web-1", "w2", lines), ("web-2", "w1", (SERVED,) * 4))
    assert (found.data["why"], found.data["count"]) == ("timeout", 4)


def test_certificates_that_a_clock_refuses_are_counted_whoever_shows_them() -> None:
    lines = tuple(EARLY.format(each) for each in ("db", "pay.example.com", "cache"))
    (found,) = said(("web-1", "w2", lines), ("web-2", "w1", (SERVED,) * 3))
    assert (str(found.entity), found.data["why"], found.data["count"]) == ("Node//w2", "not_yet_valid", 3)
    assert found.data["service"] == ""
    assert "by certificates that are called not yet valid, fail only from node w2" in found.text


def test_complaints_about_certificates_are_not_mixed_with_other_failures() -> None:
    lines = (TIMEOUT, EARLY.format("db"), TIMEOUT, EARLY.format("db"), TIMEOUT, EARLY.format("db"))
    found = said(("web-1", "w2", lines), ("web-2", "w1", (SERVED,) * 6))
    assert {each.data["why"]: each.data["count"] for each in found} == {"timeout": 3, "not_yet_valid": 3}


def test_certificates_that_are_refused_everywhere_are_not_a_nodes_clock() -> None:
    early = (EARLY.format("db"),) * 3
    assert not said(("web-1", "w2", early), ("web-2", "w1", early), ("web-3", "w3", (SERVED,) * 3))


@pytest.mark.parametrize("line", [EARLY, LATE])
def test_a_wrong_clock_of_one_node_is_found_from_logs_alone(line: str) -> None:
    logs = (("web-1", "w2", (line.format("db"),) * 4), ("web-2", "w1", (SERVED,) * 4))
    best = ranked(more=every_said(*logs))[0]
    assert (best.fault, str(best.component)) == ("N11", "Node//w2")


def test_a_node_from_which_calls_time_out_loses_packets() -> None:
    logs = (("web-1", "w2", (TIMEOUT,) * 4), ("web-2", "w1", (SERVED,) * 4))
    assert "N13" in [each.fault for each in ranked(more=every_said(*logs))]
    assert "N11" not in [each.fault for each in ranked(more=every_said(*logs))]
