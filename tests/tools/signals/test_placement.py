"""Pods that no node takes: what the scheduler's words mean, nodes that are closed, ports, gates."""

from typing import Any

import pytest
from tools._focus import concerned
from tools.signals._scene import Scene
from tools.signals.reading import read_signals
from tools.signals.scheduling import cause, reasons

from opssquad import Json, Ref
from tests.tools.signals.objects import (
    NOW,
    ago,
    deployment,
    event,
    faults,
    obj,
    pod,
    ranked,
    rolled_out,
    told,
)

BOSS = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"
PORTS = "2 node(s) didn't have free ports for the requested pod ports."
TAIL = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("message", "why", "claim"),
    [
        ("0/3 nodes are available: 3 Insufficient cpu.", "resources", ""),
        ("0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient memory.", "resources", ""),
        ("0/3 nodes are available: 3 node(s) were unschedulable.", "closed", ""),
        (
            f"0/3 nodes are available: {BOSS}, 2 node(s) didn't match Pod's node affinity/selector.",
            "affinity",
            "",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.",
            "ports",
            "",
        ),
        (
            f"0/4 nodes are available: {BOSS}, 3 node(s) had volume node affinity conflict.",
            "volume",
            "",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.",
            "volume",
            "",
        ),
        ('0/3 nodes are available: persistentvolumeclaim "data" not found.', "volume", "data"),
        ("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", "volume", ""),
        ("no nodes available to schedule pods", "other", ""),
    ],
)
def test_what_the_scheduler_says_is_told_by_what_it_is_about(message: str, why: str, claim: str) -> None:
    assert cause(f"{message}{TAIL}") == (why, claim)


def test_a_reason_is_read_to_its_end_though_the_key_of_a_taint_holds_dots() -> None:
    message = (
        "0/2 nodes are available: 1 node(s) had untolerated taint {example.com/pool: gpu}, 1 Too many pods."
    )
    assert reasons(message) == [
        {"nodes": 1, "reason": "node(s) had untolerated taint {example.com/pool: gpu}"},
        {"nodes": 1, "reason": "Too many pods"},
    ]


def node(name: str, cpu: str = "4", **spec: Any) -> Json:
    made = obj(
        "Node", name, spec, {"allocatable": {"cpu": cpu}, "conditions": [{"type": "Ready", "status": "True"}]}
    )
    made["metadata"].pop("namespace")
    made["metadata"]["labels"] = {"kubernetes.io/hostname": name}
    return made


def edited(made: Json, field: str, manager: str, minutes: float) -> Json:
    """The node as it stands after somebody set that field of its spec so many minutes ago."""
    entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": ago(minutes)}
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {f"f:{field}": {}}}}
    made["metadata"]["managedFields"] = [entry]
    return made


def pending(message: str, cpu: str = "1", **spec: Any) -> Json:
    said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    each = pod(phase="Pending", conditions=[{**said, "lastTransitionTime": ago(20)}])
    each["metadata"]["creationTimestamp"] = ago(20)
    del each["spec"]["nodeName"]
    each["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}}
    each["spec"].update(spec)
    return each


def busy(on: str, cpu: str) -> Json:
    """A pod of another workload that takes so much of a node."""
    each = obj("Pod", f"busy-{on}", {"nodeName": on}, {"phase": "Running"})
    each["spec"]["containers"] = [{"name": "x", "resources": {"requests": {"cpu": cpu}}}]
    return each


CORDONED = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable."
TAINTED = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {drain: now}."


def test_a_forgotten_cordon_is_the_fault_of_the_node_and_tells_by_whom() -> None:
    shut = edited(node("n2", unschedulable=True), "unschedulable", "kubectl-cordon", 45)
    scene = (deployment(), node("n1"), busy("n1", "3.5"), shut, pending(CORDONED))
    found = told(*scene)
    assert found["pod.unschedulable"].data["closed"] == ["Node//n2"]
    best = ranked(*scene)[0]
    assert (best.fault, str(best.component)) == ("K17", "Node//n2")
    assert "cordoned by kubectl-cordon 45 min ago" in best.root_cause
    uncordon = best.options[0]
    assert (uncordon.action, uncordon.tool, uncordon.args) == ("uncordon", "uncordon", {"node": "n2"})


def test_who_looks_at_the_workload_alone_is_told_of_the_node_that_is_closed_to_it() -> None:
    shut = edited(node("n2", unschedulable=True), "unschedulable", "kubectl-cordon", 45)
    away = edited(node("n3", cpu="0", unschedulable=True), "unschedulable", "kubectl-cordon", 45)
    scene = Scene(NOW, (deployment(), node("n1"), busy("n1", "3.5"), shut, away, pending(CORDONED)))
    web = Ref(kind="Deployment", namespace="n", name="web")
    found = concerned(web, read_signals(scene), scene)
    assert [each.entity.name for each in found if each.id == "node.cordoned"] == ["n2"]


def test_a_new_taint_is_the_fault_of_the_node_and_no_uncordon_helps() -> None:
    taints = [{"key": "drain", "value": "now", "effect": "NoSchedule"}]
    shut = edited(node("n2", taints=taints), "taints", "kubectl-taint", 45)
    scene = (deployment(), node("n1"), busy("n1", "3.5"), shut, pending(TAINTED))
    best = ranked(*scene)[0]
    assert (best.fault, str(best.component)) == ("K17", "Node//n2")
    assert "drain=now:NoSchedule by kubectl-taint 45 min ago" in best.root_cause
    assert [each.action for each in best.options] == ["patch", "escalate"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cpu": "8"}, CORDONED),
        ({"nodeSelector": {"disk": "ssd"}}, CORDONED),
    ],
)
def test_a_cordoned_node_that_could_not_take_the_pod_anyway_is_a_distractor(
    change: Any, message: str
) -> None:
    shut = edited(node("n2", unschedulable=True), "unschedulable", "kubectl-cordon", 45)
    scene = (deployment(), node("n1"), busy("n1", "3.5"), shut, pending(message, **change))
    rollout = rolled_out(deployment(), "resources.requests.cpu", "nodeSelector.disk", minutes=21)
    found = faults(*scene, more=[rollout])
    assert (found[0], "K17" in found) == ("K16", False)


def test_nodes_kept_for_others_since_long_and_by_the_system_are_not_accused() -> None:
    gpu = edited(
        node("n2", taints=[{"key": "example.com/gpu", "effect": "NoSchedule"}]), "taints", "terraform", 90_000
    )
    boss = node("n3", taints=[{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}])
    sick = node("n4", taints=[{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}])
    message = "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had untolerated taints."
    found = told(deployment(), node("n1"), busy("n1", "3.5"), gpu, boss, sick, pending(message))
    assert found["pod.unschedulable"].data["closed"] == []
    assert found["node.tainted"].severity == "info"
    assert found["node.tainted"].entity.name == "n2"


def test_a_taint_that_the_pod_tolerates_does_not_close_the_node() -> None:
    taints = [{"key": "drain", "value": "now", "effect": "NoSchedule"}]
    shut = edited(node("n2", taints=taints), "taints", "kubectl-taint", 45)
    for toleration in (
        {"operator": "Exists"},
        {"key": "drain", "operator": "Exists"},
        {"key": "drain", "value": "now", "effect": "NoSchedule"},
    ):
        found = told(shut, pending(TAINTED, tolerations=[toleration]))
        assert found["pod.unschedulable"].data["closed"] == [], toleration
    others = [
        {"key": "drain", "value": "soon"},
        {"key": "drain", "operator": "Exists", "effect": "NoExecute"},
    ]
    found = told(shut, pending(TAINTED, tolerations=others))
    assert found["pod.unschedulable"].data["closed"] == ["Node//n2"]


def test_a_cordoned_node_that_keeps_nobody_waiting_opens_nothing() -> None:
    shut = edited(node("n2", unschedulable=True), "unschedulable", "kubectl-cordon", 45)
    assert faults(deployment(1, 1), node("n1"), shut, pod(ready=True)) == []


def test_a_host_port_that_every_node_has_given_away_is_a_conflict_of_ports() -> None:
    message = f"0/2 nodes are available: {PORTS}"
    each = pending(message)
    found = ranked(deployment(), each, event(each, "FailedScheduling", message))
    assert [(found[0].fault, str(found[0].component))] == [("K27", "Deployment/n/web")]
    assert "K16" not in [hypothesis.fault for hypothesis in found]


def test_a_gated_pod_is_not_one_that_no_node_takes() -> None:
    said = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "SchedulingGated",
        "lastTransitionTime": ago(9),
    }
    each = pod(phase="Pending", conditions=[said])
    each["spec"]["schedulingGates"] = [{"name": "example.com/quota"}]
    found = told(each)
    assert "example.com/quota" in found["pod.gated"].text
    assert "pod.unschedulable" not in found
    assert "K16" not in faults(deployment(), each)
