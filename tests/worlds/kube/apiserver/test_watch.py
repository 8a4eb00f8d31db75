"""Watches: what is there, what changes, what enters and leaves a selection, and how they end."""

import asyncio
import json
from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.request import Stream
from tests.worlds.kube.apiserver.small import PODS, SmallWorld, body, pod

WATCH = "/api/v1/namespaces/a/pods?watch=true"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
Event = tuple[str, Any]


@pytest.fixture
def world() -> SmallWorld:
    return SmallWorld(pod("web-1"), pod("db-1", version=8), pod("web-9", "b", 9))


async def take(stream: Stream, count: int) -> list[dict[str, Any]]:
    """The first events of a stream, however they are spread over its chunks."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(5):
        async for chunk in stream.chunks:
            events += [json.loads(line) for line in chunk.splitlines()]
            if len(events) >= count:
                break
    return events


def told(events: list[dict[str, Any]]) -> list[Event]:
    return [(e["type"], e["object"]["metadata"].get("name")) for e in events]


async def test_without_a_version_what_is_there_comes_first(world: SmallWorld) -> None:
    stream = world.stream(WATCH)
    first = await take(stream, 2)
    world.store.put(PODS, pod("web-2"))
    assert told(first) == [("ADDED", "db-1"), ("ADDED", "web-1")]


async def test_from_a_version_only_changes_in_the_namespace_come(world: SmallWorld) -> None:
    stream = world.stream(f"{WATCH}&resourceVersion=9")
    world.store.put(PODS, pod("web-8", "b"))
    world.store.put(PODS, pod("web-2"))
    world.store.put(PODS, pod("web-1"))
    world.store.remove(PODS, "a", "db-1")
    events = await take(stream, 3)
    assert told(events) == [("ADDED", "web-2"), ("MODIFIED", "web-1"), ("DELETED", "db-1")]
    assert [e["object"]["metadata"]["resourceVersion"] for e in events] == ["11", "12", "13"]


async def test_leaving_the_selection_is_a_deletion_and_entering_it_an_addition(world: SmallWorld) -> None:
    stream = world.stream(f"{WATCH}&resourceVersion=9&labelSelector=app%3Dweb")
    renamed = pod("web-1")
    renamed["metadata"]["labels"] = {"app": "other"}
    world.store.put(PODS, renamed)
    world.store.put(PODS, pod("web-1"))
    events = await take(stream, 2)
    assert told(events) == [("DELETED", "web-1"), ("ADDED", "web-1")]
    assert events[0]["object"]["metadata"]["labels"] == {"app": "web"}


async def test_a_change_wakes_a_watch_that_waits(world: SmallWorld) -> None:
    waiting = asyncio.create_task(take(world.stream(f"{WATCH}&resourceVersion=9"), 1))
    await asyncio.sleep(0.01)
    world.store.put(PODS, pod("web-2"))
    assert told(await waiting) == [("ADDED", "web-2")]


async def test_a_watch_list_says_when_the_beginning_is_over(world: SmallWorld) -> None:
    query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    events = await take(world.stream(WATCH + query), 3)
    assert [e["type"] for e in events] == ["ADDED", "ADDED", "BOOKMARK"]
    assert events[2]["object"]["metadata"] == {
        "resourceVersion": "9",
        "annotations": {"k8s.io/initial-events-end": "true"},
    }


async def test_only_the_first_table_names_the_columns(world: SmallWorld) -> None:
    events = await take(world.stream(WATCH, TABLE), 2)
    first, second = (e["object"] for e in events)
    assert [column["name"] for column in first["columnDefinitions"]][:2] == ["Name", "Ready"]
    assert second["columnDefinitions"] is None
    assert second["rows"][0]["cells"][:3] == ["web-1", "1/1", "Running"]


async def test_a_version_that_is_forgotten_is_an_error_event(world: SmallWorld) -> None:
    [event] = await take(world.stream(f"{WATCH}&resourceVersion=3"), 9)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_a_watch_ends_when_its_time_is_up(world: SmallWorld) -> None:
    assert await take(world.stream(f"{WATCH}&resourceVersion=9&timeoutSeconds=1"), 1) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [("sendInitialEvents=true", 422), ("resourceVersion=abc", 500), ("labelSelector=%3D", 400)],
)
def test_wrong_parameters_are_refused_before_it_begins(world: SmallWorld, query: str, code: int) -> None:
    assert body(world.get(f"{WATCH}&{query}"))["code"] == code


async def test_events_of_both_apis_are_the_same_objects(world: SmallWorld) -> None:
    event = {"metadata": {"name": "e1", "namespace": "a"}, "involvedObject": {"kind": "Pod"}, "message": "hi"}
    stream = world.stream("/apis/events.k8s.io/v1/namespaces/a/events?watch=true&resourceVersion=9")
    world.store.put(PODS._replace(plural="events"), event)
    [told_event] = await take(stream, 1)
    assert (told_event["object"]["note"], told_event["object"]["apiVersion"]) == ("hi", "events.k8s.io/v1")
