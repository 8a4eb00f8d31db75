"""Why a fault stands on the list or does not: the clauses, what met them, and what came near."""

from typing import Any

from opssquad import Signal
from opssquad.diagnosis.explaining import Account, Case, Heard
from tests.diagnosis.test_differential import CATALOGUE, NOON, crash, release, signal

EDIT = signal("config.changed", owner="ConfigMap/ns/settings", at=-60, used_by=["Deployment/ns/api"])


def case(*signals: Signal) -> Case:
    """A case whose signals have the evidence e1, e2, … in their order."""
    return Case(CATALOGUE, signals, [(f"e{n}",) for n in range(1, len(signals) + 1)])


def account(fault: str, *signals: Signal) -> Account:
    (found,) = (each for each in case(*signals).accounts() if each.fault == fault)
    return found


def heard(clauses: tuple[Heard, ...], begins: str) -> Heard:
    (found,) = (each for each in clauses if each.clause.startswith(begins))
    return found


def test_the_leading_fault_is_told_with_the_evidence_of_each_clause() -> None:
    found = account("K01", crash(), release(), signal("log.parse_error", at=6))
    assert (found.standing, found.because, found.behind) == ("listed", "", "")
    assert [seen.evidence for seen in found.opened] == [("e1",)]
    assert [seen.evidence for seen in heard(found.speaks_for, "rollout.recent").met] == [("e2",)]
    assert [seen.evidence for seen in heard(found.against, "log.parse_error").met] == [("e3",)]
    # 1 for the anchor and 3 for the rollout, less 2, of 1 + 3 + 1.5 + 0.5.
    assert found.score == round(2 / 6, 3)
    assert "logs" in [choice.tool for choice in found.more]


def test_a_fault_that_a_better_one_explains_is_behind_it() -> None:
    oom = signal("container.oom_killed", at=5)
    stuck = signal("rollout.stuck", at=9)
    found = case(oom, release(field="resources.limits.memory"), stuck).accounts()
    assert [(a.fault, a.standing) for a in found] == [("K05", "listed"), ("K24", "excluded")]
    assert found[1].because == "container.oom_killed: must not be seen, and was"
    behind = account("K09", signal("probe.readiness_failed", at=6), signal("probe.liveness_failed", at=6))
    assert behind.standing == "listed"
    missing = signal("container.image_pull", why="not_found", **{"image": "a:1"})
    also = case(missing.model_copy(update={"data": {**missing.data, "why": ["not_found", "lookup"]}}))
    assert [(a.fault, a.standing, a.behind) for a in also.accounts()] == [
        ("K04", "listed", ""),
        ("K02", "behind", "K04"),
    ]


def test_a_required_clause_that_nothing_meets_is_told_with_what_came_near() -> None:
    early = crash().model_copy(update={"at": EDIT.at.replace(hour=10)} if EDIT.at else {})
    found = account("K12", EDIT, early)
    assert found.standing == "excluded"
    assert found.because.startswith("container.crash_loop, at what uses it, after it began: must be seen")
    assert (found.root_cause, found.inadmissible) == ("", ())
    # The logs of the workload that crashes would tell more; which one that is is not known.
    assert found.more == ()
    (near,) = heard(found.speaks_for, "container.crash_loop").near
    assert (near.evidence, near.but) == (("e2",), "10:00 UTC is not after it began (11:00 UTC)")


def _but(clauses: tuple[Heard, ...], begins: str) -> list[str]:
    return [seen.but for seen in heard(clauses, begins).near]


def test_what_came_near_says_why_it_does_not_count() -> None:
    elsewhere = release().model_copy(update={"owner": EDIT.owner, "entity": EDIT.owner})
    assert _but(account("K01", crash(), elsewhere).speaks_for, "rollout.recent") == [
        "it is about ConfigMap/ns/settings, not about Deployment/ns/api"
    ]
    assert _but(account("K01", crash(), release(at=30)).speaks_for, "rollout.recent") == [
        "12:30 UTC is not before it began (12:05 UTC)"
    ]
    resized = account("K05", signal("container.oom_killed", at=5), release())
    assert _but(resized.speaks_for, "rollout.recent") == [
        "diff.field is image; wanted: diff.field is like *memory* or is like *resources*"
    ]


def unopened(fault: str, *signals: Signal) -> list[tuple[str, list[str]]]:
    entry = next(each for each in CATALOGUE.faults if each.id == fault)
    return [(a.clause, [n.but for n in a.near]) for a in case(*signals).unopened(entry).anchors]


def test_a_fault_that_nothing_opened_says_what_would_have() -> None:
    data: dict[str, Any] = {"exit_code": 137, "reason": "OOMKilled"}
    past = crash().model_copy(update={"until": NOON})
    assert unopened("K14") == [("workload.scaled_to_zero where planned is not told", [])]
    own = "exit_code is not 137 and reason is not OOMKilled and init is not true"
    assert unopened("K01", crash(**data), past) == [
        (
            f"container.crash_loop where {own}",
            ["exit_code is 137; wanted: exit_code is not 137", "it was over at 12:00 UTC"],
        ),
        (f"container.exited where {own}", []),
    ]
    assert unopened("K18", signal("replicaset.create_failed", why="quota")) == [
        ("replicaset.create_failed where why is quota or is limit_range", ["it does not say object"])
    ]
