"""What a change can be set back to: from two templates, and from what `kubectl apply` wrote last."""

import json
from typing import Any

import pytest
from tools._edits import APPLIED
from tools._former import of_object, of_template
from tools._revisions import made_from

from opssquad import Json


def template(**fields: Any) -> Json:
    return {"spec": {"containers": [{"name": "app", "image": "app:1", **fields}]}}


def limits(memory: str, **more: str) -> Json:
    return {"resources": {"limits": {"memory": memory, **more}}}


def probe(**fields: Any) -> Json:
    return {"httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"}, "timeoutSeconds": 1, **fields}


def test_amounts_come_back_by_side_and_what_was_not_there_is_taken_away() -> None:
    before, after = template(**limits("512Mi")), template(**limits("128Mi", cpu="1"))
    assert of_template(before, after) == {"resources": {"container": "app", "limits": "memory=512Mi,cpu-"}}
    assert of_template(before, before) == {}


def test_of_two_containers_nobody_knows_which_amounts_did_it() -> None:
    def two(memory: str) -> Json:
        each = [{"name": name, **limits(memory)} for name in ("app", "proxy")]
        return {"spec": {"containers": each}}

    assert of_template(two("512Mi"), two("128Mi")) == {}


def test_a_probe_comes_back_with_what_changed_of_it() -> None:
    asked = {"httpGet": {"path": "/live", "port": 9090, "scheme": "HTTP"}, "timeoutSeconds": 5}
    found = of_template(template(livenessProbe=probe()), template(livenessProbe=asked))
    former = {"which": "liveness", "container": "app", "path": "/health", "port": 8080, "timeout": 1}
    assert found == {"probe": former}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"livenessProbe": probe()}),
        ({"livenessProbe": {"tcpSocket": {"port": 1}}}, {"livenessProbe": probe()}),
        (
            {"livenessProbe": probe(), "readinessProbe": probe()},
            {"livenessProbe": probe(periodSeconds=1), "readinessProbe": probe(timeoutSeconds=9)},
        ),
    ],
)
def test_a_probe_that_came_asks_in_another_way_or_is_one_of_two_has_no_former_values(
    before: Json, after: Json
) -> None:
    assert "probe" not in of_template(template(**before), template(**after))


def env(**values: str | None) -> Json:
    def each(name: str, value: str | None) -> Json:
        reference = {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
        return {"name": name, **({"value": value} if value is not None else reference)}

    return template(env=[each(name, value) for name, value in values.items()])


def test_the_one_variable_that_changed_comes_back_if_it_was_plain_text() -> None:
    found = of_template(env(LEVEL="info", A="1"), env(LEVEL=None, A="1"))
    assert found == {"env": {"container": "app", "name": "LEVEL", "set": "LEVEL=info"}}
    for before, after in (
        (env(LEVEL=None), env(LEVEL="debug")),
        (env(), env(LEVEL="debug")),
        (env(A="1", B="1"), env(A="2", B="2")),
        (env(DB_PASSWORD="hunter2"), env(DB_PASSWORD="other")),
        (env(DB="postgres://app:hunter2@db/x"), env(DB="postgres://app:other@db/x")),
    ):
        assert "env" not in of_template(before, after)


def applied(kind: str, before: Json, now: Json) -> Json:
    """An object of which `kubectl apply` last wrote other fields."""
    told = json.dumps({"kind": kind, "metadata": {"name": "x"}, **before})
    return {"kind": kind, "metadata": {"name": "x", "annotations": {APPLIED: told}}, **now}


def test_a_key_comes_back_unless_several_changed_or_it_may_be_a_secret() -> None:
    found = of_object(
        applied("ConfigMap", {"data": {"A": "4000", "B": "1"}}, {"data": {"A": "6s", "B": "1"}})
    )
    assert found == {"key": "A", "value": "4000"}
    dotted = of_object(applied("ConfigMap", {"data": {"app.yaml": "a: 1"}}, {"data": {"app.yaml": "a: 2"}}))
    assert dotted == {"key": "app.yaml", "value": "a: 1"}
    for before, now in (
        ({"A": "1", "B": "1"}, {"A": "2", "B": "2"}),
        ({"API_TOKEN": "hunter2"}, {"API_TOKEN": "x"}),
        ({"app.ini": "password = hunter2"}, {"app.ini": "x"}),
    ):
        assert of_object(applied("ConfigMap", {"data": before}, {"data": now})) == {}


def test_a_service_comes_back_with_its_whole_selector_or_the_port_that_moved() -> None:
    before = {
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    }
    selector = {"spec": {**before["spec"], "selector": {"app": "www", "tier": "front"}}}
    assert of_object(applied("Service", before, selector)) == {"selector": "app=web,tier=front"}
    ports = [{"name": "http", "port": 80, "targetPort": 9090}]
    moved = {"spec": {**before["spec"], "ports": ports}}
    assert of_object(applied("Service", before, moved)) == {"port": 80, "target_port": 8080}


def test_a_quota_comes_back_only_as_far_as_it_allowed_more() -> None:
    before = {"spec": {"hard": {"limits.memory": "24Gi", "pods": "10"}}}
    now = {"spec": {"hard": {"limits.memory": "8Gi", "pods": "20"}}}
    assert of_object(applied("ResourceQuota", before, now)) == {"hard": "limits.memory=24Gi"}


def test_pods_belong_to_a_revision_by_its_whole_name_or_its_hash() -> None:
    owner = {"uid": "u1", "controller": True}
    keeper = {"kind": "ControllerRevision", "metadata": {"name": "db-abc12", "ownerReferences": [owner]}}

    def pod(label: str, uid: str = "u1") -> Json:
        return {
            "metadata": {"labels": {"controller-revision-hash": label}, "ownerReferences": [{"uid": uid}]}
        }

    assert made_from(keeper, pod("db-abc12"))
    assert made_from(keeper, pod("abc12"))
    assert not made_from(keeper, pod("c12"))
    assert not made_from(keeper, pod("db-abc12", uid="u2"))
    assert not made_from(keeper, pod(""))
