"""Merge patches and JSON patches do what their RFCs say."""

from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.patch.merge import merge
from opssquad.worlds.kube.apiserver.patch.operations import PatchFailed, apply_operations

# The examples of RFC 7386, appendix A.
EXAMPLES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("original", "patch", "result"), EXAMPLES)
def test_the_examples_of_the_rfc_hold(original: Any, patch: Any, result: Any) -> None:
    assert merge(original, patch) == result


def test_touched_objects_are_sorted_and_others_keep_their_order() -> None:
    after = merge({"z": 1, "m": {"y": 1, "b": 2}, "a": 3}, {"a": 4})
    assert list(after) == ["a", "m", "z"]
    assert list(after["m"]) == ["y", "b"]


def test_operations_apply_in_order_to_a_copy() -> None:
    original = {"spec": {"args": ["a"]}}
    operations = [
        {"op": "add", "path": "/spec/args/-", "value": "b"},
        {"op": "test", "path": "/spec/args/1", "value": "b"},
        {"op": "remove", "path": "/spec/args/0"},
    ]
    assert apply_operations(original, operations) == {"spec": {"args": ["b"]}}
    assert original == {"spec": {"args": ["a"]}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/b"},
        {"op": "replace", "path": "/b/c", "value": 1},
        {"op": "sideways", "path": "/a"},
        {"path": "/a"},
        {"op": "add", "path": "a", "value": 1},
    ],
)
def test_an_operation_that_cannot_be_done_fails(operation: dict[str, Any]) -> None:
    with pytest.raises(PatchFailed):
        apply_operations({"a": 1}, [operation])
