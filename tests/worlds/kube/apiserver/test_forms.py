"""The faces of one stored object: both event APIs, both autoscaler versions, Scale."""

from typing import Any

from opssquad.worlds.kube.apiserver import forms
from opssquad.worlds.kube.apiserver.resources import Resource, builtin


def resource(path: str) -> Resource:
    found = builtin().lookup(*path.split("/"))
    assert found is not None
    return found


HPA_V1 = resource("autoscaling/v1/horizontalpodautoscalers")
EVENTS_V1 = resource("events.k8s.io/v1/events")


def test_an_autoscaler_goes_through_v1_and_back_without_a_loss() -> None:
    target = {"type": "Utilization", "averageUtilization": 70}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    memory = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Value", "value": "1Gi"}}}
    used = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 46}}}
    scaler: dict[str, Any] = {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v2",
        "metadata": {"name": "web", "annotations": {"team": "shop"}},
        "spec": {"maxReplicas": 6, "metrics": [cpu, memory], "behavior": {"scaleDown": {}}},
        "status": {"currentMetrics": [used], "conditions": [{"type": "AbleToScale", "status": "True"}]},
    }
    older = forms.shown(scaler, HPA_V1)
    assert older["apiVersion"] == "autoscaling/v1"
    assert older["spec"] == {"maxReplicas": 6, "targetCPUUtilizationPercentage": 70}
    assert older["status"] == {"currentCPUUtilizationPercentage": 46}
    assert forms.stored(older, HPA_V1) == scaler


def test_an_event_goes_through_the_newer_api_and_back() -> None:
    event = {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p"},
        "message": "Started",
        "source": {"component": "kubelet"},
        "firstTimestamp": "2026-03-08T14:00:00Z",
        "lastTimestamp": "2026-03-08T14:00:00Z",
        "eventTime": None,
        "count": 3,
        "reportingComponent": "kubelet",
        "reportingInstance": "",
    }
    newer = forms.shown(event, EVENTS_V1)
    assert (newer["note"], newer["regarding"]["name"], newer["deprecatedCount"]) == ("Started", "p", 3)
    assert forms.stored(newer, EVENTS_V1) == event


def test_a_scale_has_its_selector_as_text_and_leaves_out_zero() -> None:
    deployment = {
        "metadata": {"name": "web", "labels": {"a": "b"}, "resourceVersion": "9"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"b": "2", "a": "1"}}},
        "status": {"replicas": 1},
    }
    scale = forms.scale(deployment)
    assert scale["metadata"] == {"name": "web", "resourceVersion": "9"}
    assert (scale["spec"], scale["status"]) == ({}, {"replicas": 1, "selector": "a=1,b=2"})
