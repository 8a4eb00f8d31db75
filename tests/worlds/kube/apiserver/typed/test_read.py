"""Bodies read into types of the API come out as the server would print them."""

import json
from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.typed.read import Mismatch, doubled, duplicates, empty, read
from opssquad.worlds.kube.apiserver.typed.schema import schema
from tests.conformance.world import pristine


def deployment(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def kind(name: str = "Deployment", version: str = "apps/v1") -> Any:
    return schema().kind(version, name)


def test_every_recorded_object_reads_to_itself() -> None:
    store, changed = pristine(), []
    for resource in store.resources():
        for obj in store.list(resource):
            found = schema().kind(obj["apiVersion"], obj["kind"])
            if found and read(found, obj) != (obj, []):
                changed.append(f"{obj['kind']}/{obj['metadata']['name']}")
    assert changed == []


def test_zero_stays_where_the_api_tells_it_from_absent_and_falls_where_it_does_not() -> None:
    spec = read(kind(), deployment(replicas=0, minReadySeconds=0, paused=False))[0]["spec"]
    assert spec["replicas"] == 0
    assert not {"minReadySeconds", "paused"} & spec.keys()


def test_unknown_fields_fall_away_and_are_named_with_their_place() -> None:
    template = {"spec": {"containers": [{"name": "a", "imagee": "x"}]}}
    obj, unknown = read(kind(), deployment(replicaz=1, template=template))
    assert unknown == ["spec.replicaz", "spec.template.spec.containers[0].imagee"]
    assert "replicaz" not in obj["spec"]


def test_names_given_twice_are_found() -> None:
    text = '{"data": {"a": "1", "a": "2"}, "list": [{"b": 1, "b": 1}]}'
    assert list(doubled(json.loads(text, object_pairs_hook=duplicates))) == ["data.a", "list[0].b"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"replicas": "three"},
            "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"paused": 1},
            "cannot unmarshal number into Go struct field DeploymentSpec.spec.paused of type bool",
        ),
        ({"selector": []}, "cannot unmarshal array into Go struct field DeploymentSpec.spec.selector"),
        ({"template": {"spec": {"containers": {}}}}, "cannot unmarshal object into Go struct field PodSpec"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_as_go_says_it(spec: dict[str, Any], words: str) -> None:
    with pytest.raises(Mismatch, match=words):
        read(kind(), deployment(**spec))


def test_the_converter_has_words_of_its_own() -> None:
    with pytest.raises(Mismatch, match="^unrecognized type: int32$"):
        read(kind(), deployment(replicas="three"), "unstructured")
    with pytest.raises(Mismatch, match="^cannot restore slice from map$"):
        read(kind(), deployment(template={"spec": {"containers": {}}}), "unstructured")


def test_an_empty_object_prints_what_is_never_left_out() -> None:
    blank = empty(kind("Event", "v1"))
    assert blank["source"] == {}
    assert blank["eventTime"] is None
    assert "count" not in blank


def test_times_lose_their_zone_and_fraction() -> None:
    obj, _ = read(kind("ConfigMap", "v1"), {"metadata": {"creationTimestamp": "2026-01-02T05:04:05.6+02:00"}})
    assert obj["metadata"]["creationTimestamp"] == "2026-01-02T03:04:05Z"


def test_secrets_must_be_base64() -> None:
    with pytest.raises(Mismatch, match="illegal base64 data at input byte 3"):
        read(kind("Secret", "v1"), {"data": {"key": "abc!"}})
