"""Strategic merge patches follow the merge keys and directives of the API."""

import copy
from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.patch.strategic import BadPatch, strategic_merge
from opssquad.worlds.kube.apiserver.typed.schema import Type, schema

Json = dict[str, Any]


def kind(name: str) -> Type:
    return schema().type(name)


def pod(*containers: Json, **spec: Any) -> Json:
    return {"spec": {"containers": list(containers), **spec}}


def patched(original: Json, patch: Json, name: str = "core.v1.Pod") -> Json:
    before = copy.deepcopy((original, patch))
    after = strategic_merge(original, patch, kind(name))
    assert (original, patch) == before, "a patch changed its arguments"
    return after


def names(items: list[Json]) -> list[str]:
    return [item["name"] for item in items]


def test_containers_merge_by_name() -> None:
    after = patched(pod({"name": "a", "image": "1", "args": ["x"]}), pod({"name": "a", "image": "2"}))
    assert after == pod({"name": "a", "image": "2", "args": ["x"]})


def test_a_new_item_comes_before_those_that_the_patch_does_not_name() -> None:
    after = patched(pod({"name": "a"}), pod({"name": "b"}))
    assert names(after["spec"]["containers"]) == ["b", "a"]


def test_items_of_the_patch_keep_its_order_around_the_servers() -> None:
    original = pod({"name": "a"}, {"name": "b"}, {"name": "c"})
    after = patched(original, pod({"name": "c"}, {"name": "new"}))
    assert names(after["spec"]["containers"]) == ["a", "b", "c", "new"]


def test_an_item_is_deleted_by_its_merge_key() -> None:
    original = pod({"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]})
    after = patched(original, pod({"name": "a", "env": [{"name": "X", "$patch": "delete"}]}))
    assert after == pod({"name": "a", "env": [{"name": "Y", "value": "2"}]})


def test_deleting_what_is_not_there_changes_nothing() -> None:
    original = pod({"name": "a"})
    assert patched(original, pod({"name": "z", "$patch": "delete"})) == original


def test_a_list_is_replaced_on_request() -> None:
    original = pod({"name": "a"}, {"name": "b"})
    assert patched(original, pod({"$patch": "replace"}, {"name": "c"})) == pod({"name": "c"})


def test_an_object_is_replaced_or_emptied_on_request() -> None:
    original = {"data": {"a": "1", "b": "2"}}
    assert patched(original, {"data": {"$patch": "replace", "c": "3"}}) == {"data": {"c": "3"}}
    assert patched(original, {"data": {"$patch": "delete"}}) == {"data": {}}


def test_only_retained_keys_survive() -> None:
    original = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert patched(original, patch, "apps.v1.Deployment") == {"spec": {"strategy": {"type": "Recreate"}}}


def test_retained_keys_must_cover_the_patch() -> None:
    with pytest.raises(BadPatch, match="type"):
        patched({"spec": {}}, {"spec": {"$retainKeys": ["x"], "type": "Recreate"}})


def test_the_order_of_a_list_can_be_set() -> None:
    original = pod({"name": "a"}, {"name": "b"})
    patch = {
        "spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "a"}]}
    }
    assert names(patched(original, patch)["spec"]["containers"]) == ["b", "a"]


def test_order_alone_reorders() -> None:
    original = pod({"name": "a"}, {"name": "b"})
    patch = {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}
    assert names(patched(original, patch)["spec"]["containers"]) == ["b", "a"]


def test_sets_of_words_merge_and_lose_words() -> None:
    original = {"metadata": {"finalizers": ["a", "b"]}}
    assert patched(original, {"metadata": {"finalizers": ["c"]}})["metadata"]["finalizers"] == ["c", "a", "b"]
    gone = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert patched(original, gone) == {"metadata": {"finalizers": ["b"]}}


def test_lists_without_a_merge_key_are_replaced() -> None:
    after = patched(pod({"name": "a", "args": ["x", "y"]}), pod({"name": "a", "args": ["z"]}))
    assert after == pod({"name": "a", "args": ["z"]})


def test_null_deletes_and_falls_away_where_nothing_was() -> None:
    assert patched({"data": {"a": "1", "b": "2"}}, {"data": {"a": None, "c": None}}) == {"data": {"b": "2"}}
    assert patched({}, {"data": {"a": None, "b": "2"}}) == {"data": {"b": "2"}}


def test_an_item_without_its_merge_key_is_refused() -> None:
    with pytest.raises(BadPatch, match=r"map: map\[image:x\] does not contain declared merge key: name"):
        patched(pod({"name": "a"}), pod({"image": "x"}))


def test_an_unknown_directive_is_refused() -> None:
    with pytest.raises(BadPatch, match="Unknown patch type found: sideways"):
        patched({"data": {}}, {"data": {"$patch": "sideways"}})


def test_fields_that_the_api_does_not_know_merge_as_they_are() -> None:
    assert patched({"x": {"a": 1}}, {"x": {"b": 2}}) == {"x": {"a": 1, "b": 2}}
