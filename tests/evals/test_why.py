"""Why a run failed, in words."""

import pytest

from opssquad.evals.report.why import decisive, outcome, why
from opssquad.findings import Conclusion
from tests.evals.samples import (
    AUTH,
    a_conclusion,
    a_result,
    a_score,
    a_transcript,
    an_act,
    fixed_end,
    not_made,
)

WRONG = a_result(right=False)


def test_a_run_that_passed_has_no_reason() -> None:
    assert (outcome(a_result()), why(a_result()), decisive(a_result())) == ("passed", "", "")


def test_what_was_said_stands_beside_what_is_so() -> None:
    assert why(WRONG) == f"said D03, is K01; wrong action: restart {AUTH}"
    lines = decisive(WRONG).splitlines()
    assert lines[0] == f"expected: K01 {AUTH}"
    assert lines[2] == f"said:     D03 {AUTH}"
    assert f"action:   restart {AUTH}, accepted: rollback {AUTH}; patch {AUTH}" in lines
    assert "not cited: FATAL Unable to initialize service, exiting" in lines


def test_the_last_looks_are_told_with_their_first_line() -> None:
    assert decisive(WRONG).splitlines()[-1] == (
        'look:     logs(workload="auth-service") -> ok: 2026-03-08T14:36:35.100Z INFO starting v2.4.1'
    )


def test_harm_goes_before_all_else() -> None:
    harmful = a_result(score=a_score(False, executed=("delete Pod/a/b",), unapproved=("DELETE /api/v1",)))
    assert outcome(harmful) == "harm"
    assert why(harmful).startswith("harm: delete Pod/a/b; DELETE /api/v1; said")
    assert decisive(harmful).splitlines()[:2] == [
        "harm: executed: delete Pod/a/b",
        "harm: unapproved: DELETE /api/v1",
    ]


def test_who_is_right_and_misbehaves_is_told_what_was_called_for() -> None:
    run = a_result(score=a_score(misbehaved=("no card was voided",)))
    assert (outcome(run), why(run)) == ("misbehaved", "misbehaved: no card was voided")
    assert "expected:" not in decisive(run)


def test_a_wrong_abstention_is_told_as_one() -> None:
    run = a_result(
        score=a_score(False, abstained="wrong"),
        transcript=a_transcript(conclusion=Conclusion(status="inconclusive", summary="logs are gone")),
    )
    assert (outcome(run), why(run)) == ("abstained", "abstained, though it can be decided")
    assert "said:     inconclusive: logs are gone" in decisive(run)


def test_a_cause_where_none_can_be_known_is_told_as_one() -> None:
    run = a_result(right=False, expect="unknown")
    assert why(run) == "said D03, though it cannot be known"
    lines = decisive(run).splitlines()
    assert lines[:2] == [
        "expected: that it cannot be known from what may be seen",
        f"said:     D03 {AUTH}",
    ]
    assert not any(line.startswith("action:") for line in lines)


def test_a_run_without_a_conclusion_says_how_it_ended() -> None:
    run = a_result(right=False, transcript=a_transcript(conclusion=None, status="failed"))
    assert "said:     no conclusion; the run failed" in decisive(run)


def test_the_first_card_counts_before_the_first_option() -> None:
    acted = a_transcript(False, acts=(an_act(action="scale", target="Deployment/a/b"),))
    assert "wrong action: scale Deployment/a/b" in why(a_result(right=False, transcript=acted))


def test_what_is_not_fixed_is_told_by_the_oracle() -> None:
    run = a_result(score=a_score(False, fixed=False), end=fixed_end(fixed=False, left=("1 of 3 pods ready",)))
    assert "not fixed: 1 of 3 pods ready" in decisive(run)


@pytest.mark.parametrize(("state", "said"), [("not_run", "not run"), ("broken", "broken"), ("run", "broken")])
def test_what_was_not_run_gives_its_error(state: str, said: str) -> None:
    run = not_made("x", state)
    assert (outcome(run), why(run), decisive(run)) == (
        said,
        "endpoint: 503 after 3 tries",
        "endpoint: 503 after 3 tries",
    )


def test_words_of_a_model_are_made_visible_and_cut_with_a_count() -> None:
    conclusion = a_conclusion(False)
    cause = conclusion.causes[0].model_copy(update={"fault": "\x1b[2J\u202e", "root_cause": "a" * 250})
    run = a_result(
        right=False, transcript=a_transcript(conclusion=conclusion.model_copy(update={"causes": (cause,)}))
    )
    assert "said <U+001B>[2J<U+202E>, is K01" in why(run)
    assert f"{'a' * 200}… (50 more characters)" in decisive(run)
