"""Containers that end or never start, beyond what the recordings hold."""

from datetime import timedelta

import pytest

from tests.tools.signals.objects import NOW, ago, container, event, pod, told


def ended(code: int, reason: str = "Error", minutes: float = 1) -> dict[str, object]:
    return {"exitCode": code, "reason": reason, "startedAt": ago(minutes + 1), "finishedAt": ago(minutes)}


def test_a_loop_caught_between_two_crashes_is_a_loop_all_the_same() -> None:
    status = container(
        restarts=7, state={"running": {"startedAt": ago(0.1)}}, lastState={"terminated": ended(2)}
    )
    found = told(pod(containerStatuses=[status]))
    assert found["container.crash_loop"].data["exit_code"] == 2
    assert found["container.crash_loop"].owner.name == "web"


def test_a_container_that_runs_again_is_told_by_its_restarts() -> None:
    status = container(
        True, 3, state={"running": {"startedAt": ago(4)}}, lastState={"terminated": ended(137, minutes=5)}
    )
    found = told(pod(ready=True, containerStatuses=[status]))
    assert "container.crash_loop" not in found
    assert (
        "3 restarts since the pod started 50 min ago, the last 5 min ago" in found["container.restarts"].text
    )
    assert found["container.restarts"].until is None


def test_restarts_of_long_ago_are_history() -> None:
    old = ended(1, minutes=40_000)
    status = container(True, 1, state={"running": {"startedAt": ago(39_999)}}, lastState={"terminated": old})
    found = told(pod(ready=True, containerStatuses=[status]))["container.restarts"]
    assert (found.severity, found.until is not None) == ("info", True)


def test_an_oom_of_long_ago_is_history_and_one_without_a_limit_says_so() -> None:
    old = ended(137, "OOMKilled", minutes=3_000)
    status = container(True, 1, state={"running": {"startedAt": ago(2_999)}}, lastState={"terminated": old})
    found = told(pod(ready=True, containerStatuses=[status]))["container.oom_killed"]
    assert found.until is not None
    assert "it has no limit of its own" in found.text


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ('Failed to pull image "x": manifest unknown', "not_found"),
        ('Failed to pull image "x": unauthorized: authentication required', "unauthorized"),
        ('Failed to pull image "x": pull access denied, repository does not exist', "unauthorized"),
        ('Failed to pull image "x": dial tcp: lookup reg.example on 10.0.0.10:53: no such host', "lookup"),
        ('Failed to pull image "x": toomanyrequests: rate limit exceeded', "rate_limited"),
        ('Failed to pull image "x": context deadline exceeded', "other"),
    ],
)
def test_the_registrys_words_tell_why_a_pull_fails(message: str, why: str) -> None:
    each = pod(containerStatuses=[container(state={"waiting": {"reason": "ImagePullBackOff"}})])
    found = told(each, event(each, "Failed", message))["container.image_pull"]
    assert found.data["why"] == why


@pytest.mark.parametrize(
    ("message", "ref", "key"),
    [
        ('configmap "conf" not found', "ConfigMap/n/conf", ""),
        ('secret "creds" not found', "Secret/n/creds", ""),
        ("couldn't find key URL in Secret n/creds", "Secret/n/creds", "URL"),
        ("container has runAsNonRoot and image will run as root", "", ""),
    ],
)
def test_missing_configuration_is_named(message: str, ref: str, key: str) -> None:
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
    found = told(pod(containerStatuses=[container(state=waiting)]))["container.config_error"]
    assert (found.data["ref"], found.data["key"]) == (ref, key)


def test_a_command_that_does_not_exist_is_a_start_error() -> None:
    message = 'exec: "srv": executable file not found in $PATH'
    last = {"terminated": {**ended(128, "StartError"), "message": message}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    found = told(pod(containerStatuses=[container(restarts=3, state=waiting, lastState=last)]))
    assert "executable file not found" in found["container.start_error"].text


def test_a_pod_stuck_in_creation_tells_the_mount_that_fails() -> None:
    each = pod(
        phase="Pending", containerStatuses=[container(state={"waiting": {"reason": "ContainerCreating"}})]
    )
    found = told(each, event(each, "FailedMount", 'MountVolume.SetUp failed: secret "tls" not found'))
    assert found["pod.not_ready"].data["stuck"] == "FailedMount"
    assert 'secret "tls" not found' in found["pod.not_ready"].text


def test_an_init_container_that_runs_on_is_named_with_its_time() -> None:
    init = {"name": "wait", "ready": False, "restartCount": 0, "state": {"running": {"startedAt": ago(20)}}}
    found = told(pod(phase="Pending", initContainerStatuses=[init]))["init.waiting"]
    assert "init container wait has been running for 20 min" in found.text
    assert found.at == NOW - timedelta(minutes=20)


def test_an_evicted_pod_tells_why() -> None:
    found = told(pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."))
    assert set(found) == {"pod.evicted"}
    assert "low on resource: memory" in found["pod.evicted"].text
