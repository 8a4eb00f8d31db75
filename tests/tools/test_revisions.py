"""Revisions, rollouts, edits and scalings: who changed what and when, as far as the API says it."""

from datetime import timedelta

import pytest
from tools._edits import author, drift, edits, paths
from tools._kube import ref, source
from tools._revisions import Revision, Rollout, previous, revisions, rollouts
from tools._scalings import scalings
from tools._template import summary

from opssquad import Json, parse_time, rfc3339
from tests.tools.recorded import IDS, conformance, of_kind, one, truth

DEPLOYED = [
    (recording, each["metadata"]["name"]) for recording in IDS for each in of_kind(recording, "Deployment")
]


def history(recording: str, name: str, kind: str = "Deployment") -> list[Revision]:
    keepers = of_kind(recording, "ReplicaSet" if kind == "Deployment" else "ControllerRevision")
    return revisions(one(recording, kind, name), keepers, tuple(of_kind(recording, "Event")))


def rolled(recording: str, name: str) -> list[Rollout]:
    return rollouts(one(recording, "Deployment", name), history(recording, name))


def told(found: list[Rollout]) -> list[tuple[int, str, str, int, str]]:
    return [
        (
            each.revision.number,
            rfc3339(each.revision.at) if each.revision.at else "?",
            each.by,
            each.back_to,
            summary(each.diff),
        )
        for each in found
    ]


def test_the_history_of_the_failing_service_with_who_and_when() -> None:
    by = "kubectl-client-side-apply"
    assert told(rolled("auth-0308", "auth-service"))[:2] == [
        (
            3,
            "2026-03-08T13:45:01Z",
            by,
            0,
            "image v2.4.0 -> v2.4.1, DB_POOL_SIZE 50 -> 20, DB_TIMEOUT 10000 -> 5000",
        ),
        (2, "2026-03-03T13:05:00Z", "", 0, "image v2.3.7 -> v2.4.0"),
    ]


def test_a_rollback_is_told_as_a_return_with_its_own_time_and_author() -> None:
    assert told(rolled("media-0811", "profile"))[:3] == [
        (4, "2026-08-11T11:51:30Z", "kubectl", 2, "image 2026.8.0 -> 2026.7.2"),
        (3, "2026-08-11T11:44:00Z", "kubectl-client-side-apply", 0, "image 2026.7.2 -> 2026.8.0"),
        (2, "2026-06-16T10:00:00Z", "", 0, "image 2026.6.1 -> 2026.7.2"),
    ]


def test_a_return_is_dated_by_the_write_to_the_template_when_the_events_are_gone() -> None:
    keepers = of_kind("media-0811", "ReplicaSet")
    found = revisions(one("media-0811", "Deployment", "profile"), keepers)
    assert [each.at for each in found if each.current] == [parse_time("2026-08-11T11:51:30Z")]


def test_a_number_that_a_rollback_used_up_cannot_be_asked_for() -> None:
    found = history("media-0811", "profile")
    assert [(each.number, each.kept) for each in found] == [(1, True), (2, False), (3, True), (4, True)]
    back = previous(found)
    assert back is not None
    assert back.number == 3


@pytest.mark.parametrize(("recording", "name"), DEPLOYED)
def test_each_deployment_has_one_current_revision_whose_template_is_its_own(
    recording: str, name: str
) -> None:
    (current,) = [each for each in history(recording, name) if each.current]
    assert current.template["spec"] == one(recording, "Deployment", name)["spec"]["template"]["spec"]
    assert current.until is None


def test_a_revision_lasts_until_the_next_one() -> None:
    found = history("auth-0308", "auth-service")
    assert [each.until for each in found] == [each.at for each in found[1:]] + [None]


def test_namesakes_of_another_owner_do_not_count() -> None:
    stranger = {**one("auth-0308", "Deployment", "auth-service")}
    stranger["metadata"] = {**stranger["metadata"], "uid": "another"}
    assert revisions(stranger, of_kind("auth-0308", "ReplicaSet")) == []


def test_stateful_and_daemon_sets_have_their_history_in_controller_revisions() -> None:
    found = history("auth-0308", "session-store", "StatefulSet")
    assert [(each.number, each.current) for each in found] == [(1, True)]
    assert found[0].template["spec"]["containers"][0]["image"]
    daemon = next(each for each in conformance() if each["kind"] == "DaemonSet")
    keepers = [each for each in conformance() if each["kind"] == "ControllerRevision"]
    assert [each.current for each in revisions(daemon, keepers)] == [True]


def test_a_controller_revision_that_came_back_is_dated_by_its_new_number() -> None:
    workload = one("auth-0308", "StatefulSet", "session-store")
    old = next(of_kind("auth-0308", "ControllerRevision"))
    stamped = [{**each, "time": "2026-03-08T12:00:00Z"} for each in old["metadata"]["managedFields"]]
    again = {**old, "revision": 3, "metadata": {**old["metadata"], "managedFields": stamped}}
    assert [(e.number, e.at) for e in revisions(workload, [again])] == [
        (3, parse_time("2026-03-08T12:00:00Z"))
    ]


def test_a_gap_in_the_numbers_is_admitted() -> None:
    found = [each for each in history("auth-0308", "auth-service") if each.number != 2]
    newest = rollouts(one("auth-0308", "Deployment", "auth-service"), found)[0]
    assert newest.lost
    assert newest.before is not None
    assert newest.before.number == 1


# Edits


def test_fields_of_managed_fields_are_readable_paths() -> None:
    fields = {
        "f:spec": {
            "f:hard": {".": {}, "f:limits.memory": {}},
            "f:containers": {'k:{"name":"app"}': {".": {}, "f:image": {}}},
            "f:finalizers": {'v:"a/b"': {}},
        }
    }
    assert list(paths(fields)) == [
        "spec.hard[limits.memory]",
        "spec.containers[app].image",
        "spec.finalizers[a/b]",
    ]


def test_the_edit_of_a_config_map_is_found_with_its_key_and_former_value() -> None:
    config = one("shop-0618", "ConfigMap", "payments-config")
    found = next(each for each in edits(config) if not each.created)
    assert (found.manager, found.fields, rfc3339(found.at)) == (
        "kubectl-edit",
        ("data.PSP_TIMEOUT_MS",),
        "2026-06-18T08:07:00Z",
    )
    assert found.entry in source(config, managed=True).text
    assert [(each.path, each.before, each.after) for each in drift(config)] == [
        ("data.PSP_TIMEOUT_MS", "4000", "6s")
    ]


def test_status_writes_are_no_edits_and_the_systems_own_are_marked() -> None:
    for recording in IDS:
        for node in of_kind(recording, "Node"):
            found = edits(node)
            assert all(not each.below("status") for each in found)
            people = [each.manager for each in found if not each.system]
            assert people == (["kubectl"] if node["spec"].get("unschedulable") else [])


def test_a_broken_or_foreign_last_applied_annotation_is_no_drift() -> None:
    for text in ("{", "[]", '"x"', ""):
        note = {"kubectl.kubernetes.io/last-applied-configuration": text}
        assert drift({"kind": "X", "metadata": {"name": "x", "annotations": note}, "spec": {}}) == []


def test_an_author_is_named_only_for_the_moment_of_the_write() -> None:
    workload = one("auth-0308", "Deployment", "auth-service")
    at = parse_time("2026-03-08T13:45:01Z")
    assert author(workload, at, "spec.template") == "kubectl-client-side-apply"
    assert author(workload, at + timedelta(minutes=1), "spec.template") == ""
    assert author(workload, at, "spec.paused") == ""


# Scalings


def scaled(recording: str, name: str) -> list[tuple[int | None, int, str]]:
    events = tuple(of_kind(recording, "Event"))
    found = scalings(one(recording, "Deployment", name), history(recording, name), events)
    return [(each.before, each.after, each.by) for each in found]


def test_no_step_of_a_recorded_rollout_is_taken_for_a_scaling() -> None:
    found = {(recording, name): scaled(recording, name) for recording, name in DEPLOYED}
    zero = truth("media-0702")["component"]
    assert {key: value for key, value in found.items() if value} == {
        ("media-0702", zero["name"]): [(2, 0, "")]
    }


def event(of: Json, replica_set: str, before: int | None, after: int, at: str) -> Json:
    way = "up" if (before or 0) < after else "down"
    start = "" if before is None else f"from {before} "
    return {
        "kind": "Event",
        "metadata": {"name": f"e{at}", "namespace": ref(of).namespace, "creationTimestamp": at},
        "involvedObject": {"kind": of["kind"], "namespace": ref(of).namespace, "name": ref(of).name},
        "reason": "ScalingReplicaSet",
        "message": f"Scaled {way} replica set {replica_set} {start}to {after}",
        "lastTimestamp": at,
    }


def test_scaling_up_and_down_again_is_told_newest_first_even_by_old_servers() -> None:
    workload = one("auth-0308", "Deployment", "login-ui")
    name = next(e for e in history("auth-0308", "login-ui") if e.current).keeper["metadata"]["name"]
    events = [
        event(workload, name, 2, 5, "2026-03-08T14:00:00Z"),
        event(workload, name, None, 2, "2026-03-08T14:10:00Z"),
    ]
    found = scalings(workload, history("auth-0308", "login-ui"), events, rescales=events[:1])
    assert [(each.before, each.after, each.by) for each in found] == [
        (5, 2, ""),
        (2, 5, "HorizontalPodAutoscaler"),
    ]


def test_a_scaling_whose_event_expired_is_known_from_its_writer() -> None:
    workload = one("media-0702", "Deployment", "cdn-signer")
    entry = {
        "manager": "kubectl",
        "operation": "Update",
        "time": "2026-07-02T09:00:00Z",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
        "subresource": "scale",
    }
    meta = {**workload["metadata"], "managedFields": [entry]}
    (found,) = scalings({**workload, "metadata": meta}, history("media-0702", "cdn-signer"), ())
    assert (found.before, found.after, found.by, rfc3339(found.at)) == (
        2,
        0,
        "kubectl",
        "2026-07-02T09:00:00Z",
    )
