"""Who owns a field after updates and applies."""

from dataclasses import replace
from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.fields.managers import MAX_UPDATERS, entries, managers_of
from opssquad.worlds.kube.apiserver.fields.ownership import Conflicts, Writer, applied, updated
from opssquad.worlds.kube.apiserver.fields.paths import show
from opssquad.worlds.kube.apiserver.typed.schema import schema

Json = dict[str, Any]
KIND = schema().kind("apps/v1", "Deployment")
ANN = Writer("ann", "apps/v1", "", "2026-01-01T00:00:00Z")
BEN = Writer("ben", "apps/v1", "", "2026-01-02T00:00:00Z")


def deployment(**spec: Any) -> Json:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def container(name: str, **fields: Any) -> Json:
    return {"template": {"spec": {"containers": [{"name": name, **fields}]}}}


def having(obj: Json, managers: list[Json]) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "managedFields": managers}}


def owners(managers: list[Json]) -> dict[str, set[str]]:
    """Paths by manager, as conflicts show them."""
    obj = {"metadata": {"managedFields": managers}}
    return {m.name: {show(path) for path in m.paths} for m in managers_of(obj)}


def apply(live: Json, config: Json, writer: Writer, force: bool = False) -> Json:
    merged, managers = applied(live, config, KIND, writer, force)
    return having(merged, entries(managers))


def test_whoever_changes_a_field_takes_it_from_its_owner() -> None:
    first = deployment(replicas=1, paused=True)
    mine = having(first, updated({}, first, KIND, ANN))
    second = having(deployment(replicas=2, paused=True), mine["metadata"]["managedFields"])
    assert owners(updated(mine, second, KIND, BEN)) == {
        "ann": {".spec", ".spec.paused"},
        "ben": {".spec.replicas"},
    }


def test_who_loses_every_field_is_forgotten() -> None:
    first = deployment(replicas=1)
    mine = having(first, updated(deployment(), first, KIND, ANN))
    second = having(deployment(replicas=2), mine["metadata"]["managedFields"])
    assert set(owners(updated(mine, second, KIND, BEN))) == {"ben"}


def test_a_removed_field_has_no_owner() -> None:
    first = deployment(replicas=1, paused=True)
    mine = having(first, updated(deployment(), first, KIND, ANN))
    second = having(deployment(replicas=1), mine["metadata"]["managedFields"])
    assert owners(updated(mine, second, KIND, BEN)) == {"ann": {".spec.replicas"}}


def test_fields_that_an_endpoint_resets_are_not_owned() -> None:
    blind = replace(ANN, ignored=((("f", "spec"),),))
    assert updated(deployment(), deployment(replicas=3), KIND, blind) == []


def test_what_two_appliers_agree_on_is_owned_by_both() -> None:
    live = apply(deployment(), deployment(replicas=2), ANN)
    both = apply(live, deployment(replicas=2), BEN)
    assert owners(both["metadata"]["managedFields"]) == {"ann": {".spec.replicas"}, "ben": {".spec.replicas"}}


def test_an_apply_that_disagrees_conflicts_unless_forced() -> None:
    live = apply(deployment(), deployment(replicas=2), ANN)
    with pytest.raises(Conflicts) as caught:
        apply(live, deployment(replicas=3), BEN)
    assert [(manager.name, show(path)) for manager, path in caught.value.found] == [("ann", ".spec.replicas")]
    forced = apply(live, deployment(replicas=3), BEN, force=True)
    assert forced["spec"] == {"replicas": 3}
    assert set(owners(forced["metadata"]["managedFields"])) == {"ben"}


def test_what_an_applier_no_longer_says_goes_unless_another_owns_it() -> None:
    live = apply(deployment(), deployment(replicas=2, paused=True), ANN)
    live = apply(live, deployment(paused=True), BEN)
    live = apply(live, deployment(), ANN)
    assert live["spec"] == {"paused": True}


def test_a_list_item_that_is_no_longer_applied_goes_with_what_nobody_owns_in_it() -> None:
    live = apply(deployment(), deployment(**container("a", image="1")), ANN)
    [item] = live["spec"]["template"]["spec"]["containers"]
    item["imagePullPolicy"] = "Always"  # as a default, owned by nobody
    live = apply(live, deployment(**container("b", image="2")), ANN)
    assert [c["name"] for c in live["spec"]["template"]["spec"]["containers"]] == ["b"]


def test_an_apply_merges_items_by_key_and_keeps_those_of_others() -> None:
    live = apply(deployment(), deployment(**container("a", image="1")), ANN)
    live = apply(live, deployment(**container("b", image="2")), BEN)
    names = [c["name"] for c in live["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == ["a", "b"]


def test_a_second_equal_apply_keeps_its_time() -> None:
    live = apply(deployment(), deployment(replicas=2), ANN)
    later = replace(ANN, time="2026-01-09T00:00:00Z")
    assert apply(live, deployment(replicas=2), later) == live


def test_the_oldest_updaters_are_rolled_into_one() -> None:
    obj, managers = deployment(), list[Json]()
    for day in range(1, MAX_UPDATERS + 4):
        after = having(deployment(**obj["spec"]), managers)
        after["metadata"]["labels"] = {f"l{n}": "x" for n in range(day)}
        writer = Writer(f"m{day}", "apps/v1", "", f"2026-01-{day:02}T00:00:00Z")
        managers = updated(having(obj, managers), after, KIND, writer)
        obj = having(after, managers)
    assert len(managers) == MAX_UPDATERS
    assert managers[0]["manager"] == "ancient-changes"


def test_custom_resources_are_owned_field_by_field_and_lists_whole() -> None:
    obj = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"a": [{"b": 1}]},
    }
    managers = updated({}, obj, None, ANN)
    assert owners(managers) == {"ann": {".spec", ".spec.a"}}
