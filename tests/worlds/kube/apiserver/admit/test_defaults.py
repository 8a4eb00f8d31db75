"""The server's defaults fill what is open and touch nothing else."""

from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.admit.defaults import rules, with_defaults
from opssquad.worlds.kube.apiserver.typed.read import read
from opssquad.worlds.kube.apiserver.typed.schema import schema
from tests.conformance.world import pristine

Json = dict[str, Any]


def defaulted(version: str, kind: str, **obj: Any) -> Json:
    known = schema().kind(version, kind)
    assert known
    return read(known, with_defaults(read(known, {"metadata": {"name": "x"}, **obj})[0], known))[0]


def container(image: str) -> Json:
    pod = defaulted("v1", "Pod", spec={"containers": [{"name": "c", "image": image}]})
    found: Json = pod["spec"]["containers"][0]
    return found


def test_stored_objects_have_their_defaults() -> None:
    store, changed = pristine(), []
    for resource in store.resources():
        for obj in store.list(resource):
            kind = schema().kind(obj["apiVersion"], obj["kind"])
            if kind and read(kind, with_defaults(obj, kind))[0] != obj:
                changed.append(f"{obj['kind']}/{obj['metadata']['name']}")
    assert changed == []


def test_every_rule_is_about_a_type_and_its_fields() -> None:
    for name, found in rules().items():
        fields = schema().type(name).fields
        for rule in found:
            for path in (*rule.when, *rule.set, *rule.copy):
                assert path[0] in fields, f"{name} has no {path[0]}"


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1.0", "IfNotPresent"),
        ("localhost:5000/web", "Always"),
        ("localhost:5000/web:1", "IfNotPresent"),
        ("web@sha256:aa", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert container(image)["imagePullPolicy"] == policy


def test_a_given_zero_is_kept() -> None:
    spec = defaulted("apps/v1", "Deployment", spec={"replicas": 0, "revisionHistoryLimit": 0})["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"]) == (0, 0)


def test_a_recreate_strategy_gets_no_rolling_update() -> None:
    spec = defaulted("apps/v1", "Deployment", spec={"strategy": {"type": "Recreate"}})["spec"]
    assert spec["strategy"] == {"type": "Recreate"}


def test_a_job_without_counts_runs_once_and_one_with_parallelism_has_no_completions() -> None:
    assert defaulted("batch/v1", "Job", spec={})["spec"]["completions"] == 1
    assert "completions" not in defaulted("batch/v1", "Job", spec={"parallelism": 2})["spec"]


def test_the_template_of_a_cron_job_is_not_a_job_yet() -> None:
    spec = {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}}
    inner = defaulted("batch/v1", "CronJob", spec=spec)["spec"]["jobTemplate"]["spec"]
    assert "backoffLimit" not in inner
    assert inner["template"]["spec"]["dnsPolicy"] == "ClusterFirst"


def test_requests_of_pods_follow_limits_and_those_of_templates_do_not() -> None:
    containers = [{"name": "c", "image": "i:1", "resources": {"limits": {"cpu": "1"}}}]
    pod = defaulted("v1", "Pod", spec={"containers": containers})
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1"}
    workload = defaulted("apps/v1", "Deployment", spec={"template": {"spec": {"containers": containers}}})
    assert "requests" not in workload["spec"]["template"]["spec"]["containers"][0]["resources"]


def test_a_volume_without_a_source_is_an_empty_directory() -> None:
    spec = defaulted("v1", "Pod", spec={"volumes": [{"name": "v"}], "containers": []})["spec"]
    assert spec["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_plain_text_of_a_secret_becomes_data() -> None:
    secret = defaulted("v1", "Secret", stringData={"a": "b"}, data={"c": "ZA=="})
    assert secret["data"] == {"a": "Yg==", "c": "ZA=="}
    assert "stringData" not in secret


def test_a_service_port_points_at_itself() -> None:
    [port] = defaulted("v1", "Service", spec={"ports": [{"port": 80}]})["spec"]["ports"]
    assert (port["targetPort"], port["protocol"]) == (80, "TCP")
