"""The way back of a patch, and the room that a rollout needs: pure parts of cards and checks."""

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools._binding import alive, bound
from tools._headroom import surge, way
from tools._reverse import reverse

from opssquad import Json

KEYS = st.sampled_from(["a", "b", "c/d", "e~f", "g.h"])
VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.sampled_from(["x", "y", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
SPECS = st.dictionaries(KEYS, VALUES, max_size=4)


@given(SPECS, SPECS)
def test_the_reverse_of_a_change_leads_back_to_the_object(before: Json, after: Json) -> None:
    old, new = ({"metadata": {}, "spec": each} for each in (before, after))
    steps = reverse(copy.deepcopy(old), copy.deepcopy(new))
    assert steps is not None
    assert jsonpatch.apply_patch(new, steps) == old


@pytest.mark.parametrize(
    "spec",
    [
        {"containers": [{"name": "a", "env": [{"name": "X", "value": "secret one"}]}]},
        {"password": "hunter2"},
        {"url": "postgres://app:hunter2@db/x"},
    ],
)
def test_no_way_back_is_kept_that_would_hold_a_secret(spec: Json) -> None:
    assert reverse({"metadata": {}, "spec": spec}, {"metadata": {}, "spec": {}}) is None


@pytest.mark.parametrize(
    ("strategy", "replicas", "room"),
    [
        ({"type": "Recreate"}, 3, (0, 3)),
        ({"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}, 3, (1, 0)),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, 3, (0, 1)),
        ({"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "25%"}}, 1, (0, 1)),
        ({}, 10, (3, 2)),
    ],
)
def test_a_rollout_takes_as_many_pods_as_the_controller_reckons(
    strategy: Json, replicas: int, room: tuple[int, int]
) -> None:
    workload = {"kind": "Deployment", "spec": {"replicas": replicas, "strategy": strategy}}
    assert surge(workload) == room
    assert f"{replicas} pods" in way(workload, 0)


def a_deployment(**meta: Any) -> Json:
    fixed = {"name": "web", "namespace": "shop", "uid": "1234567890", "generation": 4, "resourceVersion": "9"}
    return {"kind": "Deployment", "metadata": {**fixed, **meta}, "spec": {}, "status": {}}


def test_a_card_is_bound_to_what_people_change_and_not_to_what_the_system_writes() -> None:
    assert bound(a_deployment()) == bound(a_deployment(resourceVersion="10")) == "uid=12345678 generation=4"
    assert bound(a_deployment(generation=5)) != bound(a_deployment())
    assert bound(a_deployment(uid="abcdefghij")) != bound(a_deployment())
    node = {"kind": "Node", "metadata": {"name": "n", "uid": "1"}, "spec": {}, "status": {"x": 1}}
    assert bound({**node, "status": {"x": 2}}) == bound(node)
    assert bound({**node, "spec": {"unschedulable": True}}) != bound(node)
    config = {"kind": "ConfigMap", "metadata": {"name": "c", "uid": "1", "resourceVersion": "7"}}
    assert bound(config) == "uid=1 resourceVersion=7"
    assert bound(None) == alive(None) == "not there"
