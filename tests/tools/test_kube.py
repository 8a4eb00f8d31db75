"""The helpers that every Kubernetes tool stands on: owners, quotes, events, kubectl lines."""

import pytest
from tools._kube import (
    about,
    controller,
    event_count,
    event_text,
    kubectl,
    last_seen,
    owner,
    quote,
    quote_at,
    ref,
    selected,
    source,
)

from opssquad import Json, Ref
from tests.tools.recorded import IDS, conformance, objects, of_kind, one


def test_a_pods_owner_is_its_deployment_with_or_without_the_replica_set_at_hand() -> None:
    for recording in IDS:
        known = {ref(each): each for each in of_kind(recording, "ReplicaSet")}
        for pod in of_kind(recording, "Pod"):
            assert owner(pod, known) == owner(pod)


def test_a_job_pod_belongs_to_its_cron_job_with_or_without_the_job_at_hand() -> None:
    told = 0
    for recording in IDS:
        jobs = {ref(each): each for each in of_kind(recording, "Job")}
        for pod in of_kind(recording, "Pod"):
            up = controller(pod)
            if up and up.kind == "Job" and owner(pod, jobs).kind == "CronJob":
                assert owner(pod) == owner(pod, jobs)
                told += 1
    assert told


def test_a_job_that_was_made_by_hand_answers_for_itself() -> None:
    meta = {"name": "p", "namespace": "n", "ownerReferences": [_owner("Job", "reindex-2")]}
    assert owner({"kind": "Pod", "metadata": meta}) == Ref(kind="Job", namespace="n", name="reindex-2")


def test_a_static_pod_and_a_bare_pod_answer_for_themselves() -> None:
    bare: Json = {"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}}
    static = {"kind": "Pod", "metadata": {**bare["metadata"], "ownerReferences": [_owner("Node", "n1")]}}
    assert owner(bare) == owner(static) == Ref(kind="Pod", namespace="n", name="p")


def test_a_replica_set_of_another_controller_is_not_taken_for_a_deployments() -> None:
    pod = {
        "kind": "Pod",
        "metadata": {"name": "web-1-x", "namespace": "n", "ownerReferences": [_owner("ReplicaSet", "web-1")]},
    }
    assert owner(pod) == Ref(kind="ReplicaSet", namespace="n", name="web-1")


def test_who_is_owned_by_nobody_that_is_named_or_by_itself_answers_for_itself() -> None:
    def of(kind: str, name: str, up: Json) -> Json:
        return {"kind": kind, "metadata": {"name": name, "namespace": "n", "ownerReferences": [up]}}

    unnamed = of("Pod", "p", _owner("", "web-1"))
    assert owner(unnamed) == ref(unnamed)
    ring = of("ReplicaSet", "web-1", _owner("ReplicaSet", "web-1"))
    pod = of("Pod", "p", _owner("ReplicaSet", "web-1"))
    assert owner(pod, {ref(ring): ring}) == ref(ring)


def _owner(kind: str, name: str) -> Json:
    return {"apiVersion": "v1", "kind": kind, "name": name, "uid": "u", "controller": True}


def test_a_source_leaves_managed_fields_out_unless_asked() -> None:
    service = one("shop-0721", "Service", "cart")
    assert "managedFields" not in source(service).text
    assert "2026-07-21T09:24:0" in source(service, managed=True).text
    assert "managedFields" in service["metadata"]


def test_a_quote_stands_in_its_source_or_is_refused() -> None:
    deployment = one("media-0702", "Deployment", "cdn-signer")
    assert quote_at(deployment, "spec", "replicas").text == '"replicas":0'
    assert quote_at(deployment, "spec", "template", "spec", "containers", 0, "ports", 0).text.startswith("{")
    with pytest.raises(ValueError, match="does not stand in Deployment/streaming/cdn-signer"):
        quote(deployment, '"replicas":99')


def test_events_are_read_in_both_forms_of_the_api() -> None:
    core = {
        "involvedObject": {"kind": "Node", "name": "n1", "namespace": "default"},
        "reason": "NodeNotReady",
        "message": "Node n1  status is now:\nNodeNotReady",
        "lastTimestamp": "2026-01-01T10:00:00Z",
        "count": 3,
        "metadata": {"creationTimestamp": "2026-01-01T09:00:00Z"},
    }
    modern = {
        "regarding": core["involvedObject"],
        "reason": core["reason"],
        "note": core["message"],
        "eventTime": "2026-01-01T09:00:00.000000Z",
        "series": {"count": 3, "lastObservedTime": "2026-01-01T10:00:00.000000Z"},
        "metadata": core["metadata"],
    }
    for event in (core, modern):
        assert about(event) == Ref(kind="Node", name="n1")
        assert event_text(event) == "NodeNotReady: Node n1 status is now: NodeNotReady"
        assert (event_count(event), last_seen(event).hour) == (3, 10)


def test_every_recorded_event_has_an_object_a_text_and_a_time() -> None:
    events = [each for each in (*objects("media-0728"), *conformance()) if each["kind"] == "Event"]
    assert len(events) > 50
    assert all(ref(e) and about(e).name and event_text(e) and last_seen(e) for e in events)


def test_an_empty_selector_selects_nothing() -> None:
    assert selected({"app": "a", "x": "y"}, {"app": "a"})
    assert not selected({"app": "a"}, {"app": "a", "track": "stable"})
    assert not selected({"app": "a"}, {})


def test_a_kubectl_line_is_quoted_as_a_shell_needs_it() -> None:
    assert kubectl("get", "pods", namespace="shop") == "kubectl -n shop get pods"
    assert kubectl("get", "pods", "", everywhere=True) == "kubectl get pods -A"
    assert kubectl("get", "pods", "-l", "a in (b,c)") == "kubectl get pods -l 'a in (b,c)'"
