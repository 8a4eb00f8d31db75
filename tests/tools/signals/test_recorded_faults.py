"""What the objects and events of every recorded incident must tell, reasoned from its truth."""

from functools import cache

import pytest
from tools.signals._scene import Scene
from tools.signals.reading import read_signals

from opssquad import Ref, Signal
from tests.tools.recorded import IDS, clock, objects, truth

# The signal that the mechanism must show in objects and events, and facts that it must carry.
# Who answers for it is the component of the truth unless said otherwise.
EXPECTED = {
    "auth-0308": [("container.crash_loop", {"exit_code": 1, "killed_by_probe": False})],
    "media-0519": [("container.oom_killed", {"limit": "640Mi"})],
    "media-0606": [("probe.readiness_failed", {"path": "/ready", "role": "active"})],
    "media-0702": [
        ("workload.scaled_to_zero", {"from": 2}),
        ("service.no_endpoints", {"why": "no_replicas"}),
    ],
    "media-0715": [("quota.exceeded", {"resource": "limits.memory", "hard": "8Gi", "over": True})],
    "media-0728": [("node.not_ready", {"message": "Kubelet stopped posting node status."})],
    "media-0811": [("workload.recovered", {"ready": 2})],
    "shop-0412": [("container.image_pull", {"why": "not_found"})],
    "shop-0427": [
        ("probe.liveness_failed", {"port": 8081, "role": "active", "port_declared": False}),
        ("container.crash_loop", {"killed_by_probe": True}),
    ],
    "shop-0503": [
        ("container.config_error", {"key": "PRICE_LIST_URL", "ref": "ConfigMap/shop/catalog-config"}),
        ("config.missing", {"key": "PRICE_LIST_URL"}),
    ],
    "shop-0618": [],
    "shop-0709": [
        ("pod.unschedulable", {"too_big": {"memory": {"asked": "24Gi", "largest_node": "14.5Gi"}}})
    ],
    "shop-0721": [
        ("service.no_endpoints", {"why": "selector_matches_nothing", "unmatched": {"track": "stable"}})
    ],
    "shop-0805": [("container.oom_killed", {"limit": "400Mi"})],
}


@cache
def scene(recording: str) -> Scene:
    return Scene(clock(recording), objects(recording))


@cache
def signals(recording: str) -> tuple[Signal, ...]:
    return tuple(read_signals(scene(recording)))


def component(recording: str) -> Ref:
    said = truth(recording)["component"]
    return Ref(kind=said["kind"], namespace=said["namespace"], name=said["name"])


@pytest.mark.parametrize("recording", IDS)
def test_the_fault_is_told_by_the_component_that_has_it(recording: str) -> None:
    mine = [each for each in signals(recording) if component(recording) in (each.owner, each.entity)]
    for name, facts in EXPECTED[recording]:
        found = [each for each in mine if each.id == name]
        assert found, f"no {name} among {sorted({each.id for each in mine})}"
        assert any(facts.items() <= each.data.items() for each in found)


@pytest.mark.parametrize("recording", IDS)
def test_nothing_grave_is_said_of_a_component_that_is_well(recording: str) -> None:
    """Critical signals fall to the component, or to what the truth lists as affected."""
    said = truth(recording)
    affected = {str(each).split("/", 2)[2] for each in said["affected"] if str(each).count("/") >= 2}
    guilty = {component(recording).name, *affected}
    wrong = [e for e in signals(recording) if e.severity == "critical" and e.owner.name not in guilty]
    assert not wrong


@pytest.mark.parametrize("recording", IDS)
def test_every_quote_stands_in_the_sources(recording: str) -> None:
    found = {each.locator: each.text for each in scene(recording).sources(signals(recording))}
    for signal in signals(recording):
        assert signal.quotes, signal.id
        assert all(quote.text in found[quote.locator] for quote in signal.quotes)


# Evidence in objects that are read with what changed, not with what is broken.
ELSEWHERE = {"auth-0308": "DB_TIMEOUT", "shop-0618": "ConfigMap", "media-0728": "Pod/streaming/postgres-0"}


@pytest.mark.parametrize("recording", IDS)
def test_the_quotes_cover_the_evidence_of_the_truth(recording: str) -> None:
    quotes = [quote for signal in signals(recording) for quote in signal.quotes]
    for each in truth(recording)["evidence"]:
        elsewhere = ELSEWHERE.get(recording, "-")
        if each["kind"] == "log" or elsewhere in each["contains"] or elsewhere in each["where"]:
            continue
        assert any(each["contains"] in q.text and q.locator.endswith(each["where"]) for q in quotes), each


def test_a_refused_creation_names_the_quota_that_refuses() -> None:
    (refused,) = [
        e for e in signals("media-0715") if e.id == "replicaset.create_failed" and e.owner.name == "profile"
    ]
    assert refused.data["why"] == "quota"
    assert refused.data["object"] == "ResourceQuota/streaming/team-compute"
    assert refused.entity.kind == "ReplicaSet"


def test_a_pod_that_crashes_beside_one_that_runs_is_told_with_both_ages() -> None:
    found = [e for e in signals("shop-0618") if e.id == "workload.same_revision_runs"]
    assert [e.owner.name for e in found] == ["payments"]
    assert "started 21 h 5 min ago) runs" in found[0].text
    assert all(not [e for e in signals(r) if e.id == found[0].id] for r in IDS if r != "shop-0618")


def test_a_probe_that_fails_because_the_container_is_down_is_a_consequence() -> None:
    found = [
        e for e in signals("shop-0618") if e.id == "probe.readiness_failed" and e.owner.name == "payments"
    ]
    assert [(e.severity, e.data["role"]) for e in found] == [("info", "consequence")]


@pytest.mark.parametrize("recording", IDS)
def test_old_warnings_of_pods_that_are_well_are_history(recording: str) -> None:
    stale = [e for e in signals(recording) if e.data.get("role") == "stale"]
    assert all(e.severity == "info" and e.until is not None and "(over:" in e.text for e in stale)


def test_a_crash_loop_began_with_the_first_crash_not_with_the_last_moment_of_being_ready() -> None:
    found = [e for e in signals("media-0519") if e.id == "workload.unavailable"]
    assert [(e.owner.name, e.at and e.at.strftime("%H:%M")) for e in found] == [("recommender", "18:37")]


def test_pods_of_a_dead_node_are_told_by_the_node() -> None:
    stuck = [e for e in signals("media-0728") if e.id == "pod.terminating_long"]
    assert len(stuck) == 6
    assert all(e.data["node_ready"] is False and "its node nl-node-02 is not ready" in e.text for e in stuck)
