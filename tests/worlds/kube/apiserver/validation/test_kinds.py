"""What validation says of single fields, kind by kind."""

from typing import Any

import pytest

from tests.worlds.kube.apiserver.driver import APPS, MERGE, SHOP, Driver

Json = dict[str, Any]
BATCH = "/apis/batch/v1/namespaces/shop"
TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}
WEB = {"spec": {"containers": [{"name": "c", "image": "i:1"}]}, "metadata": {"labels": {"app": "x"}}}


def refused(collection: str, body: Json, name: str = "x") -> dict[str, str]:
    """Fields and messages of a refused creation."""
    status, answer = Driver().say("POST", f"{collection}?dryRun=All", {"metadata": {"name": name}, **body})
    assert status == 422, answer
    return {cause["field"]: cause["message"] for cause in answer["details"]["causes"]}


def pod(**container: Any) -> Json:
    return {"spec": {"containers": [{"name": "c", "image": "i:1", **container}], "volumes": [{"name": "v"}]}}


@pytest.mark.parametrize(
    ("container", "field", "words"),
    [
        ({"image": " i:1"}, "image", "must not have leading or trailing whitespace"),
        ({"ports": [{"name": "a"}]}, "ports[0].containerPort", "Required value"),
        (
            {"ports": [{"name": "a", "containerPort": 1}, {"name": "a", "containerPort": 2}]},
            "ports[1].name",
            "Duplicate value",
        ),
        (
            {"ports": [{"containerPort": 1, "protocol": "XTP"}]},
            "ports[0].protocol",
            'Unsupported value: "XTP"',
        ),
        ({"env": [{"name": "A=B"}]}, "env[0].name", "printable ASCII characters other than '='"),
        ({"env": [{"name": "A", "valueFrom": {}}]}, "env[0].valueFrom", "must specify one of"),
        (
            {"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
            "env[0].valueFrom",
            "may not be specified when `value` is not empty",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]},
            "env[0].valueFrom.secretKeyRef.key",
            "Required",
        ),
        ({"volumeMounts": [{"mountPath": "/a"}]}, "volumeMounts[0].name", "Required value"),
        ({"volumeMounts": [{"name": "v"}]}, "volumeMounts[0].mountPath", "Required value"),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}]},
            "volumeMounts[1].mountPath",
            "must be unique",
        ),
        (
            {"resources": {"limits": {"cpu": "-1"}}},
            "resources.limits.cpu",
            "must be greater than or equal to 0",
        ),
        (
            {"livenessProbe": {"exec": {}, "tcpSocket": {"port": 1}}},
            "livenessProbe.tcpSocket",
            "more than 1 handler type",
        ),
        (
            {"livenessProbe": {"exec": {}, "successThreshold": 2}},
            "livenessProbe.successThreshold",
            "must be 1",
        ),
        (
            {"readinessProbe": {"exec": {}, "periodSeconds": -1}},
            "readinessProbe.periodSeconds",
            "greater than or equal to 0",
        ),
        ({"startupProbe": {"httpGet": {"port": 70000}}}, "startupProbe.httpGet.port", "between 1 and 65535"),
    ],
)
def test_a_container_is_refused(container: Json, field: str, words: str) -> None:
    causes = refused(f"{SHOP}/pods", pod(**container))
    assert words in causes[f"spec.containers[0].{field}"]


def test_a_pod_needs_containers_with_names_of_their_own() -> None:
    assert refused(f"{SHOP}/pods", {"spec": {}})["spec.containers"] == "Required value"
    twice = {
        "spec": {"containers": [{"name": "c", "image": "i"}], "initContainers": [{"name": "c", "image": "i"}]}
    }
    assert refused(f"{SHOP}/pods", twice) == {"spec.initContainers[0].name": 'Duplicate value: "c"'}


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        ({"type": "Other", "ports": [{"port": 1}]}, "spec.type", 'Unsupported value: "Other"'),
        ({"ports": [{"port": 1}, {"port": 2, "name": "b"}]}, "spec.ports[0].name", "Required value"),
        (
            {"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]},
            "spec.ports[1].name",
            "Duplicate value",
        ),
        ({"ports": [{"port": 0}]}, "spec.ports[0].port", "must be between 1 and 65535"),
    ],
)
def test_a_service_is_refused(spec: Json, field: str, words: str) -> None:
    assert words in refused(f"{SHOP}/services", {"spec": spec})[field]


def test_names_follow_the_rule_of_their_kind() -> None:
    ports = {"spec": {"ports": [{"port": 80}]}}
    assert "a DNS-1035 label" in refused(f"{SHOP}/services", ports, name="1st")["metadata.name"]
    assert (
        "must be no more than 253 bytes" in refused(f"{SHOP}/configmaps", {}, name="a" * 254)["metadata.name"]
    )
    assert "RFC 1123 label" in refused("/api/v1/namespaces", {}, name="a.b")["metadata.name"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"-a": "x"}, "name part must consist of"),
        ({"a": "x!"}, "a valid label must be"),
        ({"a": "x" * 64}, "63 bytes"),
    ],
)
def test_labels_have_a_form(labels: dict[str, str], words: str) -> None:
    status, answer = Driver().patch(f"{SHOP}/configmaps/web-config", {"metadata": {"labels": labels}})
    assert status == 422
    assert words in answer["message"]


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        (f"{SHOP}/configmaps", {"data": {"a b": "x"}}, "data[a b]", "a valid config key"),
        (
            f"{BATCH}/cronjobs",
            {"spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}}},
            "spec.schedule",
            "Required value",
        ),
        (
            f"{BATCH}/cronjobs",
            {"spec": {"schedule": "1 2 3", "jobTemplate": {"spec": {"template": TEMPLATE}}}},
            "spec.schedule",
            "expected exactly 5 fields, found 3: [1 2 3]",
        ),
        (
            f"{BATCH}/jobs",
            {"spec": {"template": WEB}},
            "spec.template.spec.restartPolicy",
            'Unsupported value: "Always"',
        ),
        (
            f"{BATCH}/jobs",
            {"spec": {"parallelism": -1, "template": TEMPLATE}},
            "spec.parallelism",
            "greater than or equal to 0",
        ),
        (
            f"{APPS}/deployments",
            {"spec": {"selector": {}, "template": WEB}},
            "spec.selector",
            "empty selector is invalid for deployment",
        ),
        (
            f"{APPS}/deployments",
            {
                "spec": {
                    "selector": {"matchLabels": {"app": "x"}},
                    "template": WEB,
                    "strategy": {"type": "Slow"},
                }
            },
            "spec.strategy.type",
            'Unsupported value: "Slow": supported values: "Recreate", "RollingUpdate"',
        ),
        (
            f"{APPS}/deployments",
            {
                "spec": {
                    "selector": {"matchLabels": {"app": "x"}},
                    "template": WEB,
                    "progressDeadlineSeconds": 5,
                    "minReadySeconds": 9,
                }
            },
            "spec.progressDeadlineSeconds",
            "must be greater than minReadySeconds",
        ),
        (
            f"{APPS}/daemonsets",
            {"spec": {"selector": {"matchLabels": {"app": "y"}}, "template": WEB}},
            "spec.template.metadata.labels",
            "`selector` does not match template `labels`",
        ),
        (
            "/apis/policy/v1/namespaces/shop/poddisruptionbudgets",
            {"spec": {"minAvailable": 1, "maxUnavailable": 1}},
            "spec",
            "minAvailable and maxUnavailable cannot be both set",
        ),
        (
            "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
            {"spec": {"maxReplicas": 0, "scaleTargetRef": {"kind": "Deployment"}}},
            "spec.scaleTargetRef.name",
            "Required value",
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
            {"spec": {"policyTypes": ["Sideways"]}},
            "spec.policyTypes[0]",
            'Unsupported value: "Sideways"',
        ),
    ],
)
def test_a_field_is_refused(path: str, body: Json, field: str, words: str) -> None:
    assert words in refused(path, body)[field]


def test_a_frozen_config_map_stays_as_it_is() -> None:
    client, path = Driver(), f"{SHOP}/configmaps/web-config"
    assert client.patch(path, {"immutable": True})[0] == 200
    for patch in ({"data": {"new": "1"}}, {"immutable": False}):
        status, answer = client.patch(path, patch, MERGE)
        assert status == 422
        assert "field is immutable when `immutable` is set" in answer["message"]


def test_a_binding_keeps_its_role() -> None:
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/viewer"
    status, answer = Driver().patch(path, {"roleRef": {"name": "admin"}})
    assert status == 422
    assert "cannot change roleRef" in answer["message"]


def test_a_bound_claim_keeps_its_class() -> None:
    path = f"{SHOP}/persistentvolumeclaims/data-orders-db-0"
    status, answer = Driver().patch(path, {"spec": {"storageClassName": "other"}})
    assert status == 422
    assert "spec is immutable after creation" in answer["message"]
