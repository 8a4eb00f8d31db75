"""Every way a model endpoint can fail, against the real program: a stated outcome, never a traceback.

The offline model takes over in all of them, so the question is still concluded, but where the budget went
into calls that led nowhere; what differs is the one line that says what went wrong.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_conversation import QUESTION
from tests.faults import endpoint as e

INCONCLUSIVE = {"100 calls at once", "endless loop"}
"""The budget is used up by the model: what is known is told, with what is missing, and exit code 3."""

# name: what the endpoint does, what the screen says of it, most requests that it may have cost
FAULTS: dict[str, tuple[e.Behaviour, str, int]] = {
    "429 storm": (e.status(429), "answered 429", 4),
    "429 that asks for an hour": (e.status(429, **{"Retry-After": "3600"}), "answered 429", 1),
    "500": (e.status(500), "answered 500", 4),
    "503": (e.status(503, **{"Retry-After": "0"}), "answered 503", 4),
    "401": (e.status(401), "check OPENAI_API_KEY", 1),
    "404": (e.status(404), "is OPENAI_BASE_URL right?", 1),
    "hung up": (e.hangs_up, "cannot be reached", 4),
    "slow stream": (e.stream(*"abcdef", pause=0.3, done=True), "", 4),
    "cut stream": (e.stream("I think", " the pool"), "cut off in the middle", 4),
    "HTML": (e.body("<html>", "text/html"), "not JSON", 1),
    "wrong JSON": (e.body('{"choices": '), "not JSON", 1),
    "JSON of another shape": (e.body('{"result": 1}'), "holds no choices", 1),
    "arguments that are no JSON": (e.written('{"namespace": '), "gave no usable answer", 3),
    "arguments that are a list": (e.written("[1, 2]"), "gave no usable answer", 3),
    "unknown tool": (e.UNKNOWN_TOOL, "gave no usable answer", 3),
    "wrong types": (e.WRONG_TYPES, "gave no usable answer", 3),
    "100 calls at once": (e.HUNDRED, "the budget has room for 25", 4),
    "refusal": (e.REFUSAL, "gave no usable answer", 3),
    "filtered": (e.FILTERED, "gave no usable answer", 3),
    "empty answer": (e.EMPTY, "gave no usable answer", 3),
    "endless loop": (e.ENDLESS, "used up its calls (25 of 25)", 30),
}


def asked(state: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "opssquad",
            "ask",
            QUESTION,
            "--recording",
            "auth-0308",
            "--model",
            "m",
            *more,
        ],
        env={**kept, "OPSSQUAD_STATE": str(state), "OPENAI_BASE_URL": url, "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("name", FAULTS)
def test_an_endpoint_that_fails_is_told_in_a_line_and_the_question_still_concluded(
    name: str, tmp_path: Path
) -> None:
    behaviour, says, most = FAULTS[name]
    with e.served(behaviour) as (url, came):
        done = asked(tmp_path, url)
    said = " ".join(done.stdout.split())
    code = 3 if name in INCONCLUSIVE else 0
    assert (done.returncode, done.stderr) == (code, ""), done.stdout + done.stderr
    assert says in said
    assert "auth-service" in said
    assert "Traceback" not in said
    assert 1 <= len(came) <= most
    assert not (tmp_path / "logs").exists()


def test_a_stream_that_is_cut_each_time_says_its_words_once(tmp_path: Path) -> None:
    with e.served(e.stream("The zebra is", " to blame")) as (url, came):
        done = asked(tmp_path, url)
    assert len(came) == 4
    assert done.stdout.count("The zebra is to blame") == 1


def test_a_script_reads_which_model_answered_in_the_end(tmp_path: Path) -> None:
    with e.served(e.status(500)) as (url, _):
        done = asked(tmp_path, url, "--json")
    assert json.loads(done.stdout)["model"] == "offline"
