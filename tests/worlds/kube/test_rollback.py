"""The golden rollback in a recorded world: quick, complete, with logs and events, and the same each time."""

from pathlib import Path

from opssquad.times import parse_time
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from tests.worlds.kube.living import REVISION, Json, Living

TARGET = "Deployment/authentication/auth-service"


def everything(living: Living) -> dict[ResourceKey, list[Json]]:
    store = living.world.store
    return {key: store.list(key) for key in store.resources()}


def started() -> Living:
    living = Living("auth-0308")
    living.rollback(TARGET)
    return living


def test_three_pods_are_back_within_ten_seconds() -> None:
    living = started()
    living.wait(9)
    assert living.healthy(TARGET)


def test_the_old_replica_set_is_used_again_with_a_new_revision() -> None:
    living = started()
    living.wait(9)
    sets = {
        rs["metadata"]["name"]: (rs["spec"]["replicas"], rs["metadata"]["annotations"][REVISION])
        for rs in living.owned("ReplicaSet", living.get(TARGET))
    }
    assert sets == {
        "auth-service-6bf7fb555f": (0, "1"),
        "auth-service-cff498559": (0, "3"),
        "auth-service-65d8c65879": (3, "4"),
    }
    assert living.get(TARGET)["metadata"]["annotations"][REVISION] == "4"


def test_new_pods_log_their_own_version_and_settings_after_they_started() -> None:
    living = started()
    living.wait(9)
    [pod, *_] = living.pods(TARGET)
    lines = living.world.logs.read("authentication", pod["metadata"]["name"], "auth-service", False)
    assert lines
    assert lines[0].text.endswith("INFO Starting authentication service v2.4.0")
    assert "DB_POOL_SIZE=50, DB_TIMEOUT=10000" in lines[1].text
    assert all(" ERROR " not in line.text for line in lines)
    begun = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    assert all(parse_time(begun) <= parse_time(line.time) <= living.world.clock() for line in lines)
    assert lines[0].text[:19] == lines[0].time[:19]


def test_a_pod_that_crashes_is_restarted_after_growing_pauses_with_its_log() -> None:
    living = Living("auth-0308")
    living.restart(TARGET)
    living.wait(30)
    [pod, *_] = living.pods(TARGET)
    [status] = pod["status"]["containerStatuses"]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert (
        "back-off 10s" in status["state"]["waiting"]["message"]
        or "20s" in status["state"]["waiting"]["message"]
    )
    assert status["lastState"]["terminated"]["exitCode"] == 1
    living.wait(90)
    later = living.get(f"Pod/authentication/{pod['metadata']['name']}")["status"]["containerStatuses"][0]
    assert later["restartCount"] > status["restartCount"]
    for previous in (False, True):
        lines = living.world.logs.read("authentication", pod["metadata"]["name"], "auth-service", previous)
        assert lines
        assert "Starting authentication service v2.4.1" in lines[0].text
    assert lines[-1].text.endswith("FATAL Unable to initialize service, exiting")


def test_new_pods_are_measured_and_old_ones_are_not_any_more() -> None:
    living = started()
    living.wait(40)
    measured = {m["metadata"]["name"] for m in living.world.store.list(ResourceKey("metrics.k8s.io", "pods"))}
    assert {pod["metadata"]["name"] for pod in living.pods(TARGET)} <= measured
    assert not any(name.startswith("auth-service-cff498559") for name in measured)


def test_the_same_changes_at_the_same_moments_give_the_same_objects() -> None:
    first, second = started(), started()
    first.wait(20)
    second.wait(20)
    assert everything(first) == everything(second)


def test_how_often_the_world_is_looked_at_changes_nothing() -> None:
    first, second = started(), started()
    first.wait(20)
    second.wall = first.wall
    second.world.advance()
    assert everything(first) == everything(second)


def test_a_world_that_is_opened_again_in_the_middle_of_a_rollout_goes_on_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    first = Living("auth-0308", journal=file)
    first.wait(3)
    first.rollback(TARGET)
    first.wait(2)
    second = Living("auth-0308", journal=file)
    second.wall = first.wall
    second.world.advance()
    assert everything(second) == everything(first)
    for living in (first, second):
        living.wait(10)
        assert living.healthy(TARGET)
    assert everything(second) == everything(first)
