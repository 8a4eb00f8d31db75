"""What a story can say besides changes: a status, a CronJob's time, warnings that came often; which container
writes what. The recordings are those that their scenarios make (`test_scenarios`).
"""

import pytest

from opssquad import content
from opssquad.types import Json
from opssquad.worlds.kube.recording import Recording, load


@pytest.fixture(scope="module")
def blind() -> Recording:
    """An autoscaler whose status was given."""
    return load(content.recordings()["rail-0204"])


@pytest.fixture(scope="module")
def endless() -> Recording:
    """A CronJob whose run never ends."""
    return load(content.recordings()["rail-0318"])


@pytest.fixture(scope="module")
def waiting() -> Recording:
    """An init container that waits for a name."""
    return load(content.recordings()["rail-0128"])


def of(recording: Recording, kind: str, start: str) -> list[Json]:
    return [o for o in recording.objects if o["kind"] == kind and o["metadata"]["name"].startswith(start)]


def events(recording: Recording, reason: str) -> list[Json]:
    return [o for o in of(recording, "Event", "") if o["reason"] == reason and o["apiVersion"] == "v1"]


def test_a_status_is_as_the_story_gives_it(blind: Recording) -> None:
    (scaler,) = of(blind, "HorizontalPodAutoscaler", "biljettkassa")
    found = {c["type"]: c["reason"] for c in scaler["status"]["conditions"]}
    assert found["ScalingActive"] == "FailedGetResourceMetric"


def test_a_warning_that_came_often_has_its_count_its_first_time_and_who_said_it(blind: Recording) -> None:
    (event,) = events(blind, "FailedGetResourceMetric")
    assert event["count"] == 231
    assert (event["firstTimestamp"], event["lastTimestamp"]) == (
        "2027-02-04T15:27:00Z",
        "2027-02-04T16:25:00Z",
    )
    assert event["source"]["component"] == "horizontal-pod-autoscaler"


def test_a_cronjobs_time_makes_a_job_unless_one_runs_and_none_may_overlap(endless: Recording) -> None:
    (cron,) = of(endless, "CronJob", "timavstamning")
    (active,) = cron["status"]["active"]
    jobs = of(endless, "Job", "timavstamning")
    running = [job for job in jobs if not job["status"].get("completionTime")]
    assert [job["metadata"]["name"] for job in running] == [active["name"]]
    assert cron["status"]["lastScheduleTime"] == "2027-03-18T09:10:00Z"
    assert {e["involvedObject"]["kind"] for e in events(endless, "JobAlreadyActive")} == {"CronJob"}


def test_a_container_beside_the_first_writes_as_it_does_itself(endless: Recording) -> None:
    (cron,) = of(endless, "CronJob", "timavstamning")
    job = cron["status"]["active"][0]["name"]
    (pod,) = of(endless, "Pod", job)
    lines = endless.log("trafik", pod["metadata"]["name"], "bokport", False) or []
    assert lines
    assert all(" bokport: " in line for line in lines)


def test_an_init_container_writes_what_the_story_says_of_it_and_nothing_else(waiting: Recording) -> None:
    pods = of(waiting, "Pod", "biljettkassa-")
    held = [pod for pod in pods if "running" in pod["status"]["initContainerStatuses"][0]["state"]]
    (pod,) = held
    lines = waiting.log("kundyta", pod["metadata"]["name"], "vanta-las", False) or []
    assert sum("NXDOMAIN" in line for line in lines) > 100
    assert not any("Puma" in line for line in lines)
    assert waiting.log("kundyta", pod["metadata"]["name"], "puma", False) is None
