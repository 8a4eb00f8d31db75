"""What becomes of pods by the rules of a world, as the API shows it."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from opssquad.worlds.kube.recording.fates import Fate
from opssquad.worlds.kube.recording.spec import WorldRules
from opssquad.worlds.kube.world import RecordedWorld
from tests.worlds.kube.living import Living

Json = dict[str, Any]
IMAGE = "registry.example.com/tools/web:7"
TARGET = "Deployment/shop/pier"


def world(pods: Any, **rules: Any) -> Living:
    """A recorded world in which pods of the Deployment `pier` fare so while the Secret `broken` is there."""
    living = Living("shop-0412")
    when = {"workload": TARGET, "objects": [{"ref": "Secret/shop/broken", "exists": True}]}
    made = WorldRules.model_validate(
        {"outcomes": [{"when": when, "pods": pods}], "default": {"pods": "ready"}} | rules
    )
    living.recording = replace(living.recording, rules=made)
    living.world = RecordedWorld(living.recording, real=lambda: living.wall)
    living.call("POST", "/api/v1/namespaces/shop/secrets", {"metadata": {"name": "broken"}})
    return living


def deployed(living: Living, **spec: Any) -> Json:
    """The Deployment `pier` with one pod; the pod after a while."""
    pod = {"containers": [{"name": "web", "image": IMAGE}], **spec}
    template = {"metadata": {"labels": {"app": "web-x"}}, "spec": pod}
    body = {
        "metadata": {"name": "pier"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web-x"}}, "template": template},
    }
    living.call("POST", "/apis/apps/v1/namespaces/shop/deployments", body)
    living.wait(20)
    found = living.pods(TARGET)
    return found[0] if found else {}


def mended(living: Living, seconds: float) -> bool:
    living.delete("Secret/shop/broken")
    living.wait(seconds)
    return living.healthy(TARGET)


def said(living: Living, reason: str) -> list[str]:
    return [e["message"] for e in living.listed("Event", "shop") if e["reason"] == reason]


def waits(pod: Json, part: str = "containerStatuses") -> Json:
    found: Json = pod["status"][part][0]["state"]["waiting"]
    return found


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("unauthorized", "401 Unauthorized"),
        ("denied", "pull access denied"),
        ("lookup", "dial tcp: lookup registry.example.com on"),
        ("throttled", "429 Too Many Requests"),
        ("timeout", "i/o timeout"),
    ],
)
def test_a_registry_answers_in_its_own_way(answer: str, words: str) -> None:
    living = world({"image_pull_error": {"answer": answer}})
    pod = deployed(living)
    assert waits(pod)["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert words in waits(pod)["message"]
    assert any(words in message for message in said(living, "Failed"))
    assert mended(living, 60)


def test_a_program_that_is_not_there_is_an_error_of_the_start_and_no_run() -> None:
    why = 'exec: "serve": executable file not found in $PATH'
    living = world({"start_error": {"message": why}})
    status = deployed(living)["status"]["containerStatuses"][0]
    ended = status["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)
    assert ended["startedAt"].startswith("1970")
    assert f"Error: {why}" in said(living, "Failed")
    assert mended(living, 60)


def test_a_leak_serves_until_it_is_killed_and_starts_again_at_once() -> None:
    living = world({"crash": {"exit_code": 137, "reason": "OOMKilled", "after": 900}})
    deployed(living)
    assert living.healthy(TARGET)
    living.wait(1100)
    status = living.pods(TARGET)[0]["status"]["containerStatuses"][0]
    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert living.healthy(TARGET)


def test_a_liveness_probe_says_why_before_its_container_ends() -> None:
    living = world(
        {"crash": {"exit_code": 143, "reason": "Error", "probe": "Liveness probe failed: $ip refused"}}
    )
    pod = deployed(living)
    assert f"Liveness probe failed: {pod['status']['podIP']} refused" in said(living, "Unhealthy")
    assert "Container web failed liveness probe, will be restarted" in said(living, "Killing")


def test_a_readiness_probe_fails_in_the_words_of_the_rule() -> None:
    living = world({"unready": {"message": "Readiness probe failed: Get http://$ip:80/: timeout"}})
    pod = deployed(living)
    address = pod["status"]["podIP"]
    assert f"Readiness probe failed: Get http://{address}:80/: timeout" in said(living, "Unhealthy")
    assert mended(living, 30)


INIT = {"initContainers": [{"name": "wait", "image": "registry.example.com/tools/wait:1"}]}


def test_an_init_container_that_hangs_holds_its_pod_until_it_is_let_go() -> None:
    living = world({"init": {"container": "wait"}})
    pod = deployed(living, **INIT)
    assert "running" in pod["status"]["initContainerStatuses"][0]["state"]
    assert waits(pod)["reason"] == "PodInitializing"
    assert mended(living, 30)


def test_an_init_container_crashes_again_and_again() -> None:
    living = world({"init": {"container": "wait", "crash": {"exit_code": 2, "reason": "Error"}}})
    pod = deployed(living, **INIT)
    assert waits(pod, "initContainerStatuses")["reason"] == "CrashLoopBackOff"
    assert pod["status"]["initContainerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 2
    assert pod["status"]["phase"] == "Pending"
    assert mended(living, 60)


def test_a_refused_pod_is_tried_again() -> None:
    why = 'Internal error occurred: failed calling webhook "x.example.com": no endpoints available'
    living = world({"refused": {"message": why}})
    assert deployed(living) == {}
    assert said(living, "FailedCreate") == [f"Error creating: {why}"]
    assert mended(living, 40)


def test_a_volume_that_cannot_be_mounted_keeps_the_containers_from_being_created() -> None:
    living = world({"volume_error": {"message": 'MountVolume.SetUp failed for volume "keys"'}})
    assert waits(deployed(living))["reason"] == "ContainerCreating"
    assert said(living, "FailedMount") == ['MountVolume.SetUp failed for volume "keys"']
    assert mended(living, 60)


def test_a_pod_that_is_evicted_stays_as_failed_and_another_takes_its_place() -> None:
    living = world({"evicted": {"message": "The node was low on resource: ephemeral-storage.", "after": 60}})
    deployed(living)
    living.wait(60)
    phases = sorted(pod["status"].get("reason", pod["status"]["phase"]) for pod in living.pods(TARGET))
    assert phases == ["Evicted", "Running"]
    assert said(living, "Evicted") == ["The node was low on resource: ephemeral-storage."]


def test_a_mutating_webhook_makes_pods_other_than_their_template() -> None:
    spec = {"containers": [{"name": "web", "resources": {"limits": {"memory": "32Mi"}}}]}
    living = world("ready", rewrites=[{"when": {"workload": TARGET}, "spec": spec}])
    pod = deployed(living)
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"memory": "32Mi"}
    assert pod["spec"]["containers"][0]["image"] == IMAGE
    assert living.get(TARGET)["spec"]["template"]["spec"]["containers"][0]["resources"] == {}


def test_a_container_that_lingers_keeps_its_job_from_ending() -> None:
    living = world("ready", default={"pods": {"lingering": {"container": "proxy"}}})
    containers = [{"name": name, "image": IMAGE} for name in ("task", "proxy")]
    template = {"spec": {"restartPolicy": "Never", "containers": containers}}
    job = {"metadata": {"name": "task"}, "spec": {"template": template}}
    living.call("POST", "/apis/batch/v1/namespaces/shop/jobs", job)
    living.wait(30)
    [pod] = living.owned("Pod", living.get("Job/shop/task"))
    states = [next(iter(status["state"])) for status in pod["status"]["containerStatuses"]]
    assert (states, pod["status"]["phase"]) == (["terminated", "running"], "Running")


def test_a_fate_that_is_none_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValidationError, match="must be ready, unready, image_pull_error, or one of crash"):
        Fate.model_validate("explodes")
