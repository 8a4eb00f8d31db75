"""The golden conversation where it goes another way: no, void, too late, no help. Typed in a terminal."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from opssquad import content
from tests.cli.terminal import Terminal, run

AUTH = content.recordings()["auth-0308"]
STATUS = "check the pod status in the authentication namespace"
CARD = "edit [what] · explain · later"
EDIT = ("set", "env", "deployment/auth-service", "DB_POOL_SIZE=30")
AGAIN = "Propose it again, with a new card: kubectl -n authentication rollout undo deployment/auth-service"
Talk = Callable[..., Terminal]
Kubectl = Callable[..., None]


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    """Opens a chat, with its prompt up, or with its card where `card` is set."""
    opened: list[Terminal] = []

    def begin(*arguments: str, card: bool = True, **environ: str) -> Terminal:
        chat = Terminal(tmp_path, "chat", *arguments, **environ)
        opened.append(chat)
        chat.wait("you>")
        if card:
            chat.say(STATUS, "4. Find out why")
            chat.say("Yes, please roll back.", CARD)
        return chat

    yield begin
    for chat in opened:
        chat.process.close(force=True)


@pytest.fixture
def served() -> Iterator[Path]:
    """The kubeconfig of a recording that is being served."""
    line = [sys.executable, "-m", "opssquad", "recording", "serve", str(AUTH)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Path(process.stdout.readline().strip().removeprefix("KUBECONFIG="))
        process.terminate()


@pytest.fixture
def kubectl(served: Path, tmp_path: Path) -> Kubectl:
    """Somebody else at the same cluster, with the real kubectl."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    line = ["kubectl", "--cache-dir", str(tmp_path / "kubectl"), "--kubeconfig", str(served)]

    def type_(*arguments: str) -> None:
        subprocess.run(
            [*line, "-n", "authentication", *arguments], check=True, capture_output=True, timeout=30
        )

    return type_


def card_of(chat: Terminal) -> str:
    """The id of the card that was put up last."""
    return re.findall(r"approval (a-[\w.-]+)", chat.seen)[-1]


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_no_says_that_nothing_was_changed_and_leaves_its_reason_on_record(
    talk: Talk, tmp_path: Path
) -> None:
    chat = talk("--recording", str(AUTH))
    chat.say("no, the database team is on it", "3. Find out why")
    assert "the database team is on it. Nothing was changed." in words(chat.seen)
    assert words(chat.seen).count("the database team is on it") == 3, "typed, decided, answered"
    chat.say("/timeline", "refused (the database team is on it): kubectl")
    assert chat.leave() == 0
    told = run(tmp_path, "audit", "show").stdout
    assert "the database team is on it" in words(told)
    assert "is rolling back" not in told


def test_a_change_by_somebody_else_voids_the_card_and_is_named(
    talk: Talk, served: Path, kubectl: Kubectl
) -> None:
    chat = talk("--context", "production", KUBECONFIG=str(served))
    kubectl(*EDIT)
    chat.say("yes", AGAIN)
    seen = words(chat.seen)
    assert "auth-service changed after the card was shown: generation 3 -> 4" in seen
    assert "Nothing was changed by this approval" in seen
    assert "DB_POOL_SIZE 20 -> 30" in seen
    assert "scaled from 3 to 0" not in seen
    kubectl("wait", "--for=jsonpath={.status.updatedReplicas}=3", "deployment/auth-service", "--timeout=20s")
    # The revision that was meant, although "the previous one" is another by now.
    chat.say("1", CARD)
    chat.wait("DB_POOL_SIZE 30 -> 50")
    chat.say("yes", "better:", seconds=60)


def test_an_approval_from_another_terminal_is_voided_by_a_change_as_well(
    talk: Talk, served: Path, kubectl: Kubectl, tmp_path: Path
) -> None:
    chat = talk("--context", "production", KUBECONFIG=str(served))
    kubectl(*EDIT)
    done = run(tmp_path, "approvals", "approve", card_of(chat), "--yes")
    assert done.returncode == 0, done.stderr
    chat.wait("answered from elsewhere")
    chat.wait(f"{card_of(chat)} is void")
    chat.wait(AGAIN)
    late = run(tmp_path, "approvals", "approve", card_of(chat), "--yes")
    assert late.returncode == 1
    assert late.stderr.count("\n") == 1
    assert "is void" in late.stderr


def test_a_card_whose_time_is_over_says_so_by_itself_and_can_be_asked_for_anew(
    talk: Talk, tmp_path: Path
) -> None:
    chat = talk("--recording", str(AUTH), OPSSQUAD_APPROVAL_MINUTES="0.1")
    card = card_of(chat)
    chat.wait(AGAIN)
    assert f"{card} expired at" in words(chat.seen)
    assert "before it was carried out. Nothing was changed." in words(chat.seen)
    late = run(tmp_path, "approvals", "approve", card, "--yes")
    assert (late.returncode, late.stderr.count("\n")) == (1, 1)
    assert f"{card} expired at" in late.stderr
    assert "cannot be approved any more" in late.stderr
    assert card not in run(tmp_path, "approvals", "list").stdout
    assert f"{card} expired" in words(run(tmp_path, "approvals", "list", "--all").stdout)
    assert "Status expired" in words(run(tmp_path, "approvals", "show", card).stdout)
    chat.say("1", CARD)
    assert card_of(chat) != card


def test_a_rollout_that_does_not_become_ready_leaves_ways_on_and_a_way_back(
    talk: Talk, tmp_path: Path
) -> None:
    world = yaml.safe_load((AUTH / "world.yaml").read_text(encoding="utf-8"))
    crash = next(o["pods"] for o in world["outcomes"] if o["pods"] != "ready")
    copy = shutil.copytree(AUTH, tmp_path / "copy")
    (copy / "world.yaml").write_text(
        yaml.safe_dump({"outcomes": [], "default": {"pods": crash}}), encoding="utf-8"
    )
    chat = talk("--recording", str(copy))
    chat.say("yes", "4. Check the pods", seconds=60)
    seen = words(chat.seen)
    assert "Verified: same, it did not help. The rollout does not become ready:" in seen
    assert "exit code 1 (Error)" in seen
    assert "ready 0 of 3 before, 0 of 3 now" in seen
    assert "Read the logs of the newest pods of auth-service" in seen
    assert "Take the change back: go forward again to revision 3 (/undo)" in seen
    assert "3. Hand over" in seen
    chat.say("1", "Database connection timeout")
    chat.say("/undo", CARD)
    chat.wait("deployment/auth-service \\ --to-revision=3")
    # The pods that the rollback replaced speak no more for anything.
    assert "auth-service-cff498559-" not in chat.seen.split("you> /undo")[1]
    assert chat.leave() == 4


def test_what_ask_prints_for_a_pending_card_is_what_carries_it_out(tmp_path: Path) -> None:
    asked = run(tmp_path, "ask", "roll back auth-service", "--recording", str(AUTH))
    assert asked.returncode == 4, asked.stderr
    steps = re.findall(r"^  \$ opssquad (approvals approve|ask --resume) (\S+)$", asked.stdout, re.MULTILINE)
    assert [step for step, _ in steps] == ["approvals approve", "ask --resume"]
    waiting = run(tmp_path, "ask", "--resume", steps[1][1])
    assert waiting.returncode == 4
    assert f"approvals approve {steps[0][1]}" in waiting.stdout, "taken up too early, it says the same"
    approved = run(tmp_path, "approvals", "approve", steps[0][1])
    assert f"opssquad ask --resume {steps[1][1]}" in approved.stdout
    resumed: Any = run(tmp_path, "ask", "--resume", steps[1][1])
    assert resumed.returncode == 0, resumed.stderr
    assert "3 of 3 now" in words(resumed.stdout)
