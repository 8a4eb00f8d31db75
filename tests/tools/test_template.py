"""Differences of pod templates in an engineer's words, on recorded rollouts and on every kind of field."""

import copy

import pytest
from tools._kube import source
from tools._needs import images, references, split_image
from tools._template import differs, only_restart, same, summary

from opssquad import Json
from tests.tools.recorded import IDS, of_kind, one

BASE: Json = {
    "metadata": {"labels": {"app": "x", "pod-template-hash": "1"}},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "r.io/x:1",
                "args": ["serve", "--port=80"],
                "env": [
                    {"name": "POOL", "value": "50"},
                    {"name": "DB_PASSWORD", "value": "hunter2"},
                    {"name": "USER", "valueFrom": {"secretKeyRef": {"name": "db", "key": "user"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "resources": {"limits": {"memory": "512Mi"}},
                "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}},
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "volumeMounts": [{"name": "conf", "mountPath": "/etc/conf"}],
            }
        ],
        "volumes": [{"name": "conf", "configMap": {"name": "web-config"}}],
    },
}


def changed(**fields: object) -> Json:
    template = copy.deepcopy(BASE)
    template["spec"]["containers"][0].update(fields)
    return template


def words(new: Json, old: Json = BASE) -> list[str]:
    return [each.words() for each in differs(old, new)]


def test_the_release_behind_the_failing_logins_is_told_field_by_field() -> None:
    old, new = (one("auth-0308", "ReplicaSet", f"auth-service-{h}") for h in ("65d8c65879", "cff498559"))
    found = differs(old["spec"]["template"], new["spec"]["template"])
    assert summary(found) == "image v2.4.0 -> v2.4.1, DB_POOL_SIZE 50 -> 20, DB_TIMEOUT 10000 -> 5000"
    assert found[2].data() == {
        "field": "env.DB_TIMEOUT",
        "from": "10000",
        "to": "5000",
        "container": "auth-service",
    }


def test_the_words_quoted_for_a_difference_stand_in_the_objects() -> None:
    pairs = 0
    for recording in IDS:
        sets = [(each["metadata"]["labels"]["app"], each) for each in of_kind(recording, "ReplicaSet")]
        for name, old in sets:
            for new in (each for other, each in sets if other == name):
                for field in differs(old["spec"]["template"], new["spec"]["template"]):
                    assert field.old in source(old).text
                    assert field.new in source(new).text
                    pairs += bool(field.new)
    assert pairs > 50


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"image": "r.io/x:2"}, ["image 1 -> 2"]),
        ({"image": "other.io/x:1"}, ["image r.io/x:1 -> other.io/x:1"]),
        ({"command": ["/bin/x", "-v"]}, ["command (none) -> /bin/x -v"]),
        ({"args": ["serve", "--port=81"]}, ["args serve --port=80 -> serve --port=81"]),
        ({"resources": {"limits": {"memory": "128Mi"}}}, ["resources.limits.memory 512Mi -> 128Mi"]),
        ({"resources": {}}, ["resources.limits.memory 512Mi -> (none)"]),
        (
            {"readinessProbe": {"httpGet": {"path": "/ready", "port": 8081}}},
            ["readinessProbe.httpGet.path /health -> /ready", "readinessProbe.httpGet.port 8080 -> 8081"],
        ),
        ({"ports": [{"containerPort": 81, "protocol": "TCP"}]}, None),
        ({"envFrom": [{"secretRef": {"name": "more"}}]}, ["envFrom ConfigMap settings -> Secret more"]),
        ({"volumeMounts": [{"name": "conf", "mountPath": "/etc/conf", "readOnly": True}]}, None),
    ],
)
def test_every_kind_of_field_of_a_container_is_told(fields: Json, told: list[str] | None) -> None:
    found = words(changed(**fields))
    assert found
    assert told is None or found == told


def test_variables_come_and_go_and_change_their_source() -> None:
    env = [
        {"name": "USER", "value": "root"},
        {"name": "NEW", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "K"}}},
        {"name": "EMPTY"},
    ]
    assert words(changed(env=env)) == [
        "POOL 50 -> (none)",
        "DB_PASSWORD «redacted» -> (none)",
        "USER Secret db/user -> root",
        "NEW (none) -> ConfigMap cm/K",
        'EMPTY (none) -> ""',
    ]


def test_a_secret_in_a_variable_shows_only_that_it_changed() -> None:
    env = [{"name": "DB_PASSWORD", "value": "correct horse"}, *(BASE["spec"]["containers"][0]["env"][::2])]
    (field,) = differs(BASE, changed(env=env))
    assert field.words() == "DB_PASSWORD «redacted» -> «redacted, changed»"
    assert "horse" not in repr(field)
    assert "hunter2" not in repr(field)


def test_sidecars_init_containers_volumes_labels_and_accounts_are_told() -> None:
    new = copy.deepcopy(BASE)
    new["spec"]["containers"].append(
        {"name": "proxy", "image": "envoy:1", "env": [{"name": "TOKEN", "value": "s3"}]}
    )
    new["spec"]["initContainers"] = [{"name": "wait", "image": "busybox"}]
    new["spec"]["volumes"] = [{"name": "conf", "secret": {"secretName": "tls"}}]
    new["spec"]["serviceAccountName"] = "robot"
    new["spec"]["nodeSelector"] = {"disk": "ssd"}
    new["metadata"] = {"labels": {"app": "y", "pod-template-hash": "2"}}
    assert words(new) == [
        "container (none) -> proxy (envoy:1)",
        "init container (none) -> wait (busybox)",
        "volumes.conf ConfigMap web-config -> Secret tls",
        "serviceAccountName (none) -> robot",
        "nodeSelector.disk (none) -> ssd",
        "labels.app x -> y",
    ]
    assert "s3" not in repr(differs(BASE, new))


def test_with_several_containers_the_name_stands_before_the_field() -> None:
    old, new = changed(), changed(image="r.io/x:2")
    for each in (old, new):
        each["spec"]["containers"].append({"name": "proxy", "image": f"envoy:{each is new}"})
    assert summary(differs(old, new)) == "app image 1 -> 2, proxy image False -> True"


def test_a_restart_is_told_as_one_and_the_controllers_label_is_nothing() -> None:
    stamped = copy.deepcopy(BASE)
    stamped["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    stamped["metadata"]["labels"]["pod-template-hash"] = "2"
    assert only_restart(differs(BASE, stamped))
    assert summary(differs(BASE, stamped)) == "restart, same template"
    assert same(BASE, changed())
    assert summary([]) == "no difference"


def test_a_long_list_of_differences_is_cut_and_counted() -> None:
    env = [{"name": f"V{n}", "value": "1"} for n in range(10)]
    assert summary(differs(changed(env=[]), changed(env=env)), most=2) == (
        "V0 (none) -> 1, V1 (none) -> 1, and 8 more"
    )


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("nginx", ("nginx", "")),
        ("nginx:1.29", ("nginx", "1.29")),
        ("host:5000/app", ("host:5000/app", "")),
        ("host:5000/app:v2", ("host:5000/app", "v2")),
        ("r.io/app@sha256:ab", ("r.io/app", "sha256:ab")),
    ],
)
def test_an_image_splits_into_repository_and_tag(image: str, parts: tuple[str, str]) -> None:
    assert split_image(image) == parts


def test_what_a_template_needs_is_named_with_its_keys() -> None:
    template = copy.deepcopy(BASE)
    template["spec"]["serviceAccountName"] = "robot"
    template["spec"]["volumes"] += [
        {
            "name": "tls",
            "secret": {"secretName": "tls", "items": [{"key": "ca", "path": "ca"}], "optional": True},
        },
        {"name": "data", "persistentVolumeClaim": {"claimName": "disk"}},
        {"name": "all", "projected": {"sources": [{"configMap": {"name": "part"}}]}},
    ]
    found = {(r.kind, r.name, r.key, r.optional) for r in references(template)}
    assert found == {
        ("Secret", "db", "user", False),
        ("ConfigMap", "settings", "", False),
        ("ConfigMap", "web-config", "", False),
        ("ConfigMap", "part", "", False),
        ("Secret", "tls", "ca", True),
        ("PersistentVolumeClaim", "disk", "", False),
        ("ServiceAccount", "robot", "", False),
    }
    assert images(template) == ["r.io/x:1"]
