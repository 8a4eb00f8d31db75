"""Cards answered from several terminals at once, too late, twice, or after the chat died: the real program,
each time with exactly one outcome on record and the change made at most once."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from opssquad import content
from opssquad.store.base import AuditFilter, AuditKind, AuditRecord
from opssquad.store.sqlite import Store
from tests.cli.terminal import Terminal, run

RECORDED = ("--recording", "auth-0308")
COMMAND = "kubectl -n authentication rollout undo deployment/auth-service"
CARD = "edit [what] · explain · later"


def pending(state: Path, *arguments: str, **environ: str) -> tuple[str, str]:
    """A card that waits, left by a question that has ended: its id and its thread."""
    asked = run(state, "ask", "roll back auth-service", *RECORDED, *arguments, **environ)
    assert asked.returncode == 4, asked.stdout + asked.stderr
    found = re.search(r"approval (\S+) of thread (\w+) is pending", asked.stdout)
    assert found
    return found[1], found[2]


def at_once(state: Path, *lines: tuple[str, ...]) -> list[subprocess.CompletedProcess[str]]:
    """Commands of several people, started together: the first word is who types the rest."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "opssquad", *words],
            env={**kept, "OPSSQUAD_STATE": str(state), "OPSSQUAD_USER": who},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for who, *words in lines
    ]
    outs = [process.communicate(timeout=90) for process in started]
    return [
        subprocess.CompletedProcess(p.args, p.returncode, *out) for p, out in zip(started, outs, strict=True)
    ]


def audited(state: Path, kind: AuditKind) -> Sequence[AuditRecord]:
    """Lines of the audit log, which is whole."""

    async def read() -> Sequence[AuditRecord]:
        async with await Store.open(state) as store:
            assert await store.verify_audit() is None
            return await store.audit_records(wanted=AuditFilter(kind=kind))

    return asyncio.run(read())


def decisions(state: Path) -> list[str]:
    """The decisions on record, as `approved by kim`."""
    lines = audited(state, "decision")
    return [f"{line.status} by {line.approval.by if line.approval else ''}".strip() for line in lines]


def expiry(state: Path, card: str) -> datetime:
    async def read() -> datetime:
        async with await Store.open(state) as store:
            return (await store.approval(card)).expires_at

    return asyncio.run(read())


def acts(state: Path) -> int:
    """How often the change was begun."""
    return sum(line.status == "started" for line in audited(state, "call"))


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Terminal]:
    """A chat with its card up."""
    terminal = Terminal(tmp_path, "chat", *RECORDED, OPSSQUAD_USER="ada")
    terminal.wait("you>")
    terminal.say("please roll back auth-service", CARD)
    yield terminal
    terminal.process.close(force=True)


def card_of(chat: Terminal) -> str:
    return re.findall(r"approval (a-[\w.-]+)", chat.seen)[-1]


def thread_of(chat: Terminal) -> str:
    return re.findall(r"thread (\w+)", chat.seen)[0]


def test_two_approvals_at_once_are_one_and_the_change_is_made_once(tmp_path: Path) -> None:
    card, thread = pending(tmp_path)
    approve = ("approvals", "approve", card, "--yes")
    both = at_once(tmp_path, ("kim", *approve), ("lee", *approve))
    assert [each.returncode for each in both] == [0, 0], [each.stderr for each in both]
    (decision,) = decisions(tmp_path)
    assert decision in {"approved by kim", "approved by lee"}
    assert all(decision in each.stdout for each in both), "both are told whose yes stands"
    # The same yes once more, from the same terminal, and after the act.
    assert run(tmp_path, *approve, OPSSQUAD_USER="kim").returncode == 0
    assert run(tmp_path, "ask", "--resume", thread).returncode == 0
    assert run(tmp_path, *approve, OPSSQUAD_USER="lee").returncode == 0
    assert run(tmp_path, "ask", "--resume", thread).returncode == 0
    assert decisions(tmp_path) == [decision]
    assert acts(tmp_path) == 1


def test_of_a_yes_and_a_no_at_once_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    card, thread = pending(tmp_path)
    both = at_once(
        tmp_path,
        ("kim", "approvals", "approve", card, "--yes"),
        ("lee", "approvals", "refuse", card, "not", "now"),
    )
    (decision,) = decisions(tmp_path)
    won, lost = both if decision == "approved by kim" else reversed(both)
    assert (won.returncode, lost.returncode, lost.stderr.count("\n")) == (0, 1, 1)
    assert f"{card} is {decision.replace(' by', ' already, by')}" in lost.stderr
    run(tmp_path, "ask", "--resume", thread)
    assert acts(tmp_path) == (decision == "approved by kim")


def test_a_yes_after_the_time_is_over_is_refused_and_nothing_is_done(tmp_path: Path) -> None:
    card, thread = pending(tmp_path, OPSSQUAD_APPROVAL_MINUTES="0.1")
    time.sleep(max(0.0, (expiry(tmp_path, card) - datetime.now(UTC)).total_seconds()))
    late = run(tmp_path, "approvals", "approve", card, "--yes")
    assert (late.returncode, late.stderr.count("\n")) == (1, 1)
    assert f"{card} expired at" in late.stderr
    resumed = run(tmp_path, "ask", "--resume", thread)
    assert f"{card} expired at" in " ".join(resumed.stdout.split())
    assert decisions(tmp_path) == ["expired by opssquad"]
    assert acts(tmp_path) == 0


def test_a_yes_after_the_chat_died_is_carried_out_once_when_it_is_taken_up(
    chat: Terminal, tmp_path: Path
) -> None:
    card, thread = card_of(chat), thread_of(chat)
    chat.kill()
    done = run(tmp_path, "approvals", "approve", card, "--yes", OPSSQUAD_USER="kim")
    assert done.returncode == 0, done.stderr
    assert acts(tmp_path) == 0, "deciding carries nothing out"
    again = run(tmp_path, "chat", "--resume", thread)
    assert f"{card} approved by kim" in " ".join(again.stdout.split())
    assert "better:" in again.stdout
    assert run(tmp_path, "chat", "--resume", thread).returncode == 0
    assert decisions(tmp_path) == ["approved by kim"]
    assert acts(tmp_path) == 1


@pytest.mark.parametrize("other", [("approve", "--yes"), ("refuse",)], ids=["yes", "no"])
def test_an_answer_from_elsewhere_while_the_chat_answers_leaves_one_outcome(
    chat: Terminal, tmp_path: Path, other: tuple[str, ...]
) -> None:
    card = card_of(chat)
    line = [sys.executable, "-m", "opssquad", "approvals", other[0], card, *other[1:]]
    env = {**os.environ, "OPSSQUAD_STATE": str(tmp_path), "OPSSQUAD_USER": "kim"}
    with subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        # About as long as the other terminal needs to start.
        chat.look(0.7)
        chat.process.send("y\r")
        chat.wait(card, times=2)
        process.communicate(timeout=60)
    (decision,) = decisions(tmp_path)
    chat.wait(f"{card} {decision}")
    chat.wait("1. ", seconds=60)
    assert decision in {"approved by ada", "approved by kim", "refused by kim"}
    assert acts(tmp_path) == decision.startswith("approved")
    assert "internal error" not in chat.seen
    assert chat.leave() == 0


def test_a_suggestion_is_on_screen_and_on_record_and_nobody_can_decide_it(tmp_path: Path) -> None:
    asked = run(tmp_path, "ask", "roll back auth-service", *RECORDED, "--suggest-only")
    assert asked.returncode in (0, 3), asked.stderr
    assert "── suggestion a-" in asked.stdout
    assert f"$ {COMMAND}" in asked.stdout
    assert "is pending" not in asked.stdout
    (card,) = re.findall(r"suggestion (a-\S+)", asked.stdout)
    assert run(tmp_path, "approvals", "list").stdout == "no card waits\n"
    assert f"{card} suggested" in " ".join(run(tmp_path, "approvals", "list", "--all").stdout.split())
    for words in (("approve", card, "--yes"), ("refuse", card)):
        denied = run(tmp_path, "approvals", *words)
        assert (denied.returncode, denied.stderr.count("\n")) == (1, 1)
        assert f"{card} is a suggestion, there is nothing to decide" in denied.stderr
    assert acts(tmp_path) == 0
    assert [line.status for line in audited(tmp_path, "decision")] == ["suggested"]


def test_a_suggestion_in_a_chat_leaves_the_chat_usable(tmp_path: Path) -> None:
    typed = "please roll back auth-service\n/undo\ncheck the pod status of auth-service\n"
    done = run(tmp_path, "chat", *RECORDED, "--suggest-only", typed=typed)
    assert done.returncode == 0, done.stderr
    assert "suggest-only: changes are shown as commands to copy, and never done" in done.stdout
    assert "Suggested, not done." in done.stdout
    assert "there is nothing to undo" in done.stdout
    assert done.stdout.count("✓ health") == 1, "the next question is answered"


def test_a_thread_that_only_reads_refuses_every_change_also_the_undo_of_an_earlier_one(
    tmp_path: Path,
) -> None:
    card, thread = pending(tmp_path)
    assert run(tmp_path, "approvals", "approve", card, "--yes").returncode == 0
    assert run(tmp_path, "ask", "--resume", thread).returncode == 0
    resumed = run(tmp_path, "chat", "--resume", thread, "--read-only", typed="/undo\n")
    assert "read-only: nothing can be changed in this conversation" in resumed.stdout
    assert "refused by read-only" in " ".join(resumed.stdout.split())
    # Taken up once more without the option, it still only reads.
    again = run(tmp_path, "chat", "--resume", thread, typed="/undo\n")
    assert "refused by read-only" in " ".join(again.stdout.split())
    loose = run(tmp_path, "chat", "--resume", thread, "--suggest-only", typed="/undo\n")
    assert "refused by read-only" in " ".join(loose.stdout.split())
    assert acts(tmp_path) == 1


def test_a_card_that_waits_is_void_when_its_thread_is_taken_up_to_read_only(tmp_path: Path) -> None:
    card, thread = pending(tmp_path)
    resumed = run(tmp_path, "chat", "--resume", thread, OPSSQUAD_READ_ONLY="1")
    assert f"{card} is void: it is refused now by read-only" in " ".join(resumed.stdout.split())
    late = run(tmp_path, "approvals", "approve", card, "--yes")
    assert (late.returncode, late.stderr.count("\n")) == (1, 1)
    assert acts(tmp_path) == 0


def test_a_switch_that_is_neither_on_nor_off_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "why?", *RECORDED, OPSSQUAD_READ_ONLY="maybe")
    assert (done.returncode, done.stderr) == (2, "opssquad: OPSSQUAD_READ_ONLY is 'maybe'; give 1 or 0\n")


def test_a_yes_given_on_one_cluster_is_void_when_the_context_points_to_another(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    with serving("auth-0308") as here, serving("shop-0412") as elsewhere:
        config.write_text(here.read_text(encoding="utf-8"), encoding="utf-8")
        context = yaml.safe_load(config.read_text(encoding="utf-8"))["current-context"]
        live = ("--kubeconfig", str(config), "--context", context)
        asked = run(tmp_path, "ask", "roll back auth-service", "-n", "authentication", *live)
        assert asked.returncode == 4, asked.stdout + asked.stderr
        assert "Bound to cluster uid=" in " ".join(asked.stdout.split())
        (found,) = re.findall(r"approval (\S+) of thread (\w+) is pending", asked.stdout)
        card, thread = found
        assert run(tmp_path, "approvals", "approve", card, "--yes").returncode == 0
        config.write_text(renamed(elsewhere, context), encoding="utf-8")
        resumed = " ".join(run(tmp_path, "ask", "--resume", thread).stdout.split())
    assert f"{card} is void: this is another system than the card's: uid " in resumed
    assert decisions(tmp_path)[-1] == "voided by opssquad"
    assert acts(tmp_path) == 0


@contextmanager
def serving(recording: str) -> Iterator[Path]:
    """The kubeconfig of a recording that is being served."""
    line = [sys.executable, "-m", "opssquad", "recording", "serve", str(content.recordings()[recording])]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Path(process.stdout.readline().strip().removeprefix("KUBECONFIG="))
        process.terminate()


def renamed(kubeconfig: Path, context: str) -> str:
    """The kubeconfig with its only context under another name."""
    found = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    found["contexts"][0]["name"] = found["current-context"] = context
    return yaml.safe_dump(found)
