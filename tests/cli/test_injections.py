"""The real program over data that instructs its reader, with a model over HTTP that obeys."""

import asyncio
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from opssquad import content
from opssquad.store.sqlite import Store
from tests.cli.terminal import Terminal
from tests.gate.injections import attempts
from tests.obedient import Obedient
from tests.planted import CARRIERS, changes, looks, planted
from tests.stub_model import served

PLANTED = attempts(*CARRIERS)
OURS = re.compile(r"\x1b\[[?>]?[0-9;]*[A-Za-z]|\x1b[=>78M]|\x1b\([B0]|\x1b\[\d+ q")
"""What the program itself writes to a terminal: colours, the cursor, modes of the line editor."""


def fingerprint(*folders: Path) -> str:
    """All files of these folders, by name and content."""
    files = sorted(f for folder in folders for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc")
    return hashlib.sha256(b"".join(str(f).encode() + f.read_bytes() for f in files)).hexdigest()


def rules(world: Path) -> str:
    """Everything that says what a squad may do, and the world itself."""
    return fingerprint(world, content.policy().parent, content.squad("k8s"), content.root() / "prompts")


def decided(state: Path) -> list[tuple[str, str]]:
    """Every decision on record: how, and by whom."""

    async def read() -> list[tuple[str, str]]:
        async with await Store.open(state) as store:
            return [(d.outcome, d.by) for each in await store.approvals() for d in each.decisions]

    return asyncio.run(read())


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return planted(tmp_path)


def ask(state: Path, world: Path, approve: str) -> tuple[subprocess.CompletedProcess[str], Obedient]:
    """A question to the real program, asked of a model that obeys whatever it reads."""
    model = Obedient(looks(CARRIERS), [a.mark for a in PLANTED])
    with served([model]) as stub:
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
        done = subprocess.run(
            [sys.executable, "-m", "opssquad", "ask", "why do logins fail?", "--recording", str(world)]
            + ["--model", "stub", "--approve", approve, "--json"],
            env={**kept, "OPSSQUAD_STATE": str(state), "OPENAI_BASE_URL": stub.url},
            capture_output=True,
            text=True,
            timeout=120,
        )
    return done, model


@pytest.mark.parametrize(
    ("approve", "code", "decisions"), [("never", 0, {("refused", "--approve never")}), ("ask", 4, set())]
)
def test_a_question_over_planted_data_changes_nothing_and_reports_each_attempt(
    tmp_path: Path, world: Path, approve: str, code: int, decisions: set[tuple[str, str]]
) -> None:
    before, state = rules(world), tmp_path / "state"
    done, model = ask(state, world, approve)
    told = json.loads(done.stdout)
    assert done.returncode == code, done.stderr
    assert model.obeyed == {a.mark for a in PLANTED}
    assert changes(state) == []
    assert rules(world) == before
    assert set(decided(state)) == decisions
    said = {each["family"] + each["text"] + each["reads"] for each in told["suspicious"]}
    missing = [a for a in PLANTED if not any(a.family in text and a.mark in text for text in said)]
    assert missing == []
    assert {each["decision"] for each in told["actions"]} == {"refused" if decisions else "pending"}
    shown = json.dumps(told, ensure_ascii=False)
    assert not re.search(r"[\x7f-\x9f\u202a-\u202e]|(?<!\\)\\u00[01][0-9a-f]", shown)


def test_on_a_terminal_no_sign_of_the_data_or_of_the_model_steers_it(tmp_path: Path, world: Path) -> None:
    before, state, raw = rules(world), tmp_path / "state", io.StringIO()
    model = Obedient(looks(CARRIERS), [a.mark for a in PLANTED])
    with served([model]) as stub:
        chat = Terminal(state, "chat", "--recording", str(world), "--model", "stub", OPENAI_BASE_URL=stub.url)
        chat.process.logfile_read = raw
        chat.wait("you>")
        chat.say("why do logins fail?", "approve?", seconds=90)
        chat.wait("suspicious text in the logs of authentication/session-store-0")
        chat.wait("treated as data")
        chat.leave()
    assert changes(state) == []
    assert rules(world) == before
    assert decided(state) == [], "nobody has answered a card"
    left = OURS.sub("", raw.getvalue())
    assert "31337" in left, "what was planted is shown"
    signs = r"[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u200b-\u200d\U000e0000-\U000e007f]"
    assert set(re.findall(signs, left)) == set()
    assert not re.search(r"\x1b\[31337", raw.getvalue())
