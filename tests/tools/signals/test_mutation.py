"""Pods that are not what their template says: what counts, what Kubernetes does itself, and what it did."""

import copy

import pytest

from opssquad import Json
from tests.tools.signals.network import RULE, config, namespace
from tests.tools.signals.objects import ago, container, obj, told

APP: Json = {
    "name": "app",
    "image": "reg.example.io/shop/web:1",
    "command": ["/web"],
    "env": [{"name": "LEVEL", "value": "info"}],
    "resources": {"limits": {"memory": "512Mi"}, "requests": {"memory": "256Mi"}},
}
OOM = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": ago(3), "finishedAt": ago(2)}}
CRASH = {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": ago(3), "finishedAt": ago(2)}}
BACKOFF = {"waiting": {"reason": "CrashLoopBackOff"}}
MUTATING = config("MutatingWebhookConfiguration", "injector")


def keeper(template_app: Json = APP) -> Json:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [template_app]}}
    up = [{"kind": "Deployment", "name": "web", "controller": True}]
    return obj("ReplicaSet", "web-h1", {"replicas": 1, "template": template}, ownerReferences=up)


def made(last: Json | None = None, **app: object) -> Json:
    """A pod of the ReplicaSet as the server stores it, with `app` in place of what the template says."""
    token = {"name": "kube-api-access-x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    spec = {
        "containers": [{**copy.deepcopy(APP), "volumeMounts": [token], "imagePullPolicy": "Always", **app}],
        "volumes": [{"name": "kube-api-access-x", "projected": {"sources": []}}],
        "nodeName": "n1",
        "serviceAccountName": "default",
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
        "priority": 0,
    }
    state = container(False, 4, state=BACKOFF, lastState=last or {})
    return obj(
        "Pod",
        "web-h1-x",
        spec,
        {"phase": "Running", "containerStatuses": [state]},
        generateName="web-h1-",
        labels={"app": "web", "pod-template-hash": "h1"},
        ownerReferences=[{"kind": "ReplicaSet", "name": "web-h1", "controller": True}],
    )


def limits(memory: str) -> Json:
    return {"limits": {"memory": memory}, "requests": {"memory": "32Mi"}}


def test_a_lowered_limit_is_told_with_the_webhook_that_may_have_lowered_it() -> None:
    found = told(keeper(), made(OOM, resources=limits("32Mi")), MUTATING)["pod.differs_from_template"]
    assert (found.data["harm"], found.severity, str(found.owner)) == (
        "oom_killed",
        "warning",
        "Deployment/n/web",
    )
    assert found.data["component"] == "MutatingWebhookConfiguration//injector"
    fields = {(each["field"], each["from"], each["to"]) for each in found.data["fields"]}
    assert ("resources.limits.memory", "512Mi", "32Mi") in fields


def test_a_pod_as_its_template_says_is_well_with_all_that_kubernetes_adds() -> None:
    assert "pod.differs_from_template" not in told(keeper(), made(OOM), MUTATING)


def test_without_a_webhook_that_sees_pods_nothing_is_told() -> None:
    pod = made(OOM, resources=limits("32Mi"))
    assert "pod.differs_from_template" not in told(keeper(), pod)
    other = config("MutatingWebhookConfiguration", rules=[{**RULE, "resources": ["services"]}])
    assert "pod.differs_from_template" not in told(keeper(), pod, other)
    elsewhere = config("MutatingWebhookConfiguration", objectSelector={"matchLabels": {"inject": "yes"}})
    assert "pod.differs_from_template" not in told(keeper(), pod, elsewhere)
    spaces = config("MutatingWebhookConfiguration", namespaceSelector={"matchLabels": {"inject": "yes"}})
    assert "pod.differs_from_template" not in told(keeper(), pod, spaces, namespace("n"))
    assert "pod.differs_from_template" in told(keeper(), pod, spaces, namespace("n", inject="yes"))


def test_of_several_webhooks_none_is_accused() -> None:
    pod, second = made(OOM, resources=limits("32Mi")), config("MutatingWebhookConfiguration", "second")
    found = told(keeper(), pod, MUTATING, second)["pod.differs_from_template"]
    assert found.data["component"] == "Deployment/n/web"
    assert len(found.data["webhooks"]) == 2


def test_a_request_that_the_server_takes_over_from_the_limit_is_no_difference() -> None:
    template = {**APP, "resources": {"limits": {"cpu": "1", "memory": "512Mi"}}}
    taken = {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "1", "memory": "512Mi"}}
    assert "pod.differs_from_template" not in told(keeper(template), made(OOM, resources=taken), MUTATING)
    taken["requests"]["cpu"] = "100m"
    found = told(keeper(template), made(OOM, resources=taken), MUTATING)["pod.differs_from_template"]
    assert [each["field"] for each in found.data["fields"]] == ["resources.requests.cpu"]


@pytest.mark.parametrize("note", ["kubernetes.io/limit-ranger", "vpaUpdates"])
def test_resources_of_a_limit_range_or_an_autoscaler_are_no_webhooks(note: str) -> None:
    pod = made(OOM, resources=limits("32Mi"))
    pod["metadata"]["annotations"] = {note: "limits for container app"}
    assert "pod.differs_from_template" not in told(keeper(), pod, MUTATING)


def entry(manager: str, fields: Json, subresource: str = "") -> Json:
    whole = {"manager": manager, "operation": "Update", "time": ago(5), "fieldsV1": fields}
    return {**whole, **({"subresource": subresource} if subresource else {})}


def test_a_pod_that_was_resized_or_edited_later_was_not_rewritten_at_its_creation() -> None:
    spec = {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:image": {}, "f:resources": {}}}}}
    resized = made(OOM, resources=limits("32Mi"))
    resized["metadata"]["managedFields"] = [entry("kubectl", spec, "resize")]
    assert "pod.differs_from_template" not in told(keeper(), resized, MUTATING)
    edited = made(CRASH, image="reg.example.io/shop/web:2")
    edited["metadata"]["managedFields"] = [entry("kubectl-edit", spec)]
    assert "pod.differs_from_template" not in told(keeper(), edited, MUTATING)
    edited["metadata"]["managedFields"] = [entry("kube-controller-manager", spec)]
    assert told(keeper(), edited, MUTATING)["pod.differs_from_template"].data["harm"] == "exits"


@pytest.mark.parametrize(
    ("last", "app", "harm"),
    [
        (CRASH, {"command": ["/other"]}, "exits"),
        (CRASH, {"env": [{"name": "LEVEL", "value": "loud"}]}, "exits"),
        (CRASH, {"env": [*APP["env"], {"name": "TRACE", "value": "1"}]}, ""),
        (CRASH, {"image": "mirror.example.io/shop/web:1"}, ""),
        (CRASH, {"resources": limits("32Mi")}, ""),
        (OOM, {"command": ["/other"]}, ""),
        (OOM, {"resources": limits("2Gi")}, ""),
    ],
)
def test_harm_is_what_the_change_can_bring_about(last: Json, app: Json, harm: str) -> None:
    found = told(keeper(), made(last, **app), MUTATING)["pod.differs_from_template"]
    assert found.data["harm"] == harm
    assert found.severity == ("warning" if harm else "info")


def test_a_sidecar_that_was_added_is_no_difference() -> None:
    pod = made(CRASH)
    pod["spec"]["containers"].append({"name": "proxy", "image": "mesh:1"})
    assert "pod.differs_from_template" not in told(keeper(), pod, MUTATING)


def test_an_adopted_pod_was_never_made_from_the_template() -> None:
    pod = made(CRASH, command=["/other"])
    pod["metadata"].pop("generateName")
    assert "pod.differs_from_template" not in told(keeper(), pod, MUTATING)


def stateful(update: str = "db-r2", generation: int = 2) -> list[Json]:
    """A StatefulSet, and a pod of its revision `db-r2` with less memory than the template says."""
    pod = made(OOM, resources=limits("32Mi"))
    pod["metadata"] |= {
        "name": "db-0",
        "generateName": "db-",
        "labels": {"app": "db", "controller-revision-hash": "db-r2"},
        "ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": True}],
    }
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [APP]}}
    status = {"updateRevision": update, "observedGeneration": 2, "readyReplicas": 0}
    spec = {"replicas": 1, "template": template}
    return [obj("StatefulSet", "db", spec, status, generation=generation), pod]


def test_a_pod_of_a_stateful_set_is_compared_while_it_is_of_the_newest_template() -> None:
    assert told(*stateful(), MUTATING)["pod.differs_from_template"].data["harm"] == "oom_killed"
    assert "pod.differs_from_template" not in told(*stateful("db-r3"), MUTATING)
    assert "pod.differs_from_template" not in told(*stateful(generation=3), MUTATING)
