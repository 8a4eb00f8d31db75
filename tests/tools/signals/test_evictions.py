"""Pods that were evicted: for their own use of the disk, or for that of others."""

import pytest

from opssquad import Json
from tests.tools.signals.objects import (
    ago,
    container,
    deployment,
    every,
    faults,
    obj,
    pod,
    ranked,
    rolled_out,
    told,
)

LOW = "The node was low on resource: ephemeral-storage. Threshold quantity: 1073741824, available: 700Mi. "
OWN = 'Usage of EmptyDir volume "cache" exceeds the limit "1Gi". '


def gone(message: str, name: str = "web-1", minutes: float = 3) -> Json:
    """An evicted pod as the kubelet leaves it."""
    asked = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
    conditions = [{**asked, "lastTransitionTime": ago(minutes)}]
    return pod(name, phase="Failed", reason="Evicted", message=message, conditions=conditions)


def used(container: str, amount: str, request: str = "request is 0") -> str:
    more = "has larger consumption of ephemeral-storage. "
    return f"Container {container} was using {amount}, {request}, {more}"


def other(message: str) -> Json:
    """An evicted pod of another workload on the same node."""
    each = gone(message, "api-1")
    each["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": "api", "controller": True}]
    return each


def pressed() -> Json:
    said = {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure", "message": "disk"}
    conditions = [{"type": "Ready", "status": "True"}, {**said, "lastTransitionTime": ago(4)}]
    made = obj("Node", "n1", {}, {"conditions": conditions})
    made["metadata"].pop("namespace")
    return made


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        (OWN, {"why": "own_limit", "volume": "cache", "limit": "1Gi", "role": "culprit"}),
        (
            'Container app exceeded its local ephemeral storage limit "500Mi". ',
            {"why": "own_limit", "container": "app", "limit": "500Mi"},
        ),
        (
            "Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. ",
            {"why": "own_limit", "limit": "2Gi"},
        ),
        (
            LOW + used("log", "10Mi") + used("app", "31Gi"),
            {
                "why": "node",
                "resource": "ephemeral-storage",
                "container": "app",
                "used": "31Gi",
                "request": "0",
            },
        ),
        (
            "The node was low on resource: memory. " + used("app", "3Gi", "which exceeds its request of 1Gi"),
            {"why": "node", "resource": "memory", "used": "3Gi", "request": "1Gi"},
        ),
        ("The node had condition: [DiskPressure]. ", {"why": "other", "role": ""}),
    ],
)
def test_what_the_kubelet_says_of_an_eviction_is_told_apart(message: str, facts: Json) -> None:
    found = told(gone(message))["pod.evicted"]
    assert facts.items() <= found.data.items()


def test_of_the_pods_that_had_to_go_the_one_that_used_most_is_the_culprit() -> None:
    scene = (pressed(), gone(LOW + used("app", "31Gi")), other(LOW + used("x", "200Mi")), deployment())
    by_owner = {each.owner.name: each for each in every(*scene) if each.id == "pod.evicted"}
    assert (by_owner["web"].data["role"], by_owner["api"].data["role"]) == ("culprit", "victim")
    assert told(*scene)["node.pressure"].owner.name == "web"
    best = ranked(*scene)[0]
    assert (best.fault, str(best.component)) == ("K23", "Deployment/n/web")


def test_a_node_whose_disk_is_full_answers_for_itself_where_nobody_is_known_to_fill_it() -> None:
    best = ranked(pressed(), deployment(1, 1), pod(ready=True))[0]
    assert (best.fault, str(best.component)) == ("K23", "Node//n1")


def test_a_rollout_of_the_volume_may_be_undone() -> None:
    rollout = rolled_out(deployment(), "volumes.cache", minutes=30)
    best = ranked(deployment(), gone(OWN), more=[rollout])[0]
    assert (best.fault, best.options[0].action) == ("K23", "rollback")
    unrelated = ranked(deployment(), gone(OWN), more=[rolled_out(deployment(), "image", minutes=30)])[0]
    assert "rollback" not in [each.action for each in unrelated.options]


def test_an_eviction_that_is_over_is_history_and_opens_nothing() -> None:
    well = pod("web-2", ready=True)
    for minutes in (30, 90):
        scene = (deployment(1, 1), gone(OWN, minutes=minutes), well)
        found = told(*scene)["pod.evicted"]
        assert (found.severity, found.until is not None) == ("info", True)
        assert "K23" not in faults(*scene)
    assert told(deployment(), gone(OWN), well)["pod.evicted"].until is None


def test_a_pod_that_failed_for_good_tells_why_and_a_run_of_a_job_does_not() -> None:
    for reason, why in (
        ("NodeShutdown", "node_shutdown"),
        ("Terminated", "node_shutdown"),
        ("OutOfcpu", "admission"),
        ("UnexpectedAdmissionError", "admission"),
        ("DeadlineExceeded", "deadline"),
        ("NodeLost", "node_lost"),
    ):
        found = told(pod(phase="Failed", reason=reason, message="Pod was rejected"))["pod.failed"]
        assert (found.data["why"], found.severity) == (why, "warning"), reason
    end = {"exitCode": 3, "reason": "Error", "startedAt": ago(9), "finishedAt": ago(8)}
    bare = pod(phase="Failed", containerStatuses=[container(state={"terminated": end})])
    assert told(bare)["pod.failed"].data["exit_code"] == 3
    bare["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "once", "controller": True}]
    assert told(bare) == {}


def test_a_pod_that_failed_and_was_replaced_is_history() -> None:
    shut = pod(phase="Failed", reason="NodeShutdown", message="Pod was terminated in response to shutdown")
    found = told(deployment(1, 1), shut, pod("web-2", ready=True))["pod.failed"]
    assert (found.severity, found.until is not None) == ("info", True)
