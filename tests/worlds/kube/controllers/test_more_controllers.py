"""DaemonSets, claims, CronJobs' Jobs and blind autoscalers in a recorded world."""

from typing import Any

from tests.worlds.kube.living import Living

Json = dict[str, Any]
IMAGE = "registry.example.com/tools/agent:1"


def template(**spec: Any) -> Json:
    pod = {"containers": [{"name": "agent", "image": IMAGE}], **spec}
    return {"metadata": {"labels": {"app": "agent-x"}}, "spec": pod}


def events(living: Living, reason: str) -> list[str]:
    return [e["message"] for e in living.listed("Event", "shop") if e["reason"] == reason]


def test_a_daemon_runs_on_each_node_and_is_replaced_node_by_node() -> None:
    living = Living("shop-0412")
    selector = {"matchLabels": {"app": "agent-x"}}
    body = {"metadata": {"name": "agent"}, "spec": {"selector": selector, "template": template()}}
    living.call("POST", "/apis/apps/v1/namespaces/shop/daemonsets", body)
    living.wait(15)
    nodes = sorted(node["metadata"]["name"] for node in living.listed("Node", ""))
    pods = living.pods("DaemonSet/shop/agent")
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == nodes
    assert living.get("DaemonSet/shop/agent")["status"]["numberReady"] == len(nodes)
    living.set_container("DaemonSet/shop/agent", image=f"{IMAGE}.1")
    living.wait(60)
    pods = living.pods("DaemonSet/shop/agent")
    assert [pod["spec"]["containers"][0]["image"] for pod in pods] == [f"{IMAGE}.1"] * len(nodes)
    assert living.get("DaemonSet/shop/agent")["status"]["updatedNumberScheduled"] == len(nodes)


def claimed(living: Living, storage: str) -> None:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": storage,
    }
    path = "/api/v1/namespaces/shop/persistentvolumeclaims"
    living.call("POST", path, {"metadata": {"name": "spool"}, "spec": spec})
    volume = {"name": "spool", "persistentVolumeClaim": {"claimName": "spool"}}
    pod = {"metadata": {"name": "user"}, "spec": template(volumes=[volume])["spec"]}
    living.call("POST", "/api/v1/namespaces/shop/pods", pod)
    living.wait(20)


def classed(living: Living, name: str) -> None:
    body = {"metadata": {"name": name}, "provisioner": "disk.example.com"}
    living.call("POST", "/apis/storage.k8s.io/v1/storageclasses", body)
    living.wait(40)


def test_a_claim_of_a_class_that_is_not_there_keeps_its_pod_from_any_node_until_it_is() -> None:
    living = Living("shop-0412")
    classed(living, "slow")
    claimed(living, "quick")
    assert events(living, "ProvisioningFailed") == ['storageclass.storage.k8s.io "quick" not found']
    assert any(
        "unbound immediate PersistentVolumeClaims" in said for said in events(living, "FailedScheduling")
    )
    classed(living, "quick")
    claim = living.get("PersistentVolumeClaim/shop/spool")
    assert claim["status"]["phase"] == "Bound"
    assert living.get(f"PersistentVolume//{claim['spec']['volumeName']}")["status"]["phase"] == "Bound"
    assert living.get("Pod/shop/user")["status"]["phase"] == "Running"


def test_a_pod_whose_claim_is_missing_finds_no_node() -> None:
    living = Living("shop-0412")
    classed(living, "slow")
    volume = {"name": "spool", "persistentVolumeClaim": {"claimName": "gone"}}
    pod = {"metadata": {"name": "user"}, "spec": template(volumes=[volume])["spec"]}
    living.call("POST", "/api/v1/namespaces/shop/pods", pod)
    living.wait(5)
    assert any(
        'persistentvolumeclaim "gone" not found' in said for said in events(living, "FailedScheduling")
    )


def test_a_cronjob_knows_which_of_its_jobs_run_and_keeps_as_many_as_it_says() -> None:
    living = Living("shop-0412")
    task = template(restartPolicy="Never")
    spec = {
        "schedule": "0 3 * * *",
        "successfulJobsHistoryLimit": 1,
        "jobTemplate": {"spec": {"template": task}},
    }
    path = "/apis/batch/v1/namespaces/shop"
    cron = living.call("POST", f"{path}/cronjobs", {"metadata": {"name": "sweep"}, "spec": spec})
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "sweep", "uid": cron["metadata"]["uid"]}
    for name in ("sweep-1", "sweep-2"):
        meta = {"name": name, "ownerReferences": [{**owner, "controller": True}]}
        living.call("POST", f"{path}/jobs", {"metadata": meta, "spec": {"template": task}})
        living.wait(1)
        assert [job["name"] for job in living.get("CronJob/shop/sweep")["status"]["active"]] == [name]
        living.wait(20)
    status = living.get("CronJob/shop/sweep")["status"]
    assert "active" not in status
    assert status["lastSuccessfulTime"] > status["lastScheduleTime"]
    assert "Saw completed job: sweep-2, condition: Complete" in events(living, "SawCompletedJob")
    names = [job["metadata"]["name"] for job in living.listed("Job", "shop")]
    assert [name for name in names if name.startswith("sweep")] == ["sweep-2"]


def test_an_autoscaler_that_lacked_a_request_is_active_once_it_is_there() -> None:
    living = Living("shop-0412")
    selector = {"matchLabels": {"app": "agent-x"}}
    body = {"metadata": {"name": "pier"}, "spec": {"selector": selector, "template": template()}}
    living.call("POST", "/apis/apps/v1/namespaces/shop/deployments", body)
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "pier"},
        "maxReplicas": 4,
        "metrics": [{"type": "Resource", "resource": metric}],
    }
    path = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
    living.call("POST", path, {"metadata": {"name": "pier"}, "spec": spec})
    blind = {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}
    told = {**blind, "lastTransitionTime": "2026-04-12T08:00:00Z", "message": "missing request for cpu"}
    living.call("PATCH", f"{path}/pier/status", {"status": {"conditions": [told]}}, "merge")
    living.set_container("Deployment/shop/pier", image=f"{IMAGE}.1")
    living.wait(20)
    target = "HorizontalPodAutoscaler/shop/pier"
    assert living.get(target)["status"]["conditions"][0]["status"] == "False"
    living.set_container("Deployment/shop/pier", resources={"requests": {"cpu": "100m"}})
    living.wait(20)
    assert living.get(target)["status"]["conditions"][0]["reason"] == "ValidMetricFound"
