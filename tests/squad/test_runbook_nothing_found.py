"""What a walk says that finds nothing: what it looked at, what it could not read, what else is wrong."""

from pathlib import Path

from opssquad import Check
from opssquad.findings import Hypothesis
from opssquad.models.base import Draft
from opssquad.squad.runbooks.book import Runbook
from opssquad.types import Ref
from tests.squad.runbooks import TOOLS, Deaf, asked, case, past, seen, walked, walker, walking, written

CHECK = """```yaml steady
say: {say}
tool: look
args: {{at: bell}}
expect:
  - {expect}
```
"""
SHUT, LOCKED = seen("door.shut", "1"), seen("door.locked", "2", turns=2)
LOOKS = (past("1"), past("2"))
BETTER = Check(outcome="better", text="it is better")
BELL = Ref(kind="Bell", namespace="elm", name="front")
UNREAD = [{"what": "keyhole", "why": "it is dark"}]


def two_checks(folder: Path) -> Runbook:
    """The runbook with a second look at the steady state, and with what it does not look at."""
    bell = CHECK.format(
        say="is nobody at the bell?", expect="{signal: bell.rings, anywhere: true, absent: true}"
    )
    return written(
        folder,
        ("title: A door", "not_looked_at: [the windows]\ntitle: A door"),
        ("1. Is it locked?", f"{bell}\n1. Is it locked?"),
    )


def test_the_steady_state_holds_only_if_every_look_at_it_says_so(tmp_path: Path) -> None:
    book = two_checks(tmp_path)
    first = walked(book, case(LOOKS[:1]))
    assert (first.at, walking(book).call(first)) == ("before", ("look", {"at": "bell"}))
    assert walked(book, case(LOOKS[:1]), case(LOOKS)).ended == "steady"
    rings = walked(book, case(LOOKS[:1]), case(LOOKS, [seen("bell.rings", "2")]))
    assert (rings.at, rings.passed[-1].said) == ("locked", "the steady state is broken: bell.rings at front")
    shut = walked(book, case(LOOKS[:1], [SHUT]))
    assert (shut.at, shut.check) == ("locked", 0)


def test_every_look_at_the_steady_state_is_taken_again_behind_a_change(tmp_path: Path) -> None:
    book = two_checks(tmp_path)
    done = (*LOOKS, past("3", "turn", check=BETTER))
    walk = walked(book, case(LOOKS[:1], [SHUT]), case(LOOKS, [LOCKED]), case(done))
    assert (walk.at, walk.check) == ("after", 0)
    walk = walking(book).on(walk, case((*done, past("4"))), TOOLS)
    assert (walk.at, walk.check) == ("after", 1)
    assert walking(book).on(walk, case((*done, past("4"), past("5"))), TOOLS).ended == "mended"
    blind = case((*done, past("4"), past("5", unread=UNREAD)))
    assert walking(book).on(walk, blind, TOOLS).ended == "unknown"


def test_what_could_not_be_read_is_looked_at_by_the_steps_and_is_neither_steady_nor_broken(
    tmp_path: Path,
) -> None:
    unread = past("1", unread=UNREAD)
    walk = walked(written(tmp_path), case([unread]))
    assert (walk.at, walk.passed[0].outcome) == ("locked", "not known")
    assert walk.passed[0].said == "keyhole could not be read: it is dark"
    bare = walked(written(tmp_path), case([unread]), case([unread, past("2")]))
    assert (bare.ended, bare.left) == ("unknown", ("ask who built front",))
    told = walked(
        written(tmp_path, ("goto: turn\n", "goto: stop\n       say: find the key\n")),
        case([unread]),
        case([unread, past("2")], [LOCKED]),
    )
    assert (told.ended, told.left) == ("broken", ("find the key",))
    assert told.found
    assert told.found.cause.root_cause == "door.locked at front"


def test_a_look_that_asked_nobody_is_neither_steady_nor_broken(tmp_path: Path) -> None:
    unasked = past("1", unasked=UNREAD)
    walk = walked(written(tmp_path), case([unasked]))
    assert (walk.at, walk.passed[0].outcome) == ("locked", "not known")
    bare = walked(written(tmp_path), case([unasked]), case([unasked, past("2")]))
    assert bare.ended == "unknown"


def test_a_look_that_cannot_be_taken_here_leaves_the_others_and_the_steps(tmp_path: Path) -> None:
    book = two_checks(tmp_path)
    without = TOOLS - {"look"}
    walk = walked(book, offered=without)
    assert [p.outcome for p in walk.passed[:2]] == ["not known", "not known"]
    assert (walk.passed[2].step, walk.ended) == ("locked", "unknown")
    # One that can be taken, and shows what is wrong, decides.
    half = walking(book).on(walked(book), case(LOOKS[:1]), without)
    assert (half.passed[0].outcome, half.passed[1].outcome, half.ended) == (
        "as expected",
        "not known",
        "unknown",
    )
    done = case((*LOOKS, past("3", "turn", check=BETTER)))
    after = walking(book).on(walked(book, case(LOOKS[:1], [SHUT]), case(LOOKS, [LOCKED])), done, without)
    assert (after.ended, [p.outcome for p in after.passed[-2:]]) == ("unknown", ["not known", "not known"])


def test_what_else_is_wrong_is_no_all_clear(tmp_path: Path) -> None:
    bell = seen("bell.rings", "1")
    other = Hypothesis(
        fault="F2", title="a visitor", component=BELL, score=0.6, confidence="likely", root_cause="somebody"
        " rings", supporting=(0,),
    )  # fmt: skip
    walk = walked(written(tmp_path), case(LOOKS[:1], [bell], differential=(other,)))
    assert (walk.ended, walk.found and walk.found.cause.fault) == ("elsewhere", "F2")
    unsure = other.model_copy(update={"score": 0.3})
    walk = walked(written(tmp_path), case(LOOKS[:1], [bell], differential=(unsure,)))
    assert (walk.ended, walk.found) == ("steady", None)
    grave = bell.model_copy(update={"signal": bell.signal.model_copy(update={"severity": "critical"})})
    walk = walked(written(tmp_path), case(LOOKS[:1], [grave]))
    assert (walk.ended, walk.found and walk.found.cause.root_cause) == ("elsewhere", "bell.rings at front")


def test_a_sign_is_told_as_the_fault_that_it_speaks_for(tmp_path: Path) -> None:
    other = Hypothesis(
        fault="F2", title="a visitor", component=BELL, score=0.6, confidence="likely", root_cause="he leans"
        " on it", supporting=(0,),
    )  # fmt: skip
    walk = walked(written(tmp_path), case(LOOKS[:1], [SHUT], differential=(other,)))
    assert walk.found
    assert (walk.found.cause.fault, walk.found.cause.component) == ("F2", str(BELL))


async def test_a_conclusion_without_a_find_says_what_was_looked_at_and_what_was_not(tmp_path: Path) -> None:
    model = walker(two_checks(tmp_path))
    walk = walked(two_checks(tmp_path), case(LOOKS[:1]))
    end = await model.reply(asked(case(LOOKS, memo=walk.model_dump(mode="json"))), Deaf())
    draft = Draft.model_validate(end.calls[0].args)
    assert draft.no_fault
    assert draft.summary.splitlines() == [
        "Nothing was found, and nothing was done.",
        "- looked at with look: is front open? look ok",
        "- looked at with look: is nobody at the bell? look ok",
        "- not looked at: the windows",
    ]


async def test_steps_that_find_nothing_say_so_too(tmp_path: Path) -> None:
    model = walker(two_checks(tmp_path))
    walk = walked(two_checks(tmp_path), case(LOOKS[:1], [SHUT]))
    end = await model.reply(asked(case(LOOKS, memo=walk.model_dump(mode="json"))), Deaf())
    draft = Draft.model_validate(end.calls[0].args)
    assert not draft.no_fault
    assert draft.summary.splitlines() == [
        "Nothing was changed, and the steady state is broken.",
        "- left: ask who built front",
        "- left: to hand over, see Escalation in `opssquad runbook show door`",
        "- no step found a cause; looked at with: look",
        "- not looked at: the windows",
    ]
