"""The store: revisions, order, the change log, copies."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from opssquad.worlds.kube.apiserver import store as store_module
from opssquad.worlds.kube.apiserver.resources import EVENTS, ResourceKey, builtin
from opssquad.worlds.kube.apiserver.store import Store

PODS = ResourceKey("", "pods")


def clock() -> datetime:
    return datetime(2026, 3, 8, 14, 37, tzinfo=UTC)


def pod(name: str, namespace: str = "a", version: str = "7") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "resourceVersion": version}}


def test_loaded_objects_keep_their_version_and_written_ones_get_the_next() -> None:
    store = Store(clock)
    store.load(PODS, pod("one", version="41"))
    assert store.get(PODS, "a", "one") == pod("one", version="41")
    assert store.put(PODS, pod("two"))["metadata"]["resourceVersion"] == "42"
    assert [(c.type, c.object["metadata"]["name"]) for c in store.since(41)] == [("ADDED", "two")]


def test_lists_come_in_the_order_of_etcd_keys() -> None:
    store = Store(clock)
    for namespace, name in (("a", "z"), ("a-b", "b"), ("a", "b")):
        store.load(PODS, pod(name, namespace))
    # "-" sorts before "/", so the keys of namespace a-b come before those of a
    assert [(o["metadata"]["namespace"], o["metadata"]["name"]) for o in store.list(PODS)] == [
        ("a-b", "b"),
        ("a", "b"),
        ("a", "z"),
    ]
    assert len(store.list(PODS, "a")) == 2


def test_a_removal_is_a_change_with_the_last_state() -> None:
    store = Store(clock)
    store.load(PODS, pod("one"))
    assert store.remove(PODS, "a", "one") == pod("one")
    assert store.remove(PODS, "a", "one") is None
    [change] = store.since(7)
    assert (change.type, change.object["metadata"]["resourceVersion"]) == ("DELETED", "8")
    assert store.get(PODS, "a", "one") is None


def test_a_copy_shares_no_later_write() -> None:
    store = Store(clock)
    store.load(PODS, pod("one"))
    other = store.copy()
    other.remove(PODS, "a", "one")
    assert store.get(PODS, "a", "one") is not None
    assert (store.revision, other.revision) == (7, 8)


def test_what_was_derived_from_an_object_is_forgotten_when_it_changes() -> None:
    store = Store(clock)
    first = store.put(PODS, pod("one"))
    store.memo(first)["v1"] = b"first"
    assert store.memo(first) == {"v1": b"first"}
    second = store.put(PODS, pod("one"))
    assert store.memo(second) == {}
    assert store.memo(first) == {}


def test_only_so_many_changes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "REMEMBERED", 2)
    store = Store(clock)
    for _ in range(5):
        store.put(PODS, pod("one"))
    assert [change.revision for change in store.since(store.oldest)] == [5, 6]
    assert store.oldest == 4


async def test_a_waiting_watch_wakes_at_the_next_write() -> None:
    store = Store(clock)
    waiting = asyncio.create_task(store.changed(5))
    await asyncio.sleep(0)
    store.put(PODS, pod("one"))
    assert await waiting is True
    assert await store.changed(0.01) is False


def test_the_two_event_apis_share_one_store_key() -> None:
    newer = builtin().lookup("events.k8s.io", "v1", "events")
    assert newer is not None
    assert newer.key == EVENTS


def test_custom_resources_are_known_from_their_definition() -> None:
    crd = {
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [
                {"name": "v1", "subresources": {"scale": {}, "status": {}}},
                {"name": "v0", "served": False},
            ],
        }
    }
    known = builtin().extended([crd])
    widget = known.of_kind("example.com/v1", "Widget")
    assert widget is not None
    assert (widget.singular, widget.subresources["scale"].group) == ("widget", "autoscaling")
    assert known.lookup("example.com", "v0", "widgets") is None
    assert known.versions("autoscaling") == ["v2", "v1"]
