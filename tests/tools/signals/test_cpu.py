"""A CPU limit that is tiny or was lowered, what follows from it, and the fault of it."""

import pytest
from tools._template import differs, lowered
from tools.signals.slowness import slow

from opssquad import Json, Signal
from opssquad.findings import Hypothesis
from tests.tools.signals.objects import (
    ago,
    container,
    deployment,
    event,
    logged,
    obj,
    pod,
    ranked,
    rolled_out,
    told,
)

LATE = (
    'Liveness probe failed: Get "http://10.0.0.7:8080/live": context deadline exceeded '
    "(Client.Timeout exceeded while awaiting headers)"
)


def limited(cpu: str | None) -> Json:
    """The Deployment `web` with that CPU limit."""
    made = deployment(1, 1)
    if cpu:
        made["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": cpu}}
    made["metadata"] |= {"uid": "u1", "annotations": {"deployment.kubernetes.io/revision": "2"}}
    return made


def kept(number: int, cpu: str | None, minutes: float) -> Json:
    """The ReplicaSet of a revision with that CPU limit."""
    up = {"kind": "Deployment", "name": "web", "uid": "u1", "controller": True}
    spec = {"template": limited(cpu)["spec"]["template"]}
    notes = {"deployment.kubernetes.io/revision": str(number)}
    return obj(
        "ReplicaSet", f"web-h{number}", spec, ownerReferences=[up], annotations=notes, uid=f"r{number}",
        creationTimestamp=ago(minutes),
    )  # fmt: skip


def runs() -> Json:
    return pod(ready=True, containerStatuses=[container(True, state={"running": {"startedAt": ago(9)}})])


def uses(cpu: str) -> Json:
    return obj("PodMetrics", "web-1") | {"containers": [{"name": "app", "usage": {"cpu": cpu}}]}


def k07(*objects: Json, more: tuple[Signal, ...] = ()) -> Hypothesis | None:
    return next((each for each in ranked(*objects, more=more) if each.fault == "K07"), None)


def cut(minutes: float = 40) -> Signal:
    found = rolled_out(deployment(), "resources.limits.cpu", minutes=minutes)
    return found.model_copy(update={"data": {**found.data, "lowered": ["resources.limits.cpu"]}})


WARNED = event(runs(), "Unhealthy", LATE)
LOWER = (limited("200m"), kept(1, "2", 90), kept(2, "200m", 30))


@pytest.mark.parametrize(
    ("objects", "why", "before"),
    [
        ((limited("50m"),), "tiny", ""),
        (LOWER, "cut", "2"),
        ((limited("2"), kept(1, None, 90), kept(2, "2", 30)), "cut", "no limit"),
    ],
)
def test_a_limit_that_is_tiny_or_was_lowered_is_told(
    objects: tuple[Json, ...], why: str, before: str
) -> None:
    found = told(*objects)["container.cpu_tight"]
    assert (found.data["why"], found.data["from"], found.severity) == (why, before, "info")


@pytest.mark.parametrize(
    "objects",
    [(limited(None),), (limited("500m"),), (limited("2"), kept(1, "200m", 90), kept(2, "2", 30))],
)
def test_a_limit_that_is_neither_is_not(objects: tuple[Json, ...]) -> None:
    assert "container.cpu_tight" not in told(*objects)


def test_use_near_the_limit_is_told_where_the_metrics_api_was_read() -> None:
    found = told(limited("500m"), runs(), uses("480123456n"))["container.cpu_at_limit"]
    assert "96 % of its limit of 500m" in found.text
    assert "container.cpu_at_limit" not in told(limited("500m"), runs(), uses("200m"))


def test_the_limit_alone_never_names_the_fault() -> None:
    assert k07(*LOWER, runs(), more=(cut(),)) is None
    assert k07(limited("20m"), runs()) is None


def test_probes_that_time_out_after_the_limit_was_lowered_are_likely_that() -> None:
    found = k07(*LOWER, runs(), WARNED, more=(cut(),))
    assert found is not None
    assert (str(found.component), found.confidence) == ("Deployment/n/web", "likely")
    assert "may use 200m of CPU at most (2 before)" in found.root_cause
    assert [each.action for each in found.options] == ["rollback", "patch", "escalate"]
    assert [each.action for each in found.inadmissible] == ["restart"]
    assert "workload" in {call.tool for call in found.next_calls}


def test_with_the_use_that_the_metrics_api_shows_it_is_confirmed() -> None:
    slow_log = logged(runs(), "WARN slow request: GET /items 3200ms")
    found = k07(*LOWER, runs(), WARNED, uses("199m"), more=(cut(), *slow_log))
    assert found is not None
    assert found.confidence == "confirmed"


def test_probes_that_time_out_where_no_limit_is_tight_are_not_it() -> None:
    assert k07(limited("2"), runs(), WARNED) is None


def test_a_limit_that_no_rollout_lowered_is_no_reason_to_roll_back() -> None:
    found = k07(limited("50m"), runs(), WARNED)
    assert found is not None
    assert "rollback" not in {each.action for each in found.options}
    assert {each.action for each in found.inadmissible} == {"restart", "rollback"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("WARN slow request GET /items took 3.2s", "slow request"),
        ("request is slow: 2100 ms", "request is slow"),
        ("apply request took too long", "took too long"),
        ("Event loop blocked for 1200 ms", "Event loop blocked"),
        ("response time 2300 ms above the budget", "response time 2300 ms above"),
        ("container cpu is being throttled", "cpu is being throttl"),
        ("slow query: SELECT 1", ""),
        ("waited for 1.1s due to client-side throttling", ""),
        ("GET /slow 200", ""),
    ],
)
def test_the_words_of_slowness(line: str, words: str) -> None:
    assert slow(line) == words


def test_what_became_less_is_told_of_a_rollout() -> None:
    def template(**limits: str) -> Json:
        return {"spec": {"containers": [{"name": "app", "resources": {"limits": limits}}]}}

    assert lowered(differs(template(cpu="1"), template(cpu="100m"))) == ["resources.limits.cpu"]
    assert lowered(differs(template(), template(cpu="1"))) == ["resources.limits.cpu"]
    assert lowered(differs(template(cpu="100m"), template(cpu="1"))) == []
    assert lowered(differs(template(cpu="100m"), template())) == []
