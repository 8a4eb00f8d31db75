"""What tells that nothing is wrong any more: pods on their way out, nodes that are back, work in the logs."""

from typing import Any

import pytest
from tools._addresses import Directory
from tools._loglines import entries
from tools.signals._case import Case, Read
from tools.signals.calls import called
from tools.signals.serving import at_work

from opssquad import Json, Signal
from tests.tools.signals.objects import (
    NOW,
    ago,
    container,
    deployment,
    event,
    faults,
    obj,
    pod,
    rolled_out,
    told,
)

LOOP = container(restarts=7, state={"waiting": {"reason": "CrashLoopBackOff"}})


def leaving(**status: Any) -> Json:
    gone = pod("web-0", **status)
    gone["metadata"]["deletionTimestamp"] = ago(0.2)
    return gone


def stopped(name: str, minutes: float) -> Json:
    return {**event(pod(name), "Killing", "Stopping container app", minutes), "type": "Normal"}


def test_an_old_pod_that_crashes_while_it_goes_is_no_fault_of_a_workload_that_is_ready() -> None:
    going = leaving(containerStatuses=[LOOP])
    objects = (deployment(2, 2), pod("web-1", ready=True), pod("web-2", ready=True), going)
    found = told(*objects)["workload.old_pods_failed"]
    assert any("CrashLoopBackOff" in each.text for each in found.quotes)
    assert faults(*objects)[0] == "Z3"
    assert "workload.old_pods_failed" not in told(deployment(2, 1), pod("web-1", ready=True), going)
    well = leaving(containerStatuses=[container(state={"terminated": {"exitCode": 143}})])
    assert "workload.old_pods_failed" not in told(deployment(1, 1), pod("web-1", ready=True), well)


def test_a_probe_that_fails_after_the_pod_was_told_to_stop_is_no_trouble_to_recover_from() -> None:
    unready = event(pod("web-0"), "Unhealthy", "Readiness probe failed: refused", minutes=39, count=9)
    here = (deployment(1, 1), pod("web-1", ready=True), unready)
    assert "workload.recovered" in told(*here)
    found = told(*here, stopped("web-0", minutes=45))
    assert "workload.recovered" not in found
    assert "workload.old_pods_failed" in found
    assert "workload.recovered" in told(*here, stopped("web-0", minutes=30))


def test_a_kill_by_the_liveness_probe_is_not_being_told_to_stop() -> None:
    failed = event(pod("web-0"), "BackOff", "Back-off restarting failed container", minutes=39, count=9)
    kill = event(pod("web-0"), "Killing", "Container app failed liveness probe, will be restarted", 45)
    found = told(deployment(1, 1), pod("web-1", ready=True), failed, kill)
    assert "workload.recovered" in found


def store(minutes: float, replicas: int = 1) -> tuple[Json, Json, Json]:
    """A StatefulSet, a pod of it, and the event by which it was made so long ago."""
    spec = {"replicas": replicas, "template": {"spec": {"containers": [{"name": "app", "image": "db:1"}]}}}
    made = obj("StatefulSet", "db", spec, {"readyReplicas": replicas}, creationTimestamp=ago(9000))
    up = {"kind": "StatefulSet", "name": "db", "controller": True}
    ready = [{"type": "Ready", "status": "True", "lastTransitionTime": ago(minutes - 1)}]
    mine = obj("Pod", "db-0", {}, {"phase": "Running", "conditions": ready}, ownerReferences=[up])
    said = {**event(made, "SuccessfulCreate", "create Pod db-0 in StatefulSet db successful", minutes)}
    return made, mine, {**said, "type": "Normal", "firstTimestamp": ago(9000), "count": 3}


def test_the_only_pod_of_a_statefulset_that_was_made_anew_is_a_recovery() -> None:
    found = told(*store(30))["workload.recovered"]
    assert "its only pod was made anew then" in found.text
    assert found.data["began"].startswith("2026-01-01T11:30")
    assert "workload.recovered" not in told(*store(30, replicas=3))


def test_a_node_that_was_away_and_is_back_is_told_as_such() -> None:
    back = obj(
        "Node",
        "n1",
        status={"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ago(20)}]},
        namespace="",
    )
    away = event(back, "NodeNotReady", "Node n1 status is now: NodeNotReady", minutes=25)
    away["involvedObject"]["namespace"] = ""
    found = told(back, away)["node.recovered"]
    assert "it was away once, first at 11:34" in found.text
    assert faults(back, away) == ["Z4"]
    assert "node.recovered" not in told(back)
    down = {**back, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    assert "node.recovered" not in told(down, away)


def read_of(*lines: tuple[float, str]) -> list[Signal]:
    """Whether these lines, so many minutes old, show the pod at work."""
    text = "\n".join(f"{ago(minutes)} {line}" for minutes, line in lines)
    said = entries(text)
    reads = [Read(pod(ready=True), "app", False, text)]
    return at_work(Case(reads, said, NOW, Directory(()), called(said)))


ANSWERED = tuple((minutes, "GET /items 200") for minutes in (9, 6, 3, 1))


def test_requests_that_are_answered_and_nothing_grave_of_late_are_work() -> None:
    (found,) = read_of((40, "ERROR could not reach the store"), *ANSWERED)
    assert "4 requests answered in the last 10 min, none failed" in found.text


@pytest.mark.parametrize(
    "lines",
    [
        (*ANSWERED, (2, "ERROR could not reach the store")),
        (*ANSWERED, (2, "GET /items 503")),
        ((9, "GET /items 200"), (8, "started"), (7, "listening")),
        ((40, "GET /items 200"), (35, "GET /items 200"), (30, "GET /items 200")),
    ],
    ids=["an error", "a failed request", "one request only", "silent since"],
)
def test_a_log_with_trouble_or_too_little_to_tell_shows_no_work(lines: tuple[tuple[float, str], ...]) -> None:
    assert read_of(*lines) == []


def scaled(cause: str = "", written: float = 30) -> tuple[Json, Json]:
    away = deployment(0)
    away["metadata"]["annotations"] = {"kubernetes.io/change-cause": cause} if cause else {}
    fields = {"f:metadata": {"f:annotations": {"f:kubernetes.io/change-cause": {}}}}
    entry = {"manager": "kubectl-annotate", "operation": "Update", "time": ago(written), "fieldsV1": fields}
    away["metadata"]["managedFields"] = [entry] if cause else []
    return away, event(away, "ScalingReplicaSet", "Scaled down replica set web-h1 from 2 to 0", minutes=30)


def test_scaling_to_zero_with_its_cause_on_record_is_no_fault() -> None:
    assert faults(*scaled()) == ["K14"]
    assert faults(*scaled("moved to the new cluster", written=28)) == ["Z5"]
    assert faults(*scaled("release 4", written=300)) == ["K14"]


def test_a_rollout_whose_new_pod_does_not_become_ready_is_stuck_before_its_deadline() -> None:
    waiting = pod("web-2", startTime=ago(8), containerStatuses=[container(state={"running": {}})])
    behind = deployment(2, 1, updatedReplicas=1)
    found = told(behind, pod("web-1", ready=True), waiting)
    assert found["rollout.in_progress"].data["stalled"] is True
    fresh = pod("web-2", startTime=ago(2), containerStatuses=[container(state={"running": {}})])
    assert told(behind, pod("web-1", ready=True), fresh)["rollout.in_progress"].data["stalled"] is False
    named = faults(behind, pod("web-1", ready=True), waiting, more=[rolled_out(behind, "image", minutes=9)])
    assert named[0] == "K24"
