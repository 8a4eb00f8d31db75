"""Calls that fail from one node alone, by logs of several pods that were read together."""

from tools._addresses import Directory
from tools._loglines import entries
from tools.signals._case import Case, Read
from tools.signals.calls import called
from tools.signals.logs import log_signals

from opssquad import Json, Signal
from tests.tools.signals.network import service
from tests.tools.signals.objects import NOW, ago, pod

TIMEOUT = "ERROR dial tcp: GET http://db:5432/x failed: i/o timeout"
SERVED = "INFO handled GET /orders in 12 ms"
UNRESOLVED = "ERROR lookup db.n.svc.cluster.local on 10.96.0.10:53: read udp: i/o timeout"


def on(name: str, node: str) -> Json:
    made = pod(name, ready=True)
    made["spec"] = {**made["spec"], "nodeName": node}
    return made


def said(*logs: tuple[str, str, tuple[str, ...]]) -> list[Signal]:
    """The signals of logs of pods (name, node, lines), a line a minute until now."""
    texts = [
        "\n".join(f"{ago(len(lines) - n)} {line}" for n, line in enumerate(lines)) for _, _, lines in logs
    ]
    reads = [
        Read(on(name, node), "app", False, text) for (name, node, _), text in zip(logs, texts, strict=True)
    ]
    told = [each for index, text in enumerate(texts) for each in entries(text, index)]
    case = Case(reads, told, NOW, Directory([service("db", 5432, 5432)]), called(told))
    return [each for each in log_signals(case) if each.id == "calls.fail_by_node"]


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
