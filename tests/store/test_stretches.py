"""Looks at revisions of workloads in a store: kept apart, made longer, let go; also by two processes."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opssquad.errors import StoreError
from opssquad.observations import Observation, PodSeen
from opssquad.store.backup import backup
from opssquad.store.base import Storage
from opssquad.store.checking import check
from opssquad.store.sqlite import Store
from opssquad.store.stretches import RETENTION
from opssquad.types import Ref
from tests.samples import NOW
from tests.store.stores import Opener
from tests.store.test_processes import race

API = Ref(kind="Deployment", namespace="web", name="api")
MINUTE = timedelta(minutes=1)


def a_look(at: datetime = NOW, restarts: int = 0, **over: Any) -> Observation:
    pod = PodSeen(uid="p1", name="api-1", started=NOW - MINUTE, ready_since=NOW, restarts=restarts)
    values = {"workload": API, "uid": "w1", "revision": "5d4f", "number": 2, "desired": 1, "pods": (pod,)}
    return Observation(**{**values, "current": True, "at": at, **over})


async def test_only_a_look_in_which_something_is_new_is_told_as_new(store: Storage) -> None:
    assert await store.note("c1", "prod", [a_look()]) == [a_look()]
    assert await store.note("c1", "prod", [a_look(NOW + MINUTE)]) == []
    fell = a_look(NOW + 2 * MINUTE, restarts=1)
    assert await store.note("c1", "prod", [fell]) == [fell]
    first, second = await store.stretches("c1", "w1")
    assert (first.looks, first.ended, first.restarts) == (2, NOW + MINUTE, 0)
    assert (second.looks, second.begun, second.restarts) == (1, NOW + 2 * MINUTE, 1)


async def test_clusters_workloads_and_revisions_are_kept_apart(store: Storage) -> None:
    for cluster, over in (("c1", {}), ("c2", {}), ("c1", {"uid": "w2"}), ("c1", {"revision": "77aa"})):
        await store.note(cluster, "prod", [a_look(**over)])
    assert [each.revision for each in await store.stretches("c1", "w1")] == ["5d4f", "77aa"]
    assert len(await store.stretches("c2", "w1")) == len(await store.stretches("c1", "w2")) == 1
    found = await store.all_stretches()
    assert [(e.cluster, e.stretch.uid) for e in found] == [("c1", "w1")] * 2 + [("c1", "w2"), ("c2", "w1")]
    assert {e.cluster_name for e in found} == {"prod"}


async def test_a_look_that_comes_late_is_kept_without_losing_a_later_one(store: Storage) -> None:
    await store.note("c1", "prod", [a_look(NOW + 9 * MINUTE, restarts=1)])
    await store.note("c1", "prod", [a_look(NOW)])
    await store.note("c1", "prod", [a_look(NOW + 10 * MINUTE, restarts=1)])
    assert [(s.looks, s.restarts) for s in await store.stretches("c1", "w1")] == [(1, 0), (2, 1)]


async def test_what_was_seen_is_let_go_when_asked(store: Storage) -> None:
    await store.note("c1", "prod", [a_look()])
    assert await store.forget_stretches(NOW) == 0
    assert await store.forget_stretches(NOW + MINUTE) == 1
    assert await store.all_stretches() == []


async def test_what_was_seen_outlives_the_process(opener: Opener) -> None:
    async with opener() as store:
        await store.note("c1", "prod", [a_look()])
    async with opener() as store:
        assert await store.note("c1", "prod", [a_look(NOW + MINUTE)]) == []
        assert [each.looks for each in await store.stretches("c1", "w1")] == [2]


@pytest.mark.parametrize(("late", "left"), [(timedelta(), ["c1", "c2"]), (MINUTE, ["c2"])])
async def test_what_was_seen_longer_ago_than_it_is_kept_goes_by_itself(
    tmp_path: Path, late: timedelta, left: list[str]
) -> None:
    now = [NOW]
    async with await Store.open(tmp_path / "state", now=lambda: now[0]) as store:
        await store.note("c1", "old", [a_look()])
        now[0] = NOW + RETENTION + late
        # By our clock: that of a recorded cluster stands in another year.
        await store.note("c2", "new", [a_look()])
        assert [each.cluster for each in await store.all_stretches()] == left


async def test_a_row_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as store:
        await store.note("c1", "prod", [a_look()])
        with closing(sqlite3.connect(tmp_path / "state" / "opssquad.sqlite")) as c, c:
            c.execute("update stretches set body = '{}'")
        with pytest.raises(StoreError, match="what was seen of a revision on disk cannot be read"):
            await store.stretches("c1", "w1")


async def test_a_copy_holds_what_was_seen_and_the_check_up_finds_it_sound(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    async with await Store.open(state, now=lambda: NOW) as store:
        await store.note("c1", "prod", [a_look()])
    await asyncio.to_thread(backup, state, copy, NOW)
    assert [line.name for line in check(copy) if line.state == "fail"] == []
    async with await Store.open(copy, now=lambda: NOW) as store:
        assert len(await store.stretches("c1", "w1")) == 1


async def test_two_processes_that_look_at_once_lose_no_look(tmp_path: Path) -> None:
    await asyncio.to_thread(race, tmp_path, ("looks", "kim"), ("looks", "lee"))
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as store:
        found = await store.stretches("c1", "w1")
    assert sum(each.looks for each in found) == 100
    assert [each.restarts for each in found] == sorted(each.restarts for each in found)
