"""A walk through a runbook: what each outcome of a step leads to, and what is said of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opssquad import Check, UsageError
from opssquad.models.base import CONCLUDE, Case, Draft, Reply
from opssquad.squad.runbooks.book import Runbook
from opssquad.squad.runbooks.walk import Walk
from opssquad.squad.runbooks.walker import Run, facts_for
from opssquad.types import Ref
from tests.squad.runbooks import DOOR, TOOLS, Deaf, asked, case, past, seen, walked, walker, walking, written

SHUT, LOCKED = seen("door.shut", "1"), seen("door.locked", "2", turns=2)
LOOKS = (past("1"), past("2"))
BETTER, SAME = (Check(outcome=o, text=f"it is {o}") for o in ("better", "same"))  # type: ignore[arg-type]


def to_the_key(book: Runbook) -> Walk:
    return walked(book, case(LOOKS[:1], [SHUT]), case(LOOKS, [LOCKED]))


def at_the_key(book: Runbook, *cases: Case) -> Walk:
    walk = to_the_key(book)
    for each in cases:
        walk = walking(book).on(walk, each, TOOLS)
    return walk


def test_what_is_not_broken_is_left_alone(tmp_path: Path) -> None:
    walk = walked(written(tmp_path), case(LOOKS[:1]))
    assert (walk.at, walk.ended, walk.changes) == ("over", "steady", ())


def test_the_facts_of_a_named_signal_fill_the_next_call(tmp_path: Path) -> None:
    book = written(tmp_path)
    walk = to_the_key(book)
    assert (walk.at, walking(book).call(walk)) == ("turn", ("turn", {"door": "front", "times": 2}))
    assert [(p.step, p.outcome, p.goto) for p in walk.passed] == [
        ("before", "not as expected", "locked"),
        ("locked", "as expected", "turn"),
    ]
    assert walk.passed[1].evidence == ("e-door.locked",)


@pytest.mark.parametrize(
    "other",
    [
        seen("door.locked", "2", at=Ref(kind="Door", namespace="elm", name="back")),
        seen("door.locked", "1"),
        seen("door.locked", "2", until=datetime(2026, 1, 1, tzinfo=UTC)),
    ],
    ids=["of another door", "of an earlier call", "over by now"],
)
def test_only_what_the_steps_own_call_shows_of_the_target_now_counts(tmp_path: Path, other: object) -> None:
    walk = walked(written(tmp_path), case(LOOKS[:1], [SHUT]), case(LOOKS, [other]))  # type: ignore[list-item]
    assert (walk.ended, walk.left) == ("broken", ("ask who built front",))


def test_anywhere_takes_what_is_about_others(tmp_path: Path) -> None:
    book = written(tmp_path, ("{signal: door.locked,", "{signal: door.locked, anywhere: true,"))
    other = seen("door.locked", "2", at=Ref(kind="Door", namespace="elm", name="back"), turns=1)
    assert walked(book, case(LOOKS[:1], [SHUT]), case(LOOKS, [other])).at == "turn"


def test_behind_a_change_that_helped_the_steady_state_decides(tmp_path: Path) -> None:
    done = (*LOOKS, past("3", "turn", check=BETTER))
    walk = at_the_key(written(tmp_path), case(done))
    assert (walk.at, [p.changed.endswith("(better: it is better)") for p in walk.changes]) == (
        "after",
        [True],
    )
    over = at_the_key(written(tmp_path), case(done), case((*done, past("4"))))
    assert (over.at, over.ended) == ("over", "mended")
    still = at_the_key(written(tmp_path), case(done), case((*done, past("4")), [seen("door.shut", "4")]))
    assert (still.at, still.ended) == ("over", "broken")
    assert still.left == ("the steady state is broken: door.shut at front",)


def test_what_did_not_help_leads_to_what_takes_it_back(tmp_path: Path) -> None:
    walk = at_the_key(written(tmp_path), case((*LOOKS, past("3", "turn", check=SAME))))
    assert (walk.at, walk.passed[-1].outcome) == ("turn-back", "not as expected")


@pytest.mark.parametrize("status", ["refused", "error"])
@pytest.mark.parametrize("declined", ["refused", "voided", "suggested"])
def test_what_was_not_done_is_not_taken_back(tmp_path: Path, status: str, declined: str) -> None:
    card = {"declined": declined, "command": "turn front"} if status == "refused" else {}
    walk = at_the_key(written(tmp_path), case((*LOOKS, past("3", "turn", status, None, **card))))
    assert (walk.at, walk.ended, walk.changes) == ("over", "broken", ())
    assert walk.left[0].startswith(f"turn the key of front (turn {status}): turn")


def test_a_card_that_expired_is_asked_for_again(tmp_path: Path) -> None:
    declined = past("3", "turn", "refused", None, declined="expired", command="turn front")
    walk = at_the_key(written(tmp_path), case((*LOOKS, declined)))
    assert (walk.at, walk.asked, walk.passed[-1].outcome) == ("turn", 3, "not done")


def test_a_change_whose_end_is_unknown_is_checked_and_not_made_again(tmp_path: Path) -> None:
    unknown = past("3", "turn", "unknown", BETTER)
    walk = at_the_key(written(tmp_path), case((*LOOKS, unknown)))
    assert walk.at == "after"
    assert "its end is not known" in walk.changes[0].changed


@pytest.mark.parametrize(
    ("on_fail", "at"), [("stop", "over"), ("continue", "more"), ("turn-back", "turn-back")]
)
def test_on_fail_stops_goes_on_or_goes_elsewhere(tmp_path: Path, on_fail: str, at: str) -> None:
    more = (
        "   ```yaml step\n   id: more\n   say: more\n   tool: look\n   args: {at: x}\n   ```\n\n## Mitigation"
    )
    book = written(tmp_path, ("   branch:", f"   on_fail: {on_fail}\n   branch:"), ("## Mitigation", more))
    walk = walked(book, case(LOOKS[:1], [SHUT]), case((LOOKS[0], past("2", status="error")), []))
    assert (walk.at, walk.passed[-1].outcome) == (at, "failed")


def test_what_nothing_fills_is_no_call(tmp_path: Path) -> None:
    walk = walked(written(tmp_path), case(LOOKS[:1], [SHUT]), case(LOOKS, [seen("door.locked", "2")]))
    assert "lock.turns is not known, so turn cannot be called" in walk.passed[-1].said


def test_a_tool_that_is_not_offered_is_no_call(tmp_path: Path) -> None:
    walk = walked(written(tmp_path), case(LOOKS[:1], [SHUT]), case(LOOKS, [LOCKED]), offered={"look"})
    assert "turn is not among the tools of this conversation" in walk.passed[2].said
    assert walk.ended == "broken"


def test_with_the_budget_used_up_it_ends_and_says_so(tmp_path: Path) -> None:
    walk = walked(written(tmp_path), case(LOOKS[:1], [SHUT], must_conclude=True))
    assert (walk.ended, walk.left) == ("unknown", ("the budget of the question is used up before the end",))


def test_a_steady_state_that_cannot_be_seen_is_not_taken_for_one(tmp_path: Path) -> None:
    walk = walked(written(tmp_path), case([past("1", status="error")]))
    assert (walk.ended, walk.left) == ("unknown", ("the steady state could not be looked at: look error",))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, r"runbook door needs house \(which house\): give --set house=\.\.\."),
        ({"house": "elm", "hose": "x"}, "runbook door has no parameter 'hose'; it takes: house, name"),
        ({"house": ""}, "runbook door needs house"),
    ],
)
def test_a_parameter_that_is_missing_or_none_is_told(
    tmp_path: Path, given: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        facts_for(written(tmp_path), given)


def test_a_run_is_read_as_it_was_written() -> None:
    run = Run(id="door", digest="ab12", given={"house": "elm & oak=?", "name": ""})
    assert Run.parse(str(run)) == run


async def test_each_reply_says_what_came_of_the_last_step_and_asks_for_the_next(tmp_path: Path) -> None:
    model = walker(written(tmp_path))
    first = await model.reply(asked(case([])), Deaf())
    assert (first.text, [c.tool for c in first.calls]) == (
        "Check the steady state, before: is front open?",
        ["look"],
    )
    then = await model.reply(asked(case(LOOKS[:1], [SHUT], memo=first.memo)), Deaf())
    assert then.text.splitlines() == [
        "Check the steady state, before not as expected: the steady state is broken: door.shut at front"
        " [e-door.shut] -> locked",
        "  e-door.shut here: door.shut",
        "Step locked: is front locked?",
    ]


async def test_the_same_case_gives_the_same_reply_in_another_process(tmp_path: Path) -> None:
    book = written(tmp_path)
    memo = (await walker(book).reply(asked(case([])), Deaf())).memo
    again = asked(case(LOOKS[:1], [SHUT], memo=memo))
    assert await walker(book).reply(again, Deaf()) == await walker(book).reply(again, Deaf())


async def test_the_conclusion_says_what_was_found_done_and_is_left(tmp_path: Path) -> None:
    walk = to_the_key(written(tmp_path))
    refused = past("3", "turn", "refused", None, declined="refused", command="turn front")
    end = await walker(written(tmp_path)).reply(
        asked(case((*LOOKS, refused), memo=walk.model_dump(mode="json"))), Deaf()
    )
    (call,) = end.calls
    draft = Draft.model_validate(call.args)
    assert call.tool == CONCLUDE
    assert draft.summary.splitlines() == [
        "Nothing was changed, and the steady state is broken.",
        "- left: turn the key of front (turn refused): turn front",
        "- left: to hand over, see Escalation in `opssquad runbook show door`",
    ]
    assert [(c.component, c.root_cause) for c in draft.causes] == [(str(DOOR), "door.locked at front")]


async def test_without_its_text_a_run_concludes_with_the_reason() -> None:
    end = await walker(None, why="it has changed").reply(asked(case([])), Deaf())
    draft = Draft.model_validate(end.calls[0].args)
    assert (draft.causes, draft.missing) == ((), ("it has changed",))


async def test_what_is_said_after_the_runbook_is_for_the_model_behind_it(tmp_path: Path) -> None:
    model = walker(written(tmp_path), Reply(text="hello"))
    assert model.name == "runbook door"
    assert (await model.reply(asked(case([], turn=2)), Deaf())).text == "hello"
    assert model.name == "scripted"
