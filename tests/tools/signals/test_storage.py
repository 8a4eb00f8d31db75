"""Volume claims that are not bound, volumes that are elsewhere, and the fault of both."""

from typing import Any

import pytest

from opssquad import Json
from tests.tools.signals.objects import ago, container, deployment, event, faults, obj, pod, ranked, told

CLASSES = frozenset({"StorageClass", "PersistentVolume", "Service"})
NONE_SET = "no persistent volumes available for this claim and no storage class is set"


def claim(**spec: Any) -> Json:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}, **spec}
    return obj("PersistentVolumeClaim", "data", asked, {"phase": "Pending"})


def volume(name: str = "pv-1", phase: str = "Available", **spec: Any) -> Json:
    offered = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "20Gi"}, "volumeMode": "Filesystem"}
    made = obj("PersistentVolume", name, {**offered, **spec}, {"phase": phase})
    made["metadata"].pop("namespace")
    return made


def user(message: str = "") -> Json:
    """A pod that mounts the claim and waits for it."""
    said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    each = pod(phase="Pending", conditions=[{**said, "lastTransitionTime": ago(20)}])
    each["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return each


@pytest.mark.parametrize(
    ("offered", "asked", "differs"),
    [
        ({"accessModes": ["ReadWriteOnce"]}, {"accessModes": ["ReadWriteMany"]}, ["mode"]),
        ({"capacity": {"storage": "5Gi"}}, {}, ["size"]),
        ({"volumeMode": "Block"}, {}, ["kind"]),
        ({"storageClassName": "slow"}, {}, ["class"]),
        ({}, {"selector": {"matchLabels": {"tier": "gold"}}}, ["selector"]),
    ],
)
def test_the_volume_that_is_free_and_does_not_fit_is_told_with_the_difference(
    offered: Json, asked: Json, differs: list[str]
) -> None:
    each = claim(**asked)
    said = event(each, "FailedBinding", NONE_SET)
    found = told(each, volume(**offered), said, complete=CLASSES)["pvc.unbound"]
    assert (found.data["why"], found.data["differs"]) == ("no_volume", differs)
    assert "PersistentVolume pv-1 is free but differs" in found.text


def test_a_volume_that_another_claim_has_is_not_free() -> None:
    each = claim()
    taken = volume(phase="Bound", claimRef={"name": "other", "namespace": "n"})
    found = told(each, taken, event(each, "FailedBinding", NONE_SET))["pvc.unbound"]
    assert found.data["nearest"] == ""


def test_a_class_that_only_volumes_made_by_hand_carry_is_not_missing() -> None:
    each = claim(storageClassName="manual", accessModes=["ReadWriteMany"])
    found = told(each, volume(storageClassName="manual"), complete=CLASSES)["pvc.unbound"]
    assert (found.data["why"], found.data["differs"]) == ("no_volume", ["mode"])


def test_a_claim_of_a_class_that_does_not_exist_is_why_the_pods_wait() -> None:
    message = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    each = claim(storageClassName="fast")
    missing = event(each, "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
    found = ranked(deployment(), user(message), each, missing)
    assert (found[0].fault, str(found[0].component)) == ("K22", "PersistentVolumeClaim/n/data")
    assert "fast does not exist" in found[0].root_cause or '"fast" not found' in found[0].root_cause
    assert found[0].score > next((h.score for h in found if h.fault == "K16"), 0)


def test_a_volume_in_another_zone_is_a_fault_of_storage_not_of_requests() -> None:
    message = "0/3 nodes are available: 3 node(s) had volume node affinity conflict."
    assert faults(deployment(), user(message))[0] == "K22"


def test_a_claim_that_waits_for_a_pod_that_is_too_big_is_no_fault_of_storage() -> None:
    cls = {**obj("StorageClass", "slow"), "volumeBindingMode": "WaitForFirstConsumer"}
    cls["metadata"].pop("namespace")
    each = claim(storageClassName="slow")
    waits = event(each, "WaitForPodScheduled", "waiting for pod web-1 to be scheduled")
    scene = (deployment(), cls, each, waits, user("0/3 nodes are available: 3 Insufficient memory."))
    assert told(*scene)["pvc.unbound"].severity == "info"
    found = faults(*scene)
    assert (found[0], "K22" in found) == ("K16", False)


def test_a_volume_that_another_pod_holds_is_told_with_the_pod() -> None:
    status = container(state={"waiting": {"reason": "ContainerCreating"}})
    each = pod(name="web-2", phase="Pending", containerStatuses=[status])
    each["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    said = 'Multi-Attach error for volume "pvc-7" Volume is already used by pod(s) web-1'
    shown = (deployment(), each, event(each, "FailedAttachVolume", said))
    found = told(*shown)["pod.not_ready"]
    assert (found.data["why"], found.data["held_by"]) == ("multi_attach", "web-1")
    assert found.data["volume"] == "pvc-7"
    assert found.data["claims"] == ["PersistentVolumeClaim/n/data"]
    best = ranked(*shown)[0]
    assert (best.fault, "already used by pod(s) web-1" in best.root_cause) == ("K22", True)


def test_a_claim_nobody_uses_and_one_that_is_bound_open_nothing() -> None:
    each = claim(storageClassName="fast")
    missing = event(each, "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
    assert "K22" not in faults(each, missing)
    bound = {**each, "status": {"phase": "Bound"}}
    assert "K22" not in faults(deployment(1, 1), bound, missing, pod(ready=True))


def test_a_stateful_set_whose_service_is_gone_says_so() -> None:
    made = obj("StatefulSet", "db", {"serviceName": "db", "replicas": 1}, {"readyReplicas": 1})
    found = told(made, complete=CLASSES)["statefulset.service_missing"]
    assert (found.data["ref"], found.owner.name) == ("Service/n/db", "db")
    assert "statefulset.service_missing" not in told(made, obj("Service", "db", {"clusterIP": "None"}))
    assert "statefulset.service_missing" not in told(made, complete=frozenset())
