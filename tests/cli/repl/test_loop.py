"""The conversation over a replayed session: lines in, text out, cards answered."""

import asyncio
import io
from collections.abc import Awaitable, Callable

import pytest

from opssquad.cli.render.scope import Scope
from opssquad.cli.render.screen import Screen
from opssquad.cli.render.stream import Stream
from opssquad.cli.repl.loop import Repl
from opssquad.cli.repl.sources import Mood, Pipe
from opssquad.events import Asked, Event, Requested
from tests.cli.replay import NOW, Replay, recorded

QUESTIONS = ["check the pods", "logs of the first", "recent deployments", "can we roll back", "roll back"]


async def held(session: Replay, *lines: str, resumed: bool = False) -> str:
    """What stands on screen after these lines came through a pipe."""
    out = io.StringIO()
    screen = Screen(width=80, file=out)
    stream = Stream(screen, Scope(session.target, session.squad, session.model), now=lambda: NOW)
    pipe = Pipe(io.StringIO("".join(f"{line}\n" for line in lines)), screen, str)
    await Repl(session, screen, stream, pipe, by="ana", now=lambda: NOW).talk(resumed=resumed)
    return out.getvalue()


async def test_the_whole_conversation_is_held_and_the_card_approved() -> None:
    session = Replay(recorded("golden"))
    text = await held(session, *QUESTIONS, "yes")
    assert session.said == QUESTIONS
    assert session.decided == [("a-t-7k2m-5.1", "approved", "")]
    assert text.index("approve? yes") < text.index("✓ a-t-7k2m-5.1 approved by ana")
    assert "three pods on v2.4.0, no restarts" in text


async def test_a_no_is_passed_on_with_its_reason() -> None:
    session = Replay(recorded("golden"))
    text = await held(session, *QUESTIONS, "no, wait for the database team")
    assert session.decided == [("a-t-7k2m-5.1", "refused", "wait for the database team")]
    assert "refused by ana: wait for the database team" in " ".join(text.split())


async def test_a_line_that_is_no_answer_leaves_the_card_up() -> None:
    session = Replay(recorded("golden"))
    text = await held(session, *QUESTIONS, "sounds good to me", "approve")
    assert "A card waits for its answer" in text
    assert [outcome for _, outcome, _ in session.decided] == ["approved"]
    assert "sounds good to me" not in session.said


async def test_the_end_of_the_lines_decides_nothing() -> None:
    session = Replay(recorded("golden"))
    await held(session, *QUESTIONS)
    assert session.decided == []


async def test_later_leaves_the_card_and_approve_brings_it_back() -> None:
    session = Replay(recorded("golden"))
    text = await held(session, *QUESTIONS, "later", "/approve", "y")
    assert "opssquad approvals approve a-t-7k2m-5.1" in text
    assert text.count("── approval a-t-7k2m-5.1 ") == 2
    assert [outcome for _, outcome, _ in session.decided] == ["approved"]


async def test_an_edit_refuses_the_card_and_says_what_should_be_proposed() -> None:
    session = Replay(recorded("golden"))
    await held(session, *QUESTIONS, "edit", "roll back to revision 5 instead")
    assert session.decided == [("a-t-7k2m-5.1", "refused", "edit: roll back to revision 5 instead")]
    assert session.said[-1] == "roll back to revision 5 instead"


async def test_explain_shows_the_evidence_the_diff_and_the_call() -> None:
    text = await held(Replay(recorded("golden")), *QUESTIONS, "explain")
    after = text[text.index("approve? explain") :]
    assert "> 14:33:07 ERROR Database connection timeout after 5000ms" in after
    assert "DB_TIMEOUT" in after
    assert 'rollback(deployment="auth-service"' in after


async def test_resuming_shows_the_card_that_an_earlier_process_left() -> None:
    events = recorded("golden")
    up = next(n for n, e in enumerate(events) if isinstance(e, Requested))
    session = Replay(events[up + 2 :], cards=[events[up].approval])
    text = await held(session, "yes", resumed=True)
    assert text.index("── approval a-t-7k2m-5.1 ") < text.index("approve? yes")
    assert session.decided == [("a-t-7k2m-5.1", "approved", "")]
    assert "rolled back to revision 6" in text


async def test_resuming_without_a_card_goes_on_with_the_run() -> None:
    events = recorded("golden")
    text = await held(Replay(events[2:]), resumed=True)
    assert "✓ health" in text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/help", "/evidence  the exact text behind a mark"),
        ("/evidence e2", "> 14:33:07 ERROR Database connection timeout after 5000ms"),
        ("/evidence e99", "✗ no evidence 'e99'; the latest are: e2"),
        ("/evidence", "✗ which evidence? /evidence e3"),
        ("/more", "✗ nothing was left out of the last answer"),
        ("/approve", "no card waits"),
        ("/model", "model offline"),
        ("/model big-one", "model big-one"),
        ("/squad", "Workloads, rollouts, configuration and nodes"),
        ("/squad database", "✗ this thread is with squad k8s"),
        ("/timelin", "✗ no command /timelin; did you mean /timeline?"),
        ("/timeline", "14:37 - I'm seeing high error rates"),
    ],
)
async def test_slash_commands(line: str, shown: str) -> None:
    assert shown in await held(Replay(recorded("golden")), "check the pods", line)


async def test_exit_leaves_at_once() -> None:
    session = Replay(recorded("golden"))
    await held(session, "/exit", "check the pods")
    assert session.said == []


async def test_undo_waits_until_the_card_is_answered() -> None:
    session = Replay(recorded("golden"))
    text = await held(session, *QUESTIONS, "/undo", "y", "/undo")
    assert "a card waits; answer it first" in text
    assert session.undone == 1


class Typing:
    """A prompt that stays open: each line is typed when its moment has come."""

    live = True

    def __init__(self, *lines: Callable[[], Awaitable[str]]) -> None:
        self._lines = list(lines)

    async def next(self, mood: Mood) -> str:
        if not self._lines:
            raise EOFError
        return await self._lines.pop(0)()

    def see(self, event: Event) -> None:
        """Nothing is completed here."""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_card_answered_from_another_terminal_lets_the_chat_go_on() -> None:
    events = recorded("golden")
    last = max(n for n, e in enumerate(events) if isinstance(e, Asked))
    session, out = Replay(events[last:]), io.StringIO()
    screen = Screen(width=80, file=out)

    async def ask() -> str:
        return "roll back"

    async def decide_elsewhere() -> str:
        await until(lambda: bool(session.cards))
        await session.decide(session.cards[0].id, "approved", "bo")
        await until(lambda: "rolled back to revision 6" in out.getvalue())
        return "/exit"

    stream = Stream(screen, Scope(session.target, session.squad, session.model), now=lambda: NOW)
    await Repl(session, screen, stream, Typing(ask, decide_elsewhere), by="ana", now=lambda: NOW).talk()
    assert "answered from elsewhere" in out.getvalue()


async def test_ctrl_c_stops_the_run_and_not_the_chat() -> None:
    session, out = Replay(recorded("golden"), pause=0.05), io.StringIO()
    screen = Screen(width=80, file=out)

    async def ask() -> str:
        return "check the pods"

    async def ctrl_c() -> str:
        await until(lambda: bool(session.said))
        raise KeyboardInterrupt

    async def idle_ctrl_c() -> str:
        raise KeyboardInterrupt

    stream = Stream(screen, Scope(session.target, session.squad, session.model), now=lambda: NOW)
    lines = Typing(ask, ctrl_c, idle_ctrl_c, ask)
    await Repl(session, screen, stream, lines, by="ana", now=lambda: NOW).talk()
    text = out.getvalue()
    assert text.index("stopped; the thread is kept") < text.index("Ctrl-D or /exit leaves")
    assert "A change that was begun" not in text
    assert session.said == ["check the pods", "check the pods"]


async def test_a_change_stopped_midway_is_looked_after_before_the_next_question() -> None:
    events = recorded("golden")
    last = max(n for n, e in enumerate(events) if isinstance(e, Asked))
    session, out = Replay(events[last:], pause=0.05), io.StringIO()
    screen = Screen(width=80, file=out)

    async def ask() -> str:
        return "roll back"

    async def approve() -> str:
        await until(lambda: "y approve" in out.getvalue() and bool(session.cards))
        await asyncio.sleep(0.1)
        return "yes"

    async def ctrl_c() -> str:
        await until(lambda: "approved by ana" in out.getvalue())
        raise KeyboardInterrupt

    async def next_question() -> str:
        return "is it well?"

    async def leave() -> str:
        await until(lambda: session.said[-1] == "is it well?")
        return "/exit"

    stream = Stream(screen, Scope(session.target, session.squad, session.model), now=lambda: NOW)
    lines = Typing(ask, approve, ctrl_c, next_question, leave)
    await Repl(session, screen, stream, lines, by="ana", now=lambda: NOW).talk()
    text = out.getvalue()
    words = " ".join(text.split())
    warned = words.index("stopped; the thread is kept. A change that was begun is not taken back")
    assert warned < words.index("what became of the change that was stopped")
    assert text.index("what became of the change") < text.index("better: 3 of 3 pods ready")


async def test_what_is_typed_during_a_run_is_asked_after_it() -> None:
    session, out = Replay(recorded("golden"), pause=0.01), io.StringIO()
    screen = Screen(width=80, file=out)

    async def first() -> str:
        return "check the pods"

    async def second() -> str:
        await until(lambda: bool(session.said))
        return "logs of the first"

    async def leave() -> str:
        await until(lambda: out.getvalue().count("cluster production") == 2)
        return "/exit"

    stream = Stream(screen, Scope(session.target, session.squad, session.model), now=lambda: NOW)
    await Repl(session, screen, stream, Typing(first, second, leave), by="ana", now=lambda: NOW).talk()
    assert "noted; it is asked when this run is over" in out.getvalue()
    assert session.said == ["check the pods", "logs of the first"]
