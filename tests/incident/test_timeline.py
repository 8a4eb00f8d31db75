"""What an incident commander would have written down, in the order it happened."""

import pytest

from opssquad.events import Requested, Stopped, Warned
from opssquad.incident.timeline import fold, render
from tests.incident.stories import (
    asked,
    at,
    concluded,
    decided,
    event,
    judged,
    looked,
    requested,
    returned,
    signal,
    started,
    verified,
)
from tests.samples import a_call, a_card

COMMAND = "kubectl -n web rollout undo deployment/api --to-revision=7"


def test_a_whole_incident_reads_in_the_order_it_happened() -> None:
    story = [
        asked("14:32"),
        looked("14:33", signal("container.crash_loop", "api-1 crash loops: exit 1", "13:47", "api-1")),
        looked("14:34", signal("rollout.recent", "api was rolled out: revision 8", "13:45", severity="info")),
        concluded("14:35"),
        requested("14:36"),
        decided("14:38"),
        started("14:38"),
        returned("14:39"),
        verified("14:40"),
    ]
    assert render(fold(story)) == "\n".join(
        [
            "Timeline (UTC)",
            "2026-03-08",
            "13:45 - api was rolled out: revision 8",
            "14:32 - sam asked: logins fail, why?",
            "14:33 - api-1 crash loops: exit 1",
            "14:35 - Cause (likely): v2.4.1 cut the pool to 20",
            f"14:36 - Approval requested (medium risk): {COMMAND}",
            f"14:38 - kim approved: {COMMAND}",
            f"14:38 - Done: {COMMAND}",
            "14:40 - Verified, it helped: 3 of 3 pods ready",
        ]
    )


def test_a_long_text_is_summarised_and_kept_whole() -> None:
    (entry,) = fold([asked("14:32", "x " * 200)])
    assert len(entry.summary) <= 140
    assert entry.summary.endswith("…")
    assert entry.details["text"].count("x") == 200
    assert render([entry]).count("x") == 200


def test_a_day_that_changes_is_named() -> None:
    lines = render(fold([asked("23:59"), asked("00:01", day=9)])).splitlines()
    assert lines[1::2] == ["2026-03-08", "2026-03-09"]


def test_nothing_yet_is_said() -> None:
    assert render(fold([])) == "Nothing has happened yet."


def test_a_mutation_without_an_end_says_so() -> None:
    entries = fold([requested("14:36"), started("14:38")])
    assert entries[-1].summary == f"Begun, its end is not on record: {COMMAND}"
    assert entries[-1].ended_at is None


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("error", "Failed (the server said no): "),
        ("unknown", "Begun, end unknown (the server said no): "),
        ("refused", "Not done (the server said no): "),
    ],
)
def test_a_mutation_that_did_not_succeed_is_not_told_as_done(status: str, said: str) -> None:
    story = [requested("14:36"), started("14:38"), returned("14:39", status, "the server\nsaid no")]
    entry = fold(story)[-1]
    assert entry.summary == said + COMMAND
    assert (entry.occurred_at, entry.ended_at) == (at("14:38"), at("14:39"))


def test_what_was_refused_before_it_began_is_told_once() -> None:
    story = [requested("14:36"), decided("14:38", "refused", reason="freeze"), returned("14:38", "refused")]
    assert [e.summary for e in fold(story)[1:]] == [f"kim refused (freeze): {COMMAND}"]


@pytest.mark.parametrize(
    ("outcome", "said", "source"),
    [
        ("expired", "The approval expired (nobody answered): ", "squad"),
        ("voided", "The approval is void (nobody answered): ", "squad"),
        ("approved", "kim approved: ", "human"),
    ],
)
def test_every_decision_is_told_with_its_author(outcome: str, said: str, source: str) -> None:
    (entry,) = fold([decided("14:38", outcome, reason="nobody answered")])
    assert entry.summary == said + COMMAND
    assert (entry.kind, entry.source) == ("approval_decided", source)


def test_what_ran_again_after_a_crash_is_told_once() -> None:
    story = [requested("14:36"), requested("14:37"), decided("14:38"), decided("14:39")]
    assert [e.kind for e in fold(story)] == ["approval_requested", "approval_decided"]


def test_the_same_symptom_of_one_workload_is_one_entry() -> None:
    crash = [signal("container.crash_loop", f"api-{n} crash loops", pod=f"api-{n}") for n in range(3)]
    entries = fold([looked("14:33", *crash), looked("14:34", crash[0])])
    assert [e.summary for e in entries] == ["api-0 crash loops (and 2 more)"]
    assert entries[0].evidence == ("Pod/web/api-0", "Pod/web/api-1", "Pod/web/api-2")


def test_two_rollouts_are_two_entries_at_their_own_times() -> None:
    old = signal("rollout.recent", "revision 7", "12:10", severity="info")
    new = signal("rollout.recent", "revision 8", "13:45", severity="info")
    entries = fold([looked("14:33", new, old)])
    assert [(e.summary, e.occurred_at, e.kind) for e in entries] == [
        ("revision 7", at("12:10"), "imported"),
        ("revision 8", at("13:45"), "imported"),
    ]


def test_what_is_only_background_is_left_out() -> None:
    assert fold([looked("14:33", signal("pod.ready", "fine", severity="info")), judged("14:34", "ask")]) == []


def test_a_conclusion_without_a_cause_says_what_is_missing() -> None:
    (nothing,) = fold([concluded("14:35", causes=(), no_fault=True, summary="all pods are ready.")])
    assert nothing.summary == "No fault found. all pods are ready"
    missing = ("logs of db", "metrics")
    (open_,) = fold([concluded("14:35", causes=(), status="inconclusive", missing=missing)])
    assert open_.summary == "No cause established; missing: logs of db, metrics"


def test_that_nothing_is_wrong_any_more_is_not_called_a_cause() -> None:
    (entry,) = fold([concluded("14:35", no_fault=True)])
    assert entry.summary == "Found (likely): v2.4.1 cut the pool to 20"


def test_a_cause_that_is_only_possible_is_a_hypothesis() -> None:
    (entry,) = fold([concluded("14:35", "possible")])
    assert (entry.kind, entry.evidence) == ("hypothesis", ("e3",))


def test_refusals_by_policy_warnings_and_failures_are_told() -> None:
    failed = event(Stopped, "14:37", status="failed", reason="the cluster does not answer")
    story = [judged("14:34", "refuse"), event(Warned, "14:36", text="going on offline"), failed]
    assert [e.summary for e in fold(story)] == [
        "Policy refused rollback: not ours",
        "going on offline",
        "The investigation failed: the cluster does not answer",
    ]
    assert fold([event(Stopped, "14:37", status="answered")]) == []


def test_a_suggestion_is_told_as_one_and_an_approved_read_leaves_what_it_found() -> None:
    suggested = event(Requested, "14:34", approval=a_card(suggestion=True))
    read = a_card("a-r1", a_call("r1", "health"), effect="read")
    down = signal("deployment.unavailable", "0 of 3 pods ready", severity="critical")
    story = [suggested, event(Requested, "14:35", approval=read), looked("14:36", down)]
    assert [e.summary.partition(" (")[0] for e in fold(story)] == [
        "Suggested, not done",
        "Approval requested",
        "0 of 3 pods ready",
    ]
