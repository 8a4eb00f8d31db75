"""Changes that fail on their way to the cluster: sent once, and told as what they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import cluster as c
from tests.faults.asking import (
    OVERLOADED,
    PROXY,
    asked,
    told,
)

# A change. name: fault, what the result says, whether it is checked, whether the cluster was changed
ROLLBACK = "Please roll back auth-service in namespace authentication to the previous version."
WRITES: dict[str, tuple[c.Fault, str, str, bool]] = {
    "the answer is lost, the change is made": (
        c.breaks(c.write, done=True),
        "may or may not have been made",
        "unknown",
        True,
    ),
    "the connection breaks before": (c.breaks(c.write), "may or may not have been made", "unknown", False),
    "no answer, the change is made": (
        c.hangs(c.write, done=True),
        "no answer within 10 s",
        "unknown",
        True,
    ),
    "a gateway's time is up": (
        c.answers(lambda: c.status(504, "Timeout", "gateway"), c.write),
        "may or may not have been made",
        "unknown",
        False,
    ),
    "a conflict": (
        c.answers(lambda: c.status(409, "Conflict", "the object has been modified"), c.write),
        "the object has been modified",
        "error",
        False,
    ),
    "no right to write": (
        c.answers(lambda: c.status(403, "Forbidden", 'cannot patch resource "deployments"'), c.write),
        'cannot patch resource "deployments"',
        "error",
        False,
    ),
    "a webhook says no": (
        c.answers(
            lambda: c.status(400, "BadRequest", 'admission webhook "freeze.example" denied the request'),
            c.write,
        ),
        'admission webhook "freeze.example" denied the request',
        "error",
        False,
    ),
    "an overloaded server": (c.answers(OVERLOADED, c.write), "too many requests", "error", False),
    "an answer that is a page": (
        c.answers(PROXY, c.write),
        "may or may not have been made",
        "unknown",
        False,
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_change_that_fails_is_sent_once_and_told_as_what_it_is(name: str, tmp_path: Path) -> None:
    fault, says, status, made = WRITES[name]
    state = tmp_path / "state"
    with c.behind(fault, tmp_path, speed=20) as front:
        done, _ = asked(front.kubeconfig, state, "--json", question=ROLLBACK)
        assert done.returncode == 4, done.stdout + done.stderr
        thread = json.loads(done.stdout)["thread"]
        card = json.loads(done.stdout)["actions"][0]
        assert card["tool"] == "rollback"
        ran(state, "approvals", "approve", approval(state))
        front.asked.clear()
        end = ran(state, "ask", "--resume", thread)
        sent = [a for a in front.asked if a.startswith("PATCH") and "dryRun" not in a]
        audit = ran(state, "audit", "verify")
    said = told(end, state)
    assert len(sent) == 1, front.asked
    assert says in said
    assert ("better" in said) == made, said
    assert ("It is not known whether" in said or "may or may not" in said) == (status == "unknown"), said
    assert audit.returncode == 0, audit.stdout + audit.stderr


def ran(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    return subprocess.run(
        [sys.executable, "-m", "opssquad", *words],
        env={**kept, "OPSSQUAD_STATE": str(state), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=150,
    )


def approval(state: Path) -> str:
    """The id of the card that waits."""
    listed = ran(state, "approvals", "list").stdout
    return next(word for word in listed.split() if word.startswith("a-"))
