"""Recordings made from scenarios: coherent, always the same; what is wrong with a scenario is one line."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from opssquad import content
from opssquad.documents import BadFile
from opssquad.evals.scenarios import make
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.recording import Recording, load
from opssquad.worlds.kube.recording.checks import check
from tests.sampling import EACH

FOLDER = Path(__file__).resolve().parents[2] / "evals" / "scenarios"
SCENARIOS = sorted(file for file in FOLDER.glob("*/*.yaml") if file.stem not in ("application", "manifests"))
CRASH = FOLDER / "haul" / "haul-0914.yaml"


def files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


@pytest.mark.parametrize("scenario", SCENARIOS[::EACH], ids=lambda file: file.stem)
def test_the_recording_is_what_its_scenario_makes_and_sound(scenario: Path, tmp_path: Path) -> None:
    # Whatever changes how stories are played changes some of every fifth, too; then all are to be made anew.
    made = make(scenario, tmp_path)
    assert check(made) == []
    kept = content.recordings()[scenario.stem]
    assert files(made) == files(kept), f"make it anew: opssquad recording make {scenario} --out {kept.parent}"


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return load(make(CRASH, tmp_path_factory.mktemp("made")))


def of(recording: Recording, kind: str, name: str) -> Json:
    return next(o for o in recording.objects if (o["kind"], o["metadata"]["name"]) == (kind, name))


def test_the_control_plane_did_what_the_story_says(crash: Recording) -> None:
    deployment = of(crash, "Deployment", "pricing")
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    assert deployment["status"]["unavailableReplicas"] == 2
    sets = [
        o for o in crash.objects if o["kind"] == "ReplicaSet" and o["metadata"]["name"].startswith("pricing-")
    ]
    assert sorted(o["spec"]["replicas"] for o in sets) == [0, 0, 2]
    slices = [o for o in crash.objects if o["kind"] == "EndpointSlice"]
    (ends,) = (o for o in slices if o["metadata"]["labels"]["kubernetes.io/service-name"] == "pricing")
    assert [end["conditions"]["ready"] for end in ends["endpoints"]] == [False, False]


def test_who_changed_what_is_on_record(crash: Recording) -> None:
    managed = of(crash, "Deployment", "positions")["metadata"]["managedFields"]
    (changed,) = (entry for entry in managed if entry["manager"] == "argocd-controller")
    assert changed["time"] == "2026-09-14T06:25:00Z"


def test_events_are_kept_for_an_hour_in_both_forms(crash: Recording) -> None:
    events = [o for o in crash.objects if o["kind"] == "Event"]
    assert len([o for o in events if o["apiVersion"] == "v1"]) * 2 == len(events) > 20
    assert not [o for o in events if "order-intake" in json.dumps(o)], "nothing happened there for days"
    stale = next(o for o in events if o["reason"] == "Unhealthy" and o["apiVersion"] == "v1")
    assert parse_time(stale["lastTimestamp"]) == crash.clock - timedelta(minutes=49)


def test_a_container_that_ended_badly_says_its_last_words_in_both_logs(crash: Recording) -> None:
    pod = next(
        o for o in crash.objects if o["kind"] == "Pod" and o["metadata"]["name"].startswith("pricing-")
    )
    name = pod["metadata"]["name"]
    for previous in (False, True):
        lines = crash.log("haul", name, "pricing", previous) or []
        assert [json.loads(line.split(" ", 1)[1])["lvl"] for line in lines] == ["info", "error", "fatal"]
    ended = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["finishedAt"]
    now, before = (crash.log("haul", name, "pricing", previous) or [] for previous in (False, True))
    assert before[-1] < now[0] < now[-1] < ended.replace("Z", ".999")


def test_a_caller_complains_from_when_the_story_says_and_not_before(crash: Recording) -> None:
    pod = next(
        o["metadata"]["name"]
        for o in crash.objects
        if o["kind"] == "Pod" and o["metadata"]["name"].startswith("order-intake-")
    )
    lines = crash.log("haul", pod, "intake") or []
    refused = [line for line in lines if "Connection refused" in line]
    assert len(refused) > 100
    assert min(refused) > "2026-09-14T06:01:00"
    assert lines[0] < "2026-09-14T05:15:00", "its log goes back further than that"


@pytest.fixture(scope="module")
def throttled(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return load(make(FOLDER / "vakt" / "vakt-0426.yaml", tmp_path_factory.mktemp("made")))


def test_what_a_workload_uses_is_as_the_story_says(throttled: Recording) -> None:
    used = {
        o["metadata"]["name"].rsplit("-", 2)[0]: o["containers"][0]["usage"]
        for o in throttled.objects
        if o["kind"] == "PodMetrics"
    }
    assert used["stadsetning"]["cpu"] == "149m"
    assert used["stadsetning"]["memory"].endswith("Ki"), "what the story does not name is drawn"
    assert used["greining"]["cpu"] != "149m"


def test_a_warning_that_comes_again_is_counted_and_names_the_address_of_its_pod(throttled: Recording) -> None:
    events = [o for o in throttled.objects if o["kind"] == "Event" and o["apiVersion"] == "v1"]
    slow = [e for e in events if e["message"].startswith("Readiness probe failed") and e["count"] > 1]
    (repeated,) = slow
    address = of(throttled, "Pod", repeated["involvedObject"]["name"])["status"]["podIP"]
    assert f'"http://{address}:7070/heilsa"' in repeated["message"]
    assert repeated["count"] == 6
    assert repeated["firstTimestamp"] < repeated["lastTimestamp"] == "2028-04-26T09:45:00Z"


def test_what_the_stand_in_has_no_controller_for_stands_in_the_manifests(throttled: Recording) -> None:
    scaler = of(throttled, "HorizontalPodAutoscaler", "kort")
    assert scaler["status"]["currentReplicas"] == 3
    written = {condition["lastTransitionTime"] for condition in scaler["status"]["conditions"]}
    assert written == {scaler["metadata"]["creationTimestamp"]}


def test_a_silent_node_gives_no_log_and_no_metrics_of_its_pods(tmp_path: Path) -> None:
    recording = load(make(FOLDER / "vakt" / "vakt-0322.yaml", tmp_path))
    node = of(recording, "Node", "sv-hnutur-2")
    assert {c["status"] for c in node["status"]["conditions"]} == {"Unknown"}
    assert all(c["lastHeartbeatTime"] < "2028-03-22T02:36:00Z" for c in node["status"]["conditions"])
    pods = [o for o in recording.objects if o["kind"] == "Pod"]
    there = {pod["metadata"]["name"] for pod in pods if pod["spec"]["nodeName"] == "sv-hnutur-2"}
    assert "bylgja-1" in there
    with_log = {file.parent.name for file in (tmp_path / "vakt-0322" / "logs").rglob("*.log")}
    measured = {o["metadata"]["name"] for o in recording.objects if o["kind"] == "PodMetrics"}
    assert not there & (with_log | measured)
    assert {pod["metadata"]["name"] for pod in pods} - there == with_log == measured


def test_a_node_that_came_back_reports_like_any_other(tmp_path: Path) -> None:
    recording = load(make(FOLDER / "vakt" / "vakt-0329.yaml", tmp_path))
    node = of(recording, "Node", "sv-hnutur-3")
    assert "taints" not in node["spec"]
    (ready,) = [c for c in node["status"]["conditions"] if c["type"] == "Ready"]
    assert (ready["status"], ready["lastTransitionTime"]) == ("True", "2028-03-29T03:51:00Z")
    assert ready["lastHeartbeatTime"] > "2028-03-29T04:15:00Z"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{at: -9d,", "{at: lately,", "story.0.at: must be a time before the clock"),
        ("merge: {Deployment/haul/positions", "merge: {Deployment/haul/position", '"position" not found'),
        ("merge: {Deployment/haul/positions", "merge: {Lorry/haul/positions", "no resource is a Lorry"),
        ("warn: {Pod/haul/planner-*", "warn: {Pod/haul/ghost-*", "there is no Pod/haul/ghost-* at that time"),
        ("giving up'}", "given up'}", "truth.evidence: no log logs/haul/pricing-*"),
        ("questions:", "question:", "question: unknown key; did you mean 'questions'?"),
        ("by: argocd-controller, merge", "silent: [Node//gone], merge", '"gone" not found'),
        ("by: argocd-controller, merge", "silent: [Pod/haul/a], merge", "story.0.silent.0: "),
    ],
)
def test_what_is_wrong_with_a_scenario_is_one_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    folder = tmp_path / "haul"
    shutil.copytree(CRASH.parent, folder)
    file = folder / CRASH.name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        make(file, tmp_path / "out")
    assert str(caught.value).startswith(f"{file}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
