"""Rules of world.yaml: the first that matches wins, and every condition is matched as the format says."""

from typing import Any

import pytest

from opssquad.worlds.kube.outcomes import compares, fate
from opssquad.worlds.kube.recording.spec import WorldRules

Json = dict[str, Any]
SPEC: Json = {
    "initContainers": [{"name": "wait", "image": "tools/wait:1", "command": ["sh", "-c", "wait-for db"]}],
    "containers": [
        {
            "name": "main",
            "image": "registry.example.com/a/api:v2.4.1",
            "args": ["serve", "--port=8080"],
            "env": [{"name": "POOL", "value": "20"}, {"name": "SECRET", "valueFrom": {"secretKeyRef": {}}}],
            "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "250m"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
            "livenessProbe": {"tcpSocket": {"port": "http"}},
        },
        {"name": "proxy", "image": "tools/proxy:2"},
    ],
    "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}},
        {"name": "tmp", "emptyDir": {}},
    ],
}
CONFIG: Json = {"data": {"url": "x", "a.b": "dotted"}, "spec": {"hard": {"limits.memory": "12Gi"}}}


def matches(when: Json, workload: str = "Deployment/shop/api", found: Json | None = None) -> bool:
    rules = WorldRules.model_validate(
        {
            "outcomes": [{"when": {"workload": "Deployment/shop/*", **when}, "pods": "unready"}],
            "default": {"pods": "ready"},
        }
    )
    return fate(rules, workload, SPEC, lambda *_: found).kind == "unready"


@pytest.mark.parametrize(
    ("template", "holds"),
    [
        ({"image": "*/api:v2.4.*"}, True),
        ({"image": "tools/*"}, False),
        ({"env": {"POOL": "2?"}}, True),
        ({"env": {"POOL": "50"}}, False),
        ({"env": {"SECRET": "*"}}, False),
        ({"env": {"OTHER": "*"}}, False),
        ({"resources": {"limits": {"memory": ">=1024Mi"}}}, True),
        ({"resources": {"limits": {"memory": "<1Gi"}}}, False),
        ({"resources": {"requests": {"memory": ">0"}}}, False),
        ({"resources": {"requests": {"cpu": "0.25"}}}, True),
        ({"probe": {"readiness": {"path": "/ready"}}}, True),
        ({"probe": {"readiness": {"path": "/ready", "port": 8081}}}, False),
        ({"probe": {"liveness": {"port": "http"}}}, True),
        ({"command": "*wait-for*"}, True),
        ({"args": "serve *"}, True),
        ({"args": "migrate*"}, False),
        ({"init": "wait"}, True),
        ({"init": "proxy"}, False),
        ({"volumes": {"persistentVolumeClaim": "data-*"}}, True),
        ({"volumes": {"persistentVolumeClaim": "logs-*"}}, False),
        ({"image": "*/api:*", "env": {"POOL": "50"}}, False),
    ],
)
def test_all_that_a_template_rule_asks_must_hold(template: Json, holds: bool) -> None:
    assert matches({"template": template}) is holds


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ({"exists": True}, True),
        ({"absent": True}, False),
        ({"has": "data.url"}, True),
        ({"has": "data.a.b"}, True),
        ({"has": "data.gone"}, False),
        ({"equals": {"data.url": "x"}}, True),
        ({"equals": {"data.url": "y"}}, False),
        ({"at_least": {"spec.hard.limits.memory": "12288Mi"}}, True),
        ({"at_least": {"spec.hard.limits.memory": "14Gi"}}, False),
        ({"at_least": {"spec.hard.pods": "1"}}, False),
    ],
)
def test_rules_on_objects_look_at_them_as_they_are_now(asked: Json, holds: bool) -> None:
    assert matches({"objects": [{"ref": "ConfigMap/shop/c", **asked}]}, found=CONFIG) is holds


def test_an_object_that_is_missing_satisfies_only_absent() -> None:
    assert matches({"objects": [{"ref": "ConfigMap/shop/c", "absent": True}]})
    for asked in ({"exists": True}, {"has": "data"}, {"equals": {"a": 1}}, {"at_least": {"a": "1"}}):
        assert not matches({"objects": [{"ref": "ConfigMap/shop/c", **asked}]})


def test_a_rule_for_another_workload_does_not_match() -> None:
    assert not matches({}, workload="StatefulSet/shop/api")
    assert not matches({}, workload="Deployment/other/api")


def test_the_first_rule_that_matches_wins_and_the_default_comes_last() -> None:
    def rule(pattern: str, pods: Any) -> Json:
        return {"when": {"workload": "Deployment/shop/api", "template": {"image": pattern}}, "pods": pods}

    crash = {"crash": {"exit_code": 3, "reason": "Error"}}
    rules = WorldRules.model_validate(
        {
            "outcomes": [rule("*:v1*", "ready"), rule("*", crash), rule("*", "unready")],
            "default": {"pods": "ready"},
        }
    )
    found = fate(rules, "Deployment/shop/api", SPEC, lambda *_: None)
    assert found.crash is not None
    assert found.crash.exit_code == 3
    assert fate(rules, "Deployment/shop/web", SPEC, lambda *_: None).kind == "ready"


@pytest.mark.parametrize(
    ("have", "bound", "holds"),
    [
        ("400Mi", ">540Mi", False),
        ("1", "<=1000m", True),
        ("2", "<2", False),
        (None, "<1", False),
        ("1Gi", "1Gi", True),
    ],
)
def test_quantities_are_compared_by_value(have: str | None, bound: str, holds: bool) -> None:
    assert compares(have, bound) is holds
