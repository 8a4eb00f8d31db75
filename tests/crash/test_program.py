"""The program itself, killed amid a change or with its card up, and taken up again by a human."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal, run
from tests.crash.cluster import Line, cluster
from tests.crash.scene import patches

ROLLBACK = "roll back auth-service in namespace authentication"
UNKNOWN = "started before and its end is not on record: it is not done again"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with cluster(tmp_path) as line:
        yield line


def thread_of(seen: str) -> str:
    found = re.search(r"thread (\w+)", seen)
    assert found, seen
    return found[1]


def killed_amid_the_change(state: Path, line: Line) -> str:
    """Kill the chat when the cluster has done the change and its answer is still out; the thread."""
    chat = Terminal(state, "chat", "--kubeconfig", str(line.kubeconfig))
    try:
        chat.wait("you>")
        chat.say(ROLLBACK, "approve?")
        chat.process.send("yes\r")
        assert line.swallowed.wait(40), chat.seen
        chat.kill()
    finally:
        chat.process.close(force=True)
    assert line.changes() == 1
    line.swallows = False
    return thread_of(chat.seen)


def test_a_change_whose_answer_was_lost_is_told_as_unknown_with_its_check_and_ways_on(
    tmp_path: Path, line: Line
) -> None:
    thread = killed_amid_the_change(tmp_path / "state", line)
    told = run(tmp_path / "state", "incident", "show", thread)
    assert "Begun, its end is not on record" in " ".join(told.stdout.split())
    again = Terminal(tmp_path / "state", "chat", "--resume", thread)
    try:
        again.wait(UNKNOWN)
        again.wait("It is not known whether this was done.", seconds=60)
        again.wait("better:")
        again.wait("1. ")
        assert again.leave() == 0
    finally:
        again.process.close(force=True)
    assert line.changes() == 1, "it is not done again"
    told = run(tmp_path / "state", "incident", "show", thread)
    timeline = " ".join(told.stdout.split())
    assert "Begun, end unknown" in timeline
    assert "Verified, it helped" in timeline
    assert run(tmp_path / "state", "audit", "verify").returncode == 0


@pytest.mark.parametrize("question", [[], ["show the timeline"]])
def test_ask_that_takes_up_a_change_that_was_cut_off_tells_of_it_first(
    tmp_path: Path, line: Line, question: list[str]
) -> None:
    thread = killed_amid_the_change(tmp_path / "state", line)
    done = run(tmp_path / "state", "ask", *question, "--resume", thread)
    told = " ".join(done.stdout.split())
    assert done.returncode == 3, done.stderr
    assert UNKNOWN in told
    assert "better:" in told
    assert "1. " in told
    assert line.changes() == 1


@pytest.mark.parametrize(("answer", "changes"), [("approve", 1), ("refuse", 0)])
def test_a_card_that_is_decided_elsewhere_after_kill_9_holds_for_who_goes_on(
    tmp_path: Path, answer: str, changes: int
) -> None:
    state = tmp_path / "state"
    chat = Terminal(state, "chat", "--recording", "auth-0308")
    try:
        chat.wait("you>")
        chat.say(ROLLBACK, "approve?")
        chat.kill()
    finally:
        chat.process.close(force=True)
    thread, card = thread_of(chat.seen), re.search(r"a-\w+-\d+\.\d+", run(state, "approvals", "list").stdout)
    assert card
    assert run(state, "approvals", answer, card[0]).returncode == 0
    for _ in range(2):
        done = run(state, "ask", "--resume", thread)
        assert done.returncode == 3, done.stderr
        assert patches(state / "worlds" / f"{thread}.jsonl") == changes
    assert run(state, "audit", "verify").returncode == 0
