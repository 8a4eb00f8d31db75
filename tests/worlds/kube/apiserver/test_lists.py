"""Lists: scope, chunks, old revisions, and the parameters that are refused."""

import pytest

from tests.worlds.kube.apiserver.small import PODS, SmallWorld, body, names, pod

ALL = "/api/v1/pods"
IN_A = "/api/v1/namespaces/a/pods"


@pytest.fixture
def world() -> SmallWorld:
    return SmallWorld(pod("web-1"), pod("web-2", version=8), pod("db-1", version=9), pod("web-9", "b", 10))


def test_a_namespace_that_does_not_exist_has_an_empty_list(world: SmallWorld) -> None:
    listed = world.get("/api/v1/namespaces/nowhere/pods")
    assert (listed.status, names(listed)) == (200, [])


def test_items_do_not_repeat_kind_and_version(world: SmallWorld) -> None:
    listed = body(world.get(IN_A))
    assert (listed["kind"], listed["apiVersion"]) == ("PodList", "v1")
    assert not any("kind" in item for item in listed["items"])


def test_a_changed_object_is_listed_as_it_is_now(world: SmallWorld) -> None:
    before = body(world.get(IN_A))["items"][1]
    changed = pod("web-1")
    changed["metadata"]["labels"] = {"app": "other"}
    world.store.put(PODS, changed)
    after = body(world.get(IN_A))["items"][1]
    assert (before["metadata"]["labels"], after["metadata"]["labels"]) == ({"app": "web"}, {"app": "other"})


def test_yaml_lists_hold_the_same(world: SmallWorld) -> None:
    assert body(world.get(IN_A, "application/yaml")) == body(world.get(IN_A))


def test_chunks_hold_every_object_once_and_count_the_rest(world: SmallWorld) -> None:
    first = world.get(f"{ALL}?limit=2")
    metadata = body(first)["metadata"]
    second = world.get(f"{ALL}?limit=2&continue={metadata['continue']}")
    assert metadata["remainingItemCount"] == 2
    assert names(first) + names(second) == ["db-1", "web-1", "web-2", "web-9"]
    assert "continue" not in body(second)["metadata"]


def test_a_selection_does_not_say_how_many_remain(world: SmallWorld) -> None:
    metadata = body(world.get(f"{ALL}?limit=1&labelSelector=app%3Dweb"))["metadata"]
    assert "continue" in metadata
    assert "remainingItemCount" not in metadata


def test_the_next_chunk_shows_the_cluster_as_it_was_for_the_first(world: SmallWorld) -> None:
    token = body(world.get(f"{IN_A}?limit=1"))["metadata"]["continue"]
    world.store.remove(PODS, "a", "web-1")
    world.store.put(PODS, pod("web-0"))
    rest = world.get(f"{IN_A}?limit=9&continue={token}")
    assert names(rest) == ["web-1", "web-2"]
    assert body(rest)["metadata"]["resourceVersion"] == "10"
    assert names(world.get(IN_A)) == ["db-1", "web-0", "web-2"]


def test_an_exact_old_version_can_be_listed(world: SmallWorld) -> None:
    world.store.remove(PODS, "a", "db-1")
    past = world.get(f"{IN_A}?resourceVersion=10&resourceVersionMatch=Exact")
    assert names(past) == ["db-1", "web-1", "web-2"]


def test_a_forgotten_version_is_410_with_a_token_to_go_on(world: SmallWorld) -> None:
    token = body(world.get(f"{IN_A}?limit=1"))["metadata"]["continue"]
    world.store.oldest = 11
    gone = body(world.get(f"{IN_A}?limit=1&continue={token}"))
    assert (gone["code"], gone["reason"]) == (410, "Expired")
    assert names(world.get(f"{IN_A}?limit=9&continue={gone['metadata']['continue']}")) == ["web-1", "web-2"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=many", 400),
        ("limit=-1", 200),
        ("continue=xyz", 400),
        ("continue=%25%25", 400),
        ("resourceVersion=abc", 400),
        ("resourceVersion=3&limit=1", 410),
        ("resourceVersion=99999", 504),
        ("resourceVersionMatch=Exact", 422),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422),
        ("resourceVersion=5&resourceVersionMatch=Nearly", 422),
        ("fieldSelector=spec.image%3Dx", 400),
        ("labelSelector=%3D", 400),
        ("whatever=1&timeout=32s", 200),
    ],
)
def test_parameters_are_checked(world: SmallWorld, query: str, code: int) -> None:
    reply = world.get(f"{IN_A}?{query}")
    assert reply.status == code
    assert code == 200 or body(reply)["code"] == code
