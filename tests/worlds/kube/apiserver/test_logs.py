"""Container logs: options, and what is said when there is nothing to show."""

import asyncio

import pytest

from tests.worlds.kube.apiserver.small import NODES, PODS, SmallWorld, body, pod

LOG = "/api/v1/namespaces/a/pods/web-1/log"


@pytest.fixture
def world() -> SmallWorld:
    world = SmallWorld(pod("web-1"))
    world.write_log("web-1", "one", "two", "three")
    return world


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "one\ntwo\nthree\n"),
        ("tailLines=2", "two\nthree\n"),
        ("tailLines=9", "one\ntwo\nthree\n"),
        ("tailLines=0", ""),
        ("limitBytes=5", "one\nt"),
        ("tailLines=1&timestamps=true", "2026-03-08T14:27:02.000000000Z three\n"),
        ("sinceSeconds=598", "three\n"),
        ("sinceTime=2026-03-08T14:27:01Z", "two\nthree\n"),
        ("container=main", "one\ntwo\nthree\n"),
    ],
)
def test_options_choose_lines(world: SmallWorld, query: str, text: str) -> None:
    reply = world.get(f"{LOG}?{query}")
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, text, "text/plain")


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("container=nope", 400, "container nope is not valid for pod web-1"),
        ("tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("sinceTime=yesterday", 400, 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00"'),
        ("previous=true", 400, 'previous terminated container "main" in pod "web-1" not found'),
        ("limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0"),
    ],
)
def test_wrong_options_are_refused(world: SmallWorld, query: str, code: int, message: str) -> None:
    failure = body(world.get(f"{LOG}?{query}"))
    assert failure["code"] == code
    assert message in failure["message"]


def waiting(reason: str) -> dict[str, object]:
    return {
        "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": reason}}, "restartCount": 0}]
    }


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("ImagePullBackOff", "trying and failing to pull image"),
        ("ErrImagePull", "image can't be pulled"),
        ("ContainerCreating", "ContainerCreating"),
    ],
)
def test_a_container_that_never_ran_says_why(reason: str, why: str) -> None:
    failure = body(SmallWorld(pod("web-1", status=waiting(reason))).get(LOG))
    assert failure["message"] == f'container "main" in pod "web-1" is waiting to start: {why}'


def test_a_pod_without_a_node_has_no_content() -> None:
    assert SmallWorld(pod("web-1", spec={"nodeName": ""})).get(LOG).status == 204


def test_of_several_containers_one_must_be_named() -> None:
    several = {"containers": [{"name": "main"}, {"name": "proxy"}], "initContainers": [{"name": "wait"}]}
    failure = body(SmallWorld(pod("web-1", spec=several)).get(LOG))
    assert failure["message"] == (
        "a container name must be specified for pod web-1, choose one of: [wait main proxy]"
    )


def test_the_instance_before_is_kept_apart(world: SmallWorld) -> None:
    crashed = pod("web-1")
    crashed["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"containerID": "c1"}}
    world.store.put(PODS, crashed)
    world.write_log("web-1", "panic", previous=True)
    assert world.get(f"{LOG}?previous=true").body == "panic\n"
    assert world.get(f"{LOG}?tailLines=1").body == "three\n"


def test_a_node_that_does_not_answer_has_no_logs() -> None:
    node = {
        "kind": "Node",
        "metadata": {"name": "n1"},
        "status": {
            "conditions": [{"type": "Ready", "status": "Unknown"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        },
    }
    failure = body(SmallWorld(pod("web-1"), node).get(LOG))
    assert failure["code"] == 500
    assert 'Get "https://10.0.0.1:10250/containerLogs/a/web-1/main"' in failure["message"]


async def test_a_followed_log_goes_on_until_the_pod_is_gone(world: SmallWorld) -> None:
    chunks: list[bytes] = []

    async def follow() -> None:
        async for chunk in world.stream(f"{LOG}?follow=true&tailLines=1").chunks:
            chunks.append(chunk)

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.01)
    world.write_log("web-1", "four")
    world.store.put(NODES, {"metadata": {"name": "n2"}})  # any change makes it look again
    await asyncio.sleep(0.01)
    world.store.remove(PODS, "a", "web-1")
    async with asyncio.timeout(5):
        await following
    assert b"".join(chunks) == b"three\nfour\n"
