"""A node whose kubelet falls silent: what becomes of its pods, and what when it is back."""

from datetime import timedelta
from typing import Any

import pytest

from opssquad.evals.scenarios.nodes import reported
from tests.worlds.kube.living import Living

Json = dict[str, Any]
TAINT = "node.kubernetes.io/unreachable"


def report(living: Living, node: str, *, well: bool) -> None:
    change = reported(living.get(f"Node//{node}"), living.world.clock(), well)
    living.call("PATCH", f"/api/v1/nodes/{node}/status", change, "merge")


def on(living: Living, node: str) -> list[Json]:
    return [pod for pod in pods(living) if pod["spec"].get("nodeName") == node]


def pods(living: Living) -> list[Json]:
    found: list[Json] = living.call("GET", "/api/v1/pods")["items"]
    return found


def ready(pod: Json) -> str:
    return next(c["status"] for c in pod["status"]["conditions"] if c["type"] == "Ready")


def told(living: Living, name: str) -> list[str]:
    """What was said of an object, `Reason: message`, by whom it may be."""
    events = living.call("GET", "/api/v1/events")["items"]
    return [f"{e['reason']}: {e['message']}" for e in events if e["involvedObject"]["name"] == name]


@pytest.fixture
def living() -> Living:
    return Living("ward-0406")


@pytest.fixture
def node(living: Living) -> str:
    """The node of the broker, a StatefulSet's pod."""
    name: str = living.get("Pod/clinical/queue-0")["spec"]["nodeName"]
    return name


def test_the_pods_of_a_silent_node_count_as_not_ready_and_run_on(living: Living, node: str) -> None:
    there = {pod["metadata"]["name"]: pod["status"]["containerStatuses"] for pod in on(living, node)}
    report(living, node, well=False)
    living.wait(2)
    assert {t["effect"] for t in living.get(f"Node//{node}")["spec"]["taints"] if t["key"] == TAINT} == {
        "NoSchedule",
        "NoExecute",
    }
    found = on(living, node)
    assert {pod["metadata"]["name"]: pod["status"]["containerStatuses"] for pod in found} == there
    assert {ready(pod) for pod in found} == {"False"}
    assert {ready(pod) for pod in pods(living) if pod["spec"]["nodeName"] != node} == {"True"}
    assert f"NodeNotReady: Node {node} status is now: NodeNotReady" in told(living, node)
    assert "NodeNotReady: Node is not ready" in told(living, "queue-0")
    subsets = living.get("Endpoints/clinical/queue")["subsets"]
    assert [len(s.get("addresses", ())) for s in subsets] == [0]


def test_after_five_minutes_they_are_to_go_and_only_those_of_a_deployment_come_elsewhere(
    living: Living, node: str
) -> None:
    before = {pod["metadata"]["name"] for pod in on(living, node)}
    report(living, node, well=False)
    living.wait(295)
    assert not [pod for pod in on(living, node) if pod["metadata"].get("deletionTimestamp")]
    living.wait(15)
    found = on(living, node)
    assert {pod["metadata"]["name"] for pod in found} == before
    assert all(pod["metadata"].get("deletionTimestamp") for pod in found)
    queue = living.get("Pod/clinical/queue-0")
    (marked,) = [c for c in queue["status"]["conditions"] if c["type"] == "DisruptionTarget"]
    assert marked["reason"] == "DeletionByTaintManager"
    assert "TaintManagerEviction: Marking for deletion Pod clinical/queue-0" in told(living, "queue-0")
    assert living.get("Deployment/clinical/portal")["status"]["readyReplicas"] == 3
    assert living.get("StatefulSet/clinical/queue")["status"].get("readyReplicas", 0) == 0


def test_a_node_that_is_back_in_time_has_lost_nothing(living: Living, node: str) -> None:
    there = {pod["metadata"]["uid"] for pod in on(living, node)}
    report(living, node, well=False)
    living.wait(120)
    report(living, node, well=True)
    living.wait(5)
    assert not living.get(f"Node//{node}")["spec"].get("taints")
    assert {ready(pod) for pod in on(living, node)} == {"True"}
    living.wait(300)
    assert {pod["metadata"]["uid"] for pod in on(living, node)} == there
    assert f"NodeReady: Node {node} status is now: NodeReady" in told(living, node)


def test_a_node_that_is_back_late_lets_go_of_its_pods(living: Living, node: str) -> None:
    old = living.get("Pod/clinical/queue-0")["metadata"]["uid"]
    report(living, node, well=False)
    living.wait(400)
    report(living, node, well=True)
    living.wait(20)
    queue = living.get("Pod/clinical/queue-0")
    assert queue["metadata"]["uid"] != old
    assert ready(queue) == "True"
    assert not [pod for pod in pods(living) if pod["metadata"].get("deletionTimestamp")]


def test_a_pod_that_tolerates_it_for_ever_stays(living: Living, node: str) -> None:
    patience = [{"key": TAINT, "operator": "Exists", "effect": "NoExecute"}]
    there = {"tolerations": patience, "nodeName": node}
    living.patch("StatefulSet/diagnostics/lab-cache", {"spec": {"template": {"spec": there}}})
    living.wait(20)
    uid = living.get("Pod/diagnostics/lab-cache-0")["metadata"]["uid"]
    report(living, node, well=False)
    living.wait(600)
    cache = living.get("Pod/diagnostics/lab-cache-0")
    assert cache["metadata"]["uid"] == uid
    assert not cache["metadata"].get("deletionTimestamp")


def test_another_edit_of_a_silent_node_says_nothing_again(living: Living, node: str) -> None:
    report(living, node, well=False)
    living.wait(2)
    before = told(living, node), living.get(f"Node//{node}")["spec"]["taints"]
    living.patch(f"Node//{node}", {"metadata": {"labels": {"watched": "yes"}}})
    living.wait(2)
    assert (told(living, node), living.get(f"Node//{node}")["spec"]["taints"]) == before


def test_no_new_pod_goes_to_a_silent_node(living: Living, node: str) -> None:
    report(living, node, well=False)
    living.scale("Deployment/clinical/portal", 9)
    living.wait(10)
    since = living.recording.clock - timedelta(seconds=1)
    young = [pod for pod in pods(living) if pod["metadata"]["creationTimestamp"] > since.isoformat()]
    assert len(young) == 6
    assert node not in {pod["spec"]["nodeName"] for pod in young}
