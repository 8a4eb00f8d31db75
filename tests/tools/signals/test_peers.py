"""What analyzers report, condition by condition: the signal that it is here, or why it is none."""

import pytest
from tools.signals._scene import Scene
from tools.signals.reading import READERS, read_signals

from opssquad import Signal
from opssquad.diagnosis.differential import rank
from opssquad.squad.knowledge import known_faults
from tests.tools.signals.objects import NOW, logged, pod
from tests.tools.signals.peers import cluster, custom, gateways, network, pods, workloads
from tests.tools.signals.peers.row import ALL, Row

ROWS = [
    *pods.ROWS,
    *workloads.ROWS,
    *network.ROWS,
    *gateways.ROWS,
    *cluster.ROWS,
    *custom.ROWS,
]


def of(row: Row) -> list[Signal]:
    scene = Scene(NOW, row.objects, ALL)
    found = read_signals(scene)
    sources = {each.locator: each.text for each in scene.sources(found)}
    assert all(quote.text in sources[quote.locator] for each in found for quote in each.quotes)
    return [each for each in found if not each.id.startswith("workload.healthy")]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_condition_gives_its_signal_or_none_for_a_reason(row: Row) -> None:
    found = {each.id for each in of(row)}
    if row.silent:
        assert found == set()
    else:
        assert row.gives in found


def test_the_log_analyzers_words_are_errors_of_a_log() -> None:
    """`error`, `exception`, `fail` in a log: all of them, by what they say, not the first alone."""
    lines = ("ERROR cannot load prices", "INFO ok", "ERROR java.lang.IllegalStateException: no price")
    assert [each.id for each in logged(pod(), *lines)] == ["log.defect", "log.error", "log.error"]
    assert logged(pod(), "INFO 0 errors, failover is on, exceptions: none") == []


def test_every_analyzer_of_the_kubernetes_api_is_here() -> None:
    """One asks a cloud about its control plane: that is no object of the cluster."""
    assert {row.analyzer for row in ROWS} == {
        *(
            "Pod",
            "Deployment",
            "ReplicaSet",
            "StatefulSet",
            "DaemonSet",
            "Job",
            "CronJob",
            "Service",
            "Ingress",
        ),
        *("PersistentVolumeClaim", "Node", "ConfigMap", "ValidatingWebhook", "MutatingWebhook"),
        *("HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Gateway", "GatewayClass"),
        *("HTTPRoute", "Storage", "Security", "OLM", "KEDA", "Kyverno", "Prometheus"),
    }


def test_every_kind_that_is_read_has_a_condition_here() -> None:
    kinds = {each["kind"] for row in ROWS for each in row.objects}
    assert set(READERS) - kinds == {"ResourceQuota", "GRPCRoute", "Secret", "Certificate"}


@pytest.mark.parametrize("row", [each for each in gateways.ROWS if "HTTPRoute" in str(each)], ids=str)
def test_a_route_that_leads_nowhere_is_the_fault_of_an_ingress_that_does(row: Row) -> None:
    best = rank(known_faults("k8s", None).catalogue, of(row))[0]
    assert (best.fault, str(best.component)) == ("N09", "HTTPRoute/n/web")
    assert "in HTTPRoute web" in best.options[0].label
