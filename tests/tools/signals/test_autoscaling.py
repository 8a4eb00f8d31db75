"""Autoscalers that cannot see, and the fault of it."""

import pytest

from opssquad import Json
from tests.tools.signals.objects import (
    ago,
    container,
    deployment,
    event,
    faults,
    obj,
    pod,
    ranked,
    rolled_out,
    told,
)

NO_REQUEST = (
    "the HPA was unable to compute the replica count: failed to get cpu utilization: "
    "missing request for cpu in container app of Pod web-1"
)
NO_FIGURES = (
    "the HPA was unable to compute the replica count: failed to get cpu utilization: "
    "did not receive metrics for targeted pods (pods might be unready)"
)
NO_SERVER = (
    "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics "
    "for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the "
    "requested resource (get pods.metrics.k8s.io)"
)


def hpa(message: str, reason: str = "FailedGetResourceMetric", minutes: float = 30, **more: str) -> Json:
    said = {"type": "ScalingActive", "status": "False", "reason": reason, "message": message, **more}
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 5}
    status = {"currentReplicas": 1, "conditions": [{**said, "lastTransitionTime": ago(minutes)}]}
    return obj("HorizontalPodAutoscaler", "web", spec, status)


@pytest.mark.parametrize(
    ("message", "why", "resource", "named"),
    [
        (NO_REQUEST, "no_request", "cpu", "app"),
        ("missing request for memory", "no_request", "memory", ""),
        (NO_FIGURES, "no_figures", "", ""),
        (NO_SERVER, "no_metrics", "", ""),
        ('deployments/scale.apps "web" not found', "target_missing", "", ""),
    ],
)
def test_why_an_autoscaler_sees_nothing_is_told(message: str, why: str, resource: str, named: str) -> None:
    found = told(hpa(message))["hpa.inactive"]
    assert (found.data["why"], found.data["resource"], found.data["container"]) == (why, resource, named)


def test_an_autoscaler_without_requests_to_go_by_is_the_fault_at_its_workload() -> None:
    scene = (deployment(1, 1), pod(ready=True), hpa(NO_REQUEST))
    best = ranked(*scene)[0]
    assert (best.fault, str(best.component)) == ("K15", "Deployment/n/web")
    assert "container app has no cpu request" in best.root_cause
    assert "rollback" not in [each.action for each in best.options]
    rollout = rolled_out(deployment(), "resources.requests.cpu", minutes=31)
    assert ranked(*scene, more=[rollout])[0].options[0].action == "rollback"


def test_new_pods_without_figures_yet_are_no_fault() -> None:
    young = hpa(NO_FIGURES, minutes=2)
    assert told(young)["hpa.inactive"].severity == "info"
    assert faults(deployment(1, 1), pod(ready=True), young) == []


def test_pods_that_do_not_run_are_why_there_are_no_figures() -> None:
    each = pod(containerStatuses=[container(state={"waiting": {"reason": "ImagePullBackOff"}})])
    failed = event(each, "Failed", 'Failed to pull image "web:1": not found')
    assert faults(deployment(), each, failed, hpa(NO_FIGURES))[0] == "K02"
