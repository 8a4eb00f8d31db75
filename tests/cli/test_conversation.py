"""The golden conversation in a terminal, typed as an engineer types it, over the recorded incident."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal, run

QUESTION = (
    "I'm seeing high error rates on the authentication service in the production namespace. "
    "Can you check the pod status?"
)
SCOPE = "cluster production · namespace authentication · squad k8s · model offline"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A chat with the recorded incident, its prompt up."""
    chat = Terminal(tmp_path, "chat", "--recording", "auth-0308")
    chat.wait("you>")
    yield chat
    chat.process.close(force=True)


def up_to_the_card(terminal: Terminal) -> None:
    terminal.say(QUESTION, "1. ")
    terminal.say("Yes, please roll back.", "approve?")


def test_the_golden_conversation_is_held_in_a_terminal(terminal: Terminal) -> None:
    terminal.say(QUESTION, "0 of 3 pods ready")
    terminal.wait(SCOPE)
    terminal.say(
        "Yes, get the last 50 lines of logs from the first pod.", "Database connection timeout after 5000ms"
    )
    terminal.say("Check recent deployments first.", "DB_POOL_SIZE 50 -> 20, DB_TIMEOUT 10000 -> 5000")
    terminal.say("Yes, verify we can roll back safely.", "stability")
    terminal.say("Yes, please roll back.", "approve?")
    terminal.wait("kubectl -n authentication rollout undo deployment/auth-service")
    terminal.say("yes", "better:", seconds=60)
    terminal.wait("3 of 3 now")
    terminal.say("/timeline", "13:45 - ")
    assert terminal.leave() == 0
    assert "opssquad chat --resume" in terminal.seen


def test_a_no_changes_nothing_and_is_kept_with_its_reason(terminal: Terminal) -> None:
    up_to_the_card(terminal)
    terminal.say("no, the database team is on it", "refused by")
    terminal.wait("the database team is on it")
    assert "is rolling back" not in terminal.seen
    terminal.say("check the pod status", "0 of 3 pods ready")


def test_a_card_survives_kill_9_and_is_carried_out_by_another_process(
    terminal: Terminal, tmp_path: Path
) -> None:
    up_to_the_card(terminal)
    found = re.search(r"thread (\w+)", terminal.seen)
    assert found
    terminal.kill()
    again = Terminal(tmp_path, "chat", "--resume", found[1])
    try:
        again.wait("approve?")
        again.wait("kubectl -n authentication rollout undo deployment/auth-service")
        again.say("yes", "better:", seconds=60)
        assert again.leave() == 0
    finally:
        again.process.close(force=True)


def test_ctrl_c_amid_a_change_leaves_the_chat_usable_and_the_change_checked(terminal: Terminal) -> None:
    up_to_the_card(terminal)
    terminal.say("yes", "with the newest template")
    terminal.process.sendcontrol("c")
    terminal.wait("stopped; the thread is kept")
    terminal.say("check the pod status of auth-service", "what became of the change")
    terminal.wait("better:", seconds=60)
    # Once at the start, once for this question.
    terminal.wait("✓ health", times=2)


def test_leaving_with_a_card_up_says_which_one_waits(terminal: Terminal) -> None:
    up_to_the_card(terminal)
    terminal.say("later", "It waits")
    assert terminal.leave() == 4
    assert "opssquad approvals approve a-" in terminal.seen


def test_ask_prints_one_object_and_nothing_else(tmp_path: Path) -> None:
    question = "Logins are failing for everybody since early afternoon, what is going on in production?"
    done = run(tmp_path, "ask", question, "--recording", "auth-0308", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["status"]) == (0, "concluded"), done.stderr
    component = told["conclusion"]["causes"][0]["component"]
    assert component == {"kind": "Deployment", "namespace": "authentication", "name": "auth-service"}
    assert told["conclusion"]["causes"][0]["findings"][0]["evidence"]


def test_a_conversation_through_a_pipe_reads_as_one(tmp_path: Path) -> None:
    typed = f"{QUESTION}\nroll back auth-service\n"
    done = run(tmp_path, "chat", "--recording", "auth-0308", typed=typed)
    assert done.returncode == 4, done.stderr
    assert "\x1b" not in done.stdout
    assert f"you> {QUESTION}" in done.stdout
    assert "is pending" in done.stdout


def test_approve_all_is_refused_on_a_live_cluster(tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "what is wrong?", "--approve", "all")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "recordings only" in done.stderr


def test_a_question_is_needed(tmp_path: Path) -> None:
    done = run(tmp_path, "ask")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_the_demo_plays_to_the_end_and_says_who_approved(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--fast")
    words = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stderr
    assert "the demo's script answers the card" in words
    assert "approved by demo of" in words
    assert "better:" in words
    assert words.index("What happened") < words.index("13:45 - ") < words.index("opssquad chat --recording")
