"""Workloads, Services, storage, Jobs, autoscalers, webhooks' refusals: beyond what the recordings hold."""

import pytest

from tests.tools.signals.objects import (
    ago,
    container,
    deployment,
    event,
    every,
    faults,
    obj,
    pod,
    ranked,
    rolled_out,
    told,
)

SLICE = {"kubernetes.io/service-name": "web"}


@pytest.mark.parametrize(
    ("message", "why", "behind"),
    [
        ("exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3", "quota", "ResourceQuota/n/q"),
        ("failed quota: q: must specify memory for: app", "quota", "ResourceQuota/n/q"),
        (
            'error looking up service account n/bot: serviceaccount "bot" not found',
            "service_account",
            "ServiceAccount/n/bot",
        ),
        ('failed calling webhook "v.example.io": x509: certificate has expired', "webhook", ""),
        ("maximum memory usage per Container is 1Gi, but limit is 2Gi", "limit_range", ""),
        ('violates PodSecurity "restricted:latest": privileged', "pod_security", ""),
        ("the server could not do it", "other", ""),
    ],
)
def test_what_refuses_the_pods_is_told_apart(message: str, why: str, behind: str) -> None:
    keeper = obj(
        "ReplicaSet", "web-h1", ownerReferences=[{"kind": "Deployment", "name": "web", "controller": True}]
    )
    found = told(deployment(), keeper, event(keeper, "FailedCreate", f"Error creating: {message}"))
    refused = found["replicaset.create_failed"]
    assert (refused.data["why"], refused.data["object"], refused.owner.kind) == (why, behind, "Deployment")


def test_a_deployment_scaled_to_zero_long_ago_is_no_alarm() -> None:
    old = [{"type": "Available", "status": "True", "lastTransitionTime": ago(9_000)}]
    found = told(deployment(0, 0, conditions=old))
    assert found["workload.scaled_to_zero"].severity == "info"


def test_a_service_without_ready_pods_falls_to_its_workload() -> None:
    service = obj("Service", "web", {"selector": {"app": "web"}})
    ends = {
        **obj("EndpointSlice", "web-x", labels=SLICE),
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}],
    }
    found = told(service, ends, deployment(), pod())["service.no_endpoints"]
    assert (found.data["why"], str(found.owner)) == ("none_ready", "Deployment/n/web")


def test_a_service_is_not_accused_where_endpoints_could_not_be_read() -> None:
    service = obj("Service", "web", {"selector": {"app": "web"}})
    assert "service.no_endpoints" not in told(service, complete=frozenset({"Service"}))


def test_a_port_that_no_container_declares_is_told() -> None:
    service = obj("Service", "web", {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 9999}]})
    ends = {**obj("EndpointSlice", "web-x", labels=SLICE), "endpoints": [{"addresses": ["10.0.0.1"]}]}
    each = pod(ready=True)
    each["spec"]["containers"][0]["ports"] = [{"containerPort": 8080}]
    found = told(service, ends, each)["service.port_mismatch"]
    assert (found.data["target_port"], "declares (declared: 8080)" in found.text) == (9999, True)


def test_a_claim_whose_class_does_not_exist_says_so() -> None:
    claim = obj("PersistentVolumeClaim", "data", {"storageClassName": "fast"}, {"phase": "Pending"})
    found = told(claim, complete=frozenset({"StorageClass"}))["pvc.unbound"]
    assert found.data["class_missing"] is True
    assert "StorageClass fast does not exist" in found.text


def test_a_claim_that_waits_for_its_first_pod_is_well() -> None:
    cls = {**obj("StorageClass", "slow"), "volumeBindingMode": "WaitForFirstConsumer"}
    cls["metadata"].pop("namespace")
    claim = obj("PersistentVolumeClaim", "data", {"storageClassName": "slow"}, {"phase": "Pending"})
    assert "pvc.unbound" not in told(cls, claim)


def test_a_failed_job_is_no_alarm_once_a_later_run_succeeded() -> None:
    up = [{"kind": "CronJob", "name": "nightly", "controller": True}]
    gave_up = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "lastTransitionTime": ago(30),
    }
    failed = obj("Job", "nightly-1", {}, {"failed": 4, "conditions": [gave_up]}, ownerReferences=up)
    later = obj("Job", "nightly-2", {}, {"succeeded": 1, "completionTime": ago(10)}, ownerReferences=up)
    assert told(failed)["job.failed"].severity == "warning"
    assert told(failed, later)["job.failed"].severity == "info"


def test_an_autoscaler_that_cannot_measure_falls_to_its_workload() -> None:
    target = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5}
    said = {
        "type": "ScalingActive",
        "status": "False",
        "reason": "FailedGetResourceMetric",
        "message": "missing request for cpu",
    }
    found = told(obj("HorizontalPodAutoscaler", "web", target, {"conditions": [said]}))["hpa.inactive"]
    assert (str(found.owner), found.data["reason"]) == ("Deployment/n/web", "FailedGetResourceMetric")


def test_an_autoscaler_at_its_maximum_is_told_only_when_it_wants_more() -> None:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5}
    more = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}
    assert "hpa.at_max" in told(
        obj("HorizontalPodAutoscaler", "w", spec, {"currentReplicas": 5, "conditions": [more]})
    )
    assert "hpa.at_max" not in told(obj("HorizontalPodAutoscaler", "w", spec, {"currentReplicas": 5}))


def test_an_ingress_to_a_service_that_is_gone_is_told() -> None:
    paths = [{"backend": {"service": {"name": "gone"}}}]
    ingress = obj("Ingress", "front", {"rules": [{"http": {"paths": paths}}]})
    found = told(ingress, complete=frozenset({"Service"}))["ingress.backend_missing"]
    assert found.data["ref"] == "Service/n/gone"


def test_a_node_under_pressure_and_a_cordoned_one_are_told() -> None:
    pressure = {"type": "DiskPressure", "status": "True", "lastTransitionTime": ago(5), "message": "disk"}
    full = obj("Node", "n1", {}, {"conditions": [{"type": "Ready", "status": "True"}, pressure]})
    shut = obj("Node", "n2", {"unschedulable": True}, {"conditions": [{"type": "Ready", "status": "True"}]})
    found = told(full, shut)
    assert (found["node.pressure"].entity.name, found["node.cordoned"].entity.name) == ("n1", "n2")
    assert "node.not_ready" not in found


def test_what_a_detector_says_of_a_node_is_told_and_what_is_good_is_not() -> None:
    ready = {"type": "Ready", "status": "True"}
    stuck = {"type": "KernelDeadlock", "status": "True", "reason": "DockerHung", "message": "task blocked"}
    voter = {"type": "EtcdIsVoter", "status": "True"}
    fine = {"type": "ReadonlyFilesystem", "status": "False"}
    found = every(obj("Node", "n1", {}, {"conditions": [ready, stuck, voter, fine]}))
    assert [(each.id, each.data.get("type")) for each in found] == [("node.problem", "KernelDeadlock")]


def test_a_service_account_that_is_gone_is_why_no_pod_can_be_created() -> None:
    up = [{"kind": "Deployment", "name": "web", "controller": True}]
    keeper = obj("ReplicaSet", "web-h1", ownerReferences=up)
    message = (
        'pods "web-h1-" is forbidden: error looking up service account n/bot: serviceaccount "bot" not found'
    )
    refused = event(keeper, "FailedCreate", f"Error creating: {message}")
    best = ranked(deployment(), keeper, refused)[0]
    assert (best.fault, str(best.component)) == ("K21", "Deployment/n/web")
    assert best.root_cause.startswith("ServiceAccount/n/bot does not exist")
    quota = "Error creating: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3"
    assert "K21" not in faults(deployment(), keeper, event(keeper, "FailedCreate", quota))


def test_a_pull_secret_that_does_not_exist_speaks_for_a_refused_pull() -> None:
    made = deployment()
    made["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "registry"}]
    kinds = frozenset({"Secret"})
    assert told(made, complete=kinds)["config.pull_secret_missing"].data["ref"] == "Secret/n/registry"
    assert "config.pull_secret_missing" not in told(made, obj("Secret", "registry"), complete=kinds)
    assert "config.pull_secret_missing" not in told(made, complete=frozenset())
    each = pod(containerStatuses=[container(state={"waiting": {"reason": "ImagePullBackOff"}})])
    refused = event(each, "Failed", 'Failed to pull image "web:1": unauthorized: authentication required')
    best = ranked(made, each, refused, obj("Secret", "other"))[0]
    assert (best.fault, "its pull Secret registry does not exist" in best.root_cause) == ("K03", True)


def test_a_startup_probe_that_kills_is_as_good_as_a_liveness_probe() -> None:
    status = container(restarts=4, state={"running": {"startedAt": ago(1)}})
    each = pod(containerStatuses=[status])
    each["spec"]["containers"][0]["startupProbe"] = {"httpGet": {"port": 8081, "path": "/up"}}
    said = event(
        each, "Unhealthy", "Startup probe failed: dial tcp 10.0.0.1:8081: connect: connection refused"
    )
    killed = event(each, "Killing", "Container app failed startup probe, will be restarted")
    rollout = rolled_out(deployment(), "startupProbe.httpGet.port", minutes=70)
    best = ranked(deployment(), each, said, killed, more=[rollout])[0]
    assert (best.fault, best.options[0].action) == ("K08", "rollback")
    assert "The startup probe of web fails (port 8081, path /up" in best.root_cause


def test_a_mount_that_failed_before_the_containers_ran_is_over() -> None:
    ran = container(restarts=1, state={"running": {"startedAt": ago(20)}})
    each = pod(containerStatuses=[ran])
    said = event(each, "FailedMount", 'MountVolume.SetUp failed: secret "tls" not found', minutes=25)
    assert told(each, said)["pod.not_ready"].data["stuck"] == ""
    assert "K11" not in faults(deployment(), each, said)
