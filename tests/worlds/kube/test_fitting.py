"""What a server sends is made to fit its type: null is absent, what always is there is; the rest is told."""

from typing import Any

import pytest

from opssquad.errors import ToolError
from opssquad.worlds.kube.fitting import fitted, metadata_of
from opssquad.worlds.kube.kinds import KNOWN, Resource, match

WIDGET = Resource("example.org", "v1", "widgets", "Widget", True)


def kind(name: str) -> Resource:
    found = match(name, "", KNOWN)
    assert found
    return found


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def test_null_is_absent_and_what_is_always_written_is_there() -> None:
    made = fitted(
        kind("Pod"), pod(containers=None, nodeName=None, volumes=[None, {"name": "v"}]) | {"status": None}
    )
    assert made["spec"] == {"containers": [], "volumes": [{"name": "v"}]}
    assert made["status"] == {}


def test_fields_of_a_newer_server_are_left_as_they_are() -> None:
    assert fitted(kind("Pod"), pod(sparkle={"a": [1, "b"]}))["spec"]["sparkle"] == {"a": [1, "b"]}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"containers": "none"}, "spec.containers is text, not a list"),
        ({"containers": [{"name": 5}]}, "spec.containers.name is a number, not text"),
        ({"priority": "high"}, "spec.priority is text, not a whole number"),
        ({"priority": 2**31}, "spec.priority is a number of more than 32 bits"),
        ({"priority": True}, "spec.priority is true or false, not a whole number"),
        ({"hostNetwork": "yes"}, "spec.hostNetwork is text, neither true nor false"),
        ({"nodeSelector": ["a"]}, "spec.nodeSelector is a list, not an object"),
        ({"overhead": {"cpu": "1e999"}}, "spec.overhead is '1e999', not a quantity"),
    ],
)
def test_a_value_of_another_type_is_told_with_the_object_and_its_field(
    spec: dict[str, Any], said: str
) -> None:
    with pytest.raises(ToolError) as caught:
        fitted(kind("Pod"), pod(**spec))
    assert str(caught.value) == f"the server sent Pod web that cannot be read: {said}; is it an API server?"
    assert caught.value.blind


@pytest.mark.parametrize("stamp", ["yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", ""])
def test_a_time_that_cannot_be_counted_with_is_told(stamp: str) -> None:
    made = {"metadata": {"name": "web", "namespace": "shop", "creationTimestamp": stamp}}
    with pytest.raises(ToolError, match="metadata.creationTimestamp is"):
        fitted(kind("Pod"), made)


def test_names_that_were_asked_for_are_known_and_others_must_be_there() -> None:
    assert fitted(kind("Pod"), {}, "shop", "web")["metadata"] == {"name": "web", "namespace": "shop"}
    for lacking in ({}, {"metadata": {"name": "web"}}, {"metadata": None}):
        with pytest.raises(ToolError, match=r"metadata\.name(space)? is missing"):
            fitted(kind("Pod"), lacking)
    assert fitted(kind("Node"), {"metadata": {"name": "n1"}})["metadata"]["name"] == "n1"


def test_of_a_custom_kind_only_the_metadata_is_known() -> None:
    odd = {"metadata": {"name": "w", "namespace": "shop"}, "spec": "whatever", "status": [None]}
    assert fitted(WIDGET, odd)["spec"] == "whatever"
    with pytest.raises(ToolError, match=r"metadata\.labels is a list"):
        fitted(WIDGET, {"metadata": {"name": "w", "namespace": "shop", "labels": ["a"]}})


@pytest.mark.parametrize("value", ["x", None, 5, ["a"]])
def test_what_is_no_object_is_told(value: Any) -> None:
    with pytest.raises(ToolError, match="it is "):
        fitted(kind("Pod"), value)
    assert metadata_of(kind("Pod"), value) == {}
