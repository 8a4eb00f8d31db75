"""Webhooks that cannot answer, what they refuse, and which configuration that is."""

import pytest
from tools.signals._scene import Scene
from tools.signals.reading import read_signals

from opssquad import Json
from tests.tools.signals.network import RULE, config
from tests.tools.signals.objects import NOW, deployment, event, obj, told

REFUSED = (
    'Error creating: Internal error occurred: failed calling webhook "pods.guard.example.io": failed to call '
    'webhook: Post "https://guard.guard-system.svc:443/validate?timeout=10s": '
)


def service(port: int = 443, **spec: object) -> Json:
    ports = [{"port": port, "targetPort": 9443, "protocol": "TCP"}]
    whole = {"selector": {"app": "guard"}, "ports": ports, "type": "ClusterIP", **spec}
    return obj("Service", "guard", whole, namespace="guard-system")


def slice_(ready: bool) -> Json:
    labels = {"kubernetes.io/service-name": "guard"}
    ends = [{"addresses": ["10.0.0.9"], "conditions": {"ready": ready}}]
    return {**obj("EndpointSlice", "guard-x", labels=labels, namespace="guard-system"), "endpoints": ends}


KINDS = frozenset({"Service", "EndpointSlice"})


def test_a_webhook_whose_service_does_not_exist_is_told_with_its_failure_policy() -> None:
    found = told(config(), complete=KINDS)["webhook.unavailable"]
    assert (found.severity, str(found.entity)) == ("critical", "ValidatingWebhookConfiguration//guard")
    said = {key: found.data[key] for key in ("service", "why", "failure_policy", "kind", "rules")}
    assert said == {
        "service": "Service/guard-system/guard",
        "why": "service_missing",
        "failure_policy": "Fail",
        "kind": "validating",
        "rules": ["CREATE/UPDATE pods"],
    }


def test_a_webhook_without_a_ready_endpoint_is_told_and_one_with_is_well() -> None:
    found = told(config(), service(), slice_(ready=False), complete=KINDS)
    assert found["webhook.unavailable"].data["why"] == "no_ready_endpoint"
    assert "webhook.unavailable" not in told(config(), service(), slice_(ready=True), complete=KINDS)


def test_a_port_that_the_service_does_not_have_is_told() -> None:
    found = told(config(), service(port=8443), slice_(ready=True), complete=KINDS)
    assert found["webhook.unavailable"].data["why"] == "port_missing"


def test_a_webhook_that_may_be_ignored_does_no_harm() -> None:
    assert told(config(failurePolicy="Ignore"), complete=KINDS)["webhook.unavailable"].severity == "info"


def test_a_webhook_for_other_objects_than_pods_is_less_grave() -> None:
    rule = {**RULE, "apiGroups": ["apps"], "resources": ["deployments"]}
    assert told(config(rules=[rule]), complete=KINDS)["webhook.unavailable"].severity == "warning"


@pytest.mark.parametrize(
    "hook",
    [{"clientConfig": {"url": "https://guard.example.io/validate"}}, {"clientConfig": {}}],
)
def test_a_webhook_outside_the_cluster_is_not_judged(hook: Json) -> None:
    assert "webhook.unavailable" not in told(config(**hook), complete=KINDS)


def test_a_service_that_points_outside_is_not_judged() -> None:
    outside = service(type="ExternalName", externalName="guard.example.io")
    assert "webhook.unavailable" not in told(config(), outside, complete=KINDS)


def test_a_backend_in_a_namespace_that_was_not_read_is_not_judged() -> None:
    scene = Scene(NOW, [config()], KINDS, frozenset({"n"}))
    assert not read_signals(scene)


def test_webhooks_behind_one_service_are_told_once() -> None:
    both = config()
    both["webhooks"].append(
        {**both["webhooks"][0], "name": "more.guard.example.io", "failurePolicy": "Ignore"}
    )
    (found,) = [e for e in read_signals(Scene(NOW, [both], KINDS)) if e.id == "webhook.unavailable"]
    assert found.data["webhooks"] == ["pods.guard.example.io", "more.guard.example.io"]
    assert found.data["failure_policy"] == "Fail"


def refused(message: str, *more: Json) -> Json:
    up = [{"kind": "Deployment", "name": "web", "controller": True}]
    keeper = obj("ReplicaSet", "web-h1", ownerReferences=up)
    return told(deployment(), keeper, event(keeper, "FailedCreate", message), *more)[
        "replicaset.create_failed"
    ].data


@pytest.mark.parametrize(
    ("end", "fails"),
    [
        ('no endpoints available for service "guard"', "no_endpoints"),
        ('service "guard" not found', "service_missing"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "certificate"),
        ("dial tcp 10.96.3.4:443: connect: connection refused", "refused"),
        ("context deadline exceeded", "timeout"),
        ("an error on the server", "other"),
    ],
)
def test_a_creation_that_a_webhook_fails_names_webhook_configuration_and_why(end: str, fails: str) -> None:
    data = refused(REFUSED + end, config())
    assert (data["why"], data["name"], data["fails"]) == ("webhook", "pods.guard.example.io", fails)
    assert data["object"] == "ValidatingWebhookConfiguration//guard"


def test_a_webhook_that_refuses_on_purpose_is_another_thing() -> None:
    data = refused('admission webhook "pods.guard.example.io" denied the request: no limits', config())
    assert (data["why"], "fails" in data) == ("webhook_denied", False)
    assert data["object"] == "ValidatingWebhookConfiguration//guard"


def test_of_two_configurations_with_one_webhook_name_the_one_that_is_asked_first_is_meant() -> None:
    data = refused(f"{REFUSED}EOF", config(), config("MutatingWebhookConfiguration"))
    assert data["object"] == "MutatingWebhookConfiguration//guard"
    assert refused(f"{REFUSED}EOF", config(), config(name="other"))["object"] == ""


def test_a_configuration_of_that_webhook_name_for_other_objects_is_not_meant() -> None:
    rule = {**RULE, "resources": ["secrets"]}
    data = refused(f"{REFUSED}EOF", config(), config("MutatingWebhookConfiguration", rules=[rule]))
    assert data["object"] == "ValidatingWebhookConfiguration//guard"


def test_a_limit_range_that_refuses_is_named_where_there_is_one() -> None:
    said = "maximum memory usage per Container is 1Gi, but limit is 2Gi"
    assert refused(said, obj("LimitRange", "sizes"))["object"] == "LimitRange/n/sizes"
    assert refused(said, obj("LimitRange", "a"), obj("LimitRange", "b"))["object"] == ""
