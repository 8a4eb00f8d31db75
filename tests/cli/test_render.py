"""Events on screen, looked at by eye once and kept: 80 columns, no colour, as in a pipe."""

import io
from datetime import timedelta

import pytest
from inline_snapshot import external_file

from opssquad.cli.render.card import ANSWERS, answers, show_card
from opssquad.cli.render.greeting import show_next
from opssquad.cli.render.scope import Scope
from opssquad.cli.render.screen import Screen
from opssquad.cli.render.stream import Stream
from opssquad.events import Answered, Event, Requested, Returned, Streamed, Thought
from opssquad.findings import Answer
from opssquad.types import Approval, Needs, Target
from tests.cli.replay import NOW, recorded
from tests.samples import a_decision

EMPTY = Target(cluster="")


def drawn(events: list[Event], width: int = 80, encoding: str = "utf-8", bodies: bool = True) -> str:
    """What a pipe of that width and encoding gets."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    screen = Screen(width=width, file=file)
    stream = Stream(screen, Scope(EMPTY, "k8s", "offline"), bodies=bodies, now=lambda: NOW)
    for event in events:
        stream.show(event)
    return raw.getvalue().decode(encoding)


def card_drawn(card: Approval, width: int = 80) -> str:
    file = io.StringIO()
    show_card(Screen(width=width, file=file), card, squad="k8s", model="offline", now=NOW)
    return file.getvalue()


@pytest.fixture
def card() -> Approval:
    return next(e.approval for e in recorded("golden") if isinstance(e, Requested))


def test_the_golden_conversation_reads_well_at_80_columns() -> None:
    assert drawn(recorded("golden")) == external_file("data/golden-80.txt")


def test_a_conclusion_reads_well_at_80_columns_without_result_bodies() -> None:
    assert drawn(recorded("ask"), bodies=False) == external_file("data/ask-80.txt")


def test_the_conversation_survives_60_columns() -> None:
    text = drawn(recorded("golden"), width=60)
    assert text == external_file("data/golden-60.txt")


def test_a_pipe_gets_no_escape_sequences() -> None:
    assert "\x1b" not in drawn(recorded("golden"))


def test_an_ascii_terminal_gets_ascii() -> None:
    text = drawn(recorded("golden"), encoding="ascii")
    assert "+ health" in text
    assert "cluster production - namespace authentication - squad k8s - model offline" in text


def test_the_scope_stands_with_every_answer() -> None:
    events = recorded("golden")
    text = drawn(events)
    answers = sum(isinstance(e, Answered) for e in events)
    assert text.count("cluster production · namespace authentication · squad k8s · model offline") == answers


def test_nothing_is_wider_than_the_screen_but_what_must_not_be_cut() -> None:
    assert max(len(line) for line in drawn(recorded("golden")).splitlines()) <= 80


def test_a_card_shows_the_whole_command_however_long(card: Approval) -> None:
    words = [f"KEY_{n}=value-{n}" for n in range(60)]
    command = "kubectl -n shop set env deployment/cart " + " ".join(words)
    text = card_drawn(
        card.model_copy(update={"preview": card.preview.model_copy(update={"command": command})})
    )
    assert " ".join(text.replace("\\\n", " ").split()).count(" ".join(command.split())) == 1


def test_a_card_interprets_no_markup_and_hides_no_character(card: Approval) -> None:
    tricky = "kubectl delete pod '[bold]x[/bold]' \u202egnp.exe \x1b[8mhidden :boom: \r\n$ echo harmless"
    preview = card.preview.model_copy(update={"command": tricky, "impact": "[red]none[/red]\x1b[2J"})
    text = card_drawn(card.model_copy(update={"preview": preview, "why": "trust \u2066me\u2069"}))
    assert "'[bold]x[/bold]'" in text
    assert "[red]none[/red]<U+001B>[2J" in text
    assert "<U+202E>gnp.exe" in text
    assert "<U+001B>[8mhidden :boom:" in text
    assert "<U+000D><U+000A>$" in text
    assert "trust <U+2066>me<U+2069>" in text


def test_the_command_stands_last_on_the_card_so_that_a_long_diff_cannot_hide_it(card: Approval) -> None:
    diff = "\n".join(f"+ line {n}" for n in range(200))
    text = card_drawn(card.model_copy(update={"preview": card.preview.model_copy(update={"diff": diff})}))
    lines = text.splitlines()
    assert len(lines) < 60
    assert "… 176 more lines; `explain` shows them all" in text
    assert lines[-4].strip() == "Where      cluster production · namespace authentication"
    assert lines[-3].startswith("  Command    $ kubectl -n authentication rollout undo")


def test_an_expired_card_says_so(card: Approval) -> None:
    file = io.StringIO()
    later = card.expires_at + timedelta(seconds=1)
    show_card(Screen(width=80, file=file), card, squad="k8s", model="offline", now=later)
    assert "expired at 09:10:27 UTC; ask again" in file.getvalue()


def test_a_long_result_is_cut_on_screen_with_a_count() -> None:
    event = next(e for e in recorded("golden") if isinstance(e, Returned))
    text = "\n".join(["50 lines."] + [f"line {n}" for n in range(50)])
    long = event.model_copy(update={"result": event.result.model_copy(update={"text": text})})
    out = drawn([long, recorded("golden")[-1]])
    assert "line 17" in out
    assert "line 18" not in out
    assert "… 32 more lines: /more" in out


def test_a_result_that_is_the_answer_is_shown_once() -> None:
    events = recorded("golden")[:9]
    (said,) = [e for e in events if isinstance(e, Returned)]
    answered = next(e for e in events if isinstance(e, Answered))
    events[events.index(answered)] = answered.model_copy(update={"answer": Answer(text=said.result.text)})
    assert drawn(events).count("auth-service-cff498559-nqd7q") == 1


def streamed(pieces: list[str], answer: str) -> str:
    events = recorded("golden")
    like = next(e for e in events if isinstance(e, Answered))
    base = like.model_dump(include={"thread", "turn", "at", "recorded_at"})
    talk: list[Event] = [Streamed(**base, text=piece) for piece in pieces]
    talk.append(Thought(**base, model="m", text="".join(pieces)))
    talk.append(Answered(**base, answer=Answer(text=answer)))
    return drawn(talk)


def test_a_streamed_answer_is_not_said_twice() -> None:
    assert (
        streamed(
            ["All three pods ", "crash.\nSince", " 13:45."], "All three pods crash.\nSince 13:45."
        ).count("Since 13:45.")
        == 1
    )


def test_an_answer_that_differs_from_what_was_streamed_is_said() -> None:
    text = streamed(["Let me think."], "It is the database.")
    assert "Let me think." in text
    assert "It is the database." in text


def test_one_line_too_wide_for_the_screen_does_not_tear_the_others() -> None:
    file = io.StringIO()
    Screen(width=40, file=file).block(["a" * 39, "word " * 12, "short"], indent=4)
    first, *folded, last = file.getvalue().splitlines()
    assert (first, last) == (" " + "a" * 39, " short")
    assert all(len(line) <= 40 for line in folded)


def test_an_entry_that_begins_with_its_time_goes_on_below_its_words() -> None:
    file = io.StringIO()
    Screen(width=40, file=file).flow("13:45 (52 min ago) Deployment api revision 3: image v1 -> v2")
    assert file.getvalue().splitlines()[1].startswith("      revision 3: image")


def test_while_a_change_is_checked_the_status_says_so() -> None:
    stream, seen = Stream(Screen(file=io.StringIO()), Scope(EMPTY, "k8s", "offline"), now=lambda: NOW), []
    for event in recorded("golden"):
        stream.show(event)
        seen.append((event.kind, stream.busy))
    assert ("returned", "checking rollback") in seen
    assert ("returned", "thinking") in seen
    assert {busy for kind, busy in seen if kind == "verified"} == {"thinking"}


@pytest.mark.parametrize("on_path", [True, False])
def test_what_a_newcomer_may_type_next_fits_80_columns(on_path: bool) -> None:
    file = io.StringIO()
    show_next(Screen(width=80, file=file), "auth-0308", on_path=on_path)
    lines = file.getvalue().splitlines()
    assert "  opssquad chat --recording auth-0308" in file.getvalue()
    assert max(len(line) for line in lines if "activate" not in line) <= 80
    assert not (on_path and "activate" in file.getvalue())


def test_a_card_says_whose_yes_it_needs_and_whose_it_has(card: Approval) -> None:
    needs = Needs(approvers=2, roles=("sre",), requester_may_approve=False)
    paired, file = card.model_copy(update={"needs": needs}), io.StringIO()
    assert f"Needs      2 approvers of role sre, and not {card.requested_by}" in card_drawn(paired)
    given = [a_decision(paired, by="kim")]
    screen = Screen(width=80, file=file)
    show_card(screen, paired, squad="k8s", model="offline", now=NOW, given=given)
    words = " ".join(file.getvalue().split())
    assert f"1 more approver of role sre, and not {card.requested_by} or kim; yes so far: kim" in words
    assert "Needs" not in card_drawn(card), "one yes of anybody is the usual"


def test_a_card_shows_the_cluster_that_it_holds_for(card: Approval) -> None:
    assert "Bound to   cluster uid=1f0c; " in card_drawn(card.model_copy(update={"cluster_id": "uid=1f0c"}))


def test_a_suggestion_says_that_nobody_runs_it_and_a_read_is_no_line_for_a_shell(card: Approval) -> None:
    suggested = card_drawn(card.model_copy(update={"suggestion": True}))
    assert suggested.lstrip().startswith("── suggestion ")
    assert "nobody can" in suggested
    assert "Expires" not in suggested
    assert f"$ {card.preview.command[:20]}" in suggested
    preview = card.preview.model_copy(update={"command": 'logs(pod="x")'})
    read = card_drawn(card.model_copy(update={"effect": "read", "preview": preview}))
    assert '  Call       logs(pod="x")' in read
    assert answers(card.model_copy(update={"effect": "read"})) == f"y approve · s session{ANSWERS[9:]}"
