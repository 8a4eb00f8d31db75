"""Tables: the words that sum up a pod, columns of custom resources, what rows carry."""

from typing import Any

import pytest

from opssquad.worlds.kube.apiserver import tables
from opssquad.worlds.kube.apiserver.cells import CELLS, cluster, network, workloads
from opssquad.worlds.kube.apiserver.cells.pods import pod as pod_cells
from opssquad.worlds.kube.apiserver.resources import Resource, ResourceKey, builtin
from tests.worlds.kube.apiserver.small import START, SmallWorld, body, pod

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def container(name: str = "main", restarts: int = 0, ready: bool = False, **state: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state}


def summed_up(status: dict[str, Any], spec: dict[str, Any] | None = None) -> list[Any]:
    return pod_cells(pod("web-1", status=status, spec=spec or {}), START)[1:4]


@pytest.mark.parametrize(
    ("status", "cells"),
    [
        ({"containerStatuses": [container(ready=True, running={})]}, ["1/1", "Running", "0"]),
        (
            {"containerStatuses": [container(restarts=4, waiting={"reason": "CrashLoopBackOff"})]},
            ["0/1", "CrashLoopBackOff", "4"],
        ),
        (
            {"containerStatuses": [container(terminated={"exitCode": 137, "reason": "OOMKilled"})]},
            ["0/1", "OOMKilled", "0"],
        ),
        ({"containerStatuses": [container(terminated={"exitCode": 3})]}, ["0/1", "ExitCode:3", "0"]),
        ({"containerStatuses": [container(terminated={"signal": 9})]}, ["0/1", "Signal:9", "0"]),
        ({"phase": "Pending", "containerStatuses": []}, ["0/1", "Pending", "0"]),
        ({"phase": "Failed", "reason": "Evicted", "containerStatuses": []}, ["0/1", "Evicted", "0"]),
        (
            {
                "phase": "Pending",
                "containerStatuses": [],
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            },
            ["0/1", "SchedulingGated", "0"],
        ),
    ],
)
def test_one_word_sums_up_a_pod(status: dict[str, Any], cells: list[str]) -> None:
    assert summed_up(status) == cells


def test_the_last_restart_is_told_with_its_age() -> None:
    status = container(restarts=2, ready=True, running={})
    status["lastState"] = {"terminated": {"finishedAt": "2026-03-08T14:33:00Z"}}
    assert summed_up({"containerStatuses": [status]}) == ["1/1", "Running", "2 (4m ago)"]


@pytest.mark.parametrize(
    ("init", "word"),
    [
        (container("wait", running={}), "Init:0/1"),
        (container("wait", waiting={"reason": "PodInitializing"}), "Init:0/1"),
        (container("wait", waiting={"reason": "ImagePullBackOff"}), "Init:ImagePullBackOff"),
        (container("wait", terminated={"exitCode": 1, "reason": "Error"}), "Init:Error"),
        (container("wait", terminated={"exitCode": 2}), "Init:ExitCode:2"),
    ],
)
def test_an_init_container_that_is_not_done_speaks_for_the_pod(init: dict[str, Any], word: str) -> None:
    waiting = container(waiting={"reason": "PodInitializing"})
    status = {"phase": "Pending", "initContainerStatuses": [init], "containerStatuses": [waiting]}
    assert summed_up(status, {"initContainers": [{"name": "wait"}]}) == ["0/1", word, "0"]


def test_a_sidecar_counts_among_the_containers() -> None:
    sidecar = {**container("proxy", ready=True, running={}), "started": True}
    status = {"initContainerStatuses": [sidecar], "containerStatuses": [container(ready=True, running={})]}
    spec = {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]}
    assert summed_up(status, spec) == ["2/2", "Running", "0"]


def test_a_pod_that_goes_away_is_terminating_until_it_has_ended() -> None:
    leaving = pod("web-1")
    leaving["metadata"]["deletionTimestamp"] = "2026-03-08T14:37:30Z"
    assert pod_cells(leaving, START)[2] == "Terminating"
    leaving["status"] |= {"phase": "Succeeded", "containerStatuses": []}
    assert pod_cells(leaving, START)[2] == "Succeeded"


def test_a_cordoned_node_says_so() -> None:
    node = {
        "metadata": {
            "name": "n1",
            "labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "db"},
        },
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
    }
    assert cluster.node(node, START)[1:3] == ["NotReady,SchedulingDisabled", "db,worker"]


@pytest.mark.parametrize(
    ("spec", "balancer", "cell"),
    [
        ({"type": "LoadBalancer"}, [], "<pending>"),
        (
            {"type": "LoadBalancer"},
            [{"ip": "1.2.3.4"}, {"hostname": "lb.example.com"}],
            "1.2.3.4,lb.example.com",
        ),
        ({"type": "ExternalName", "externalName": "db.example.com"}, [], "db.example.com"),
        ({"type": "NodePort", "externalIPs": ["9.9.9.9"]}, [], "9.9.9.9"),
    ],
)
def test_a_service_shows_where_it_is_reached_from_outside(
    spec: dict[str, Any], balancer: list[dict[str, str]], cell: str
) -> None:
    service = {"metadata": {"name": "s"}, "spec": spec, "status": {"loadBalancer": {"ingress": balancer}}}
    assert network.service(service, START)[3] == cell


def test_an_autoscaler_without_a_measurement_says_unknown() -> None:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    scaler = {
        "metadata": {"name": "s"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "web"},
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": cpu}],
        },
    }
    assert workloads.autoscaler(scaler, START)[1:4] == ["Deployment/web", "cpu: <unknown>/70%", "<unset>"]


def test_every_printer_fills_the_columns_that_discovery_promises() -> None:
    known = {r.key for r in builtin().all} | {ResourceKey("autoscaling", "scales")}
    assert set(CELLS) <= known


def test_custom_columns_are_read_by_path() -> None:
    widget = Resource(
        "example.com",
        "v1",
        "widgets",
        "widget",
        "Widget",
        True,
        columns=(
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
            {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
            {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "Owner", "type": "string", "jsonPath": ".metadata.labels['example\\.com/owner']"},
        ),
    )
    obj = {
        "metadata": {"name": "w", "creationTimestamp": "2026-03-08T14:00:00Z"},
        "spec": {"size": 3},
        "status": {"conditions": [{"type": "Old", "status": "?"}, {"type": "Ready", "status": "True"}]},
    }
    table = tables.table(widget, [obj], {}, START)
    assert [column["name"] for column in table["columnDefinitions"]] == [
        "Name",
        "Size",
        "Ready",
        "Since",
        "Owner",
    ]
    assert table["rows"][0]["cells"] == ["w", 3, "True", "37m", None]


@pytest.mark.parametrize(
    ("include", "kind"), [("None", None), ("Object", "Pod"), ("Metadata", "PartialObjectMetadata")]
)
def test_rows_carry_what_was_asked_for(include: str, kind: str | None) -> None:
    world = SmallWorld(pod("web-1"))
    table = body(world.get(f"/api/v1/pods?includeObject={include}", TABLE))
    carried = table["rows"][0]["object"]
    assert (carried and carried["kind"]) == kind


def test_an_error_stays_a_status() -> None:
    assert body(SmallWorld().get("/api/v1/namespaces/a/pods/none", TABLE))["kind"] == "Status"
