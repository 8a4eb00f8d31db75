"""Cards that want more than one yes, and reads that policy asks about, typed in a terminal of 80x24."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal, run
from tests.cli.test_deciding import RECORDED, acts, decisions, pending, thread_of

POLICY = """
roles:
  sre: [ada, kim, lee]
rules:
  - name: production in pairs
    effect: mutate
    verdict: ask
    approvers: 2
    roles: [sre]
    requester_may_approve: false
  - name: logs are private
    tool: [logs, kubectl]
    verdict: ask
    reason: they may hold personal data
"""
SHORT = "2 approvers of role sre, and not ada"
LACKS = "1 more approver of role sre, and not ada or kim"
Talk = Callable[..., Terminal]


@pytest.fixture
def organisation(tmp_path: Path) -> dict[str, str]:
    """The environment of a terminal in a house where production is changed in pairs and logs are private."""
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return {"OPSSQUAD_POLICY": str(path)}


@pytest.fixture
def talk(tmp_path: Path, organisation: dict[str, str]) -> Iterator[Talk]:
    """Opens a chat of somebody, its prompt up."""
    opened: list[Terminal] = []

    def begin(who: str, *arguments: str) -> Terminal:
        chat = Terminal(tmp_path, "chat", *arguments, **organisation, OPSSQUAD_USER=who)
        opened.append(chat)
        return chat

    yield begin
    for chat in opened:
        chat.process.close(force=True)


def words(text: str) -> str:
    return " ".join(text.split())


def card_of(chat: Terminal) -> str:
    return re.findall(r"approval (a-[\w.-]+)", chat.seen)[-1]


def test_a_chat_waits_for_two_other_people_and_then_goes_on_by_itself(
    talk: Talk, tmp_path: Path, organisation: dict[str, str]
) -> None:
    chat = talk("ada", *RECORDED)
    chat.wait("you>")
    chat.say("please roll back auth-service", "explain · later")
    card = card_of(chat)
    assert f"Needs {SHORT}" in words(chat.seen)
    chat.say("y", f"{card} cannot be approved by ada: ada asked for it, and rule production in pairs wants")
    stranger = run(tmp_path, "approvals", "approve", card, "--yes", **organisation, OPSSQUAD_USER="max")
    assert (stranger.returncode, stranger.stderr.count("\n")) == (1, 1)
    assert "wants the role sre; roles of max: none" in stranger.stderr
    assert decisions(tmp_path) == []
    first = run(tmp_path, "approvals", "approve", card, "--yes", **organisation, OPSSQUAD_USER="kim")
    assert first.returncode == 0, first.stderr
    assert f"The card still waits for {LACKS}." in words(first.stdout)
    chat.wait(f"{card}: kim said yes; waiting for {LACKS}")
    assert f"needs {LACKS}" in words(run(tmp_path, "approvals", "list").stdout)
    shown = words(run(tmp_path, "approvals", "show", card).stdout)
    assert f"Needs {LACKS}; yes so far: kim" in shown
    assert "consented by kim at" in shown
    again = run(tmp_path, "approvals", "approve", card, "--yes", **organisation, OPSSQUAD_USER="Kim")
    assert f"The card still waits for {LACKS}." in words(again.stdout), "one person is one yes"
    second = run(tmp_path, "approvals", "approve", card, "--yes", **organisation, OPSSQUAD_USER="lee")
    assert f"{card} approved by kim and lee" in second.stdout
    chat.wait("answered from elsewhere")
    chat.wait("better:", seconds=60)
    assert decisions(tmp_path) == ["consented by kim", "consented by lee", "approved by kim and lee"]
    assert acts(tmp_path) == 1


def test_the_yes_of_a_chat_counts_as_one_of_two_and_its_card_still_waits(
    talk: Talk, tmp_path: Path, organisation: dict[str, str]
) -> None:
    card, thread = pending(tmp_path, **organisation, OPSSQUAD_USER="ada")
    chat = talk("kim", "--resume", thread)
    chat.wait("explain · later")
    chat.say("yes", f"waiting for {LACKS}")
    chat.wait(f"$ opssquad approvals approve {card}")
    assert acts(tmp_path) == 0
    chat.say("foo", "A card waits for its answer")
    done = run(tmp_path, "approvals", "approve", card, "--yes", **organisation, OPSSQUAD_USER="lee")
    assert done.returncode == 0, done.stderr
    chat.wait("better:", seconds=60)
    assert decisions(tmp_path)[-1] == "approved by kim and lee"


def test_approve_all_gives_no_yes_that_it_may_not_give(tmp_path: Path, organisation: dict[str, str]) -> None:
    card, _ = pending(tmp_path, "--approve", "all", **organisation, OPSSQUAD_USER="ada")
    assert decisions(tmp_path) == []
    assert f"needs {SHORT}" in words(run(tmp_path, "approvals", "list").stdout)
    assert card


def test_a_read_answered_for_the_session_is_asked_about_once_also_when_the_thread_is_taken_up(
    talk: Talk, tmp_path: Path, organisation: dict[str, str]
) -> None:
    chat = talk("kim", *RECORDED)
    chat.wait("you>")
    chat.say("show the last 5 log lines of auth-service", "s session")
    assert "Risk low: it is a read; they may hold personal data" in words(chat.seen)
    assert 'Call logs(pod="auth-service"' in words(chat.seen)
    chat.say("s", "reads like it for this session")
    chat.wait("✓ logs")
    chat.say("show the last 3 log lines of auth-service", "✓ logs")
    assert chat.seen.count("── approval") == 1
    chat.say("please roll back auth-service", "y approve · n [reason] refuse")
    chat.say("s", "a change is never remembered")
    chat.say("later", "It waits")
    thread = thread_of(chat)
    assert chat.leave() == 4
    typed = "n\nshow the last 4 log lines of auth-service\n"
    again = run(tmp_path, "chat", "--resume", thread, typed=typed, **organisation)
    assert "✓ logs" in again.stdout
    assert "reads only" not in again.stdout
    assert decisions(tmp_path)[0] == "approved by kim"


def test_a_freeze_that_is_written_after_the_yes_voids_it_in_the_chat_that_waits(
    talk: Talk, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: []\n", encoding="utf-8")
    chat = talk("kim", *RECORDED)
    chat.wait("you>")
    chat.say("please roll back auth-service", "explain · later")
    rule = "{name: freeze, effect: mutate, verdict: refuse, reason: the sale is on}"
    policy.write_text(f"rules:\n  - {rule}\n", encoding="utf-8")
    chat.process.send("y\r")
    chat.wait(f"{card_of(chat)} is void: it is refused now by freeze: the sale is on")
    assert decisions(tmp_path)[-1] == "voided by opssquad"
    assert acts(tmp_path) == 0
