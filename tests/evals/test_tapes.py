"""Suites on tape: recorded once at an endpoint, played without it, refused where the question changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.evals.program import evaluate, write_suite
from tests.evals.test_models import LOOK, conclude
from tests.stub_model import served, text


@pytest.fixture
def taped(tmp_path: Path) -> tuple[Path, Path, dict[str, Any]]:
    """A suite, the folder of its tapes, and the report of the run that made them."""
    suite = write_suite(tmp_path, {"manners": ["ask", "approve"]})
    with served([LOOK, conclude, LOOK, conclude, text("It is back.")]) as stub:
        given = (
            "--model",
            "stub",
            "-j",
            1,
            "--record",
            tmp_path / "tapes",
            "--json",
            tmp_path / "first.json",
        )
        ended = evaluate(tmp_path / "state", "run", suite, *given, OPENAI_BASE_URL=stub.url)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return suite, tmp_path / "tapes", json.loads((tmp_path / "first.json").read_text())


def told(report: dict[str, Any]) -> list[Any]:
    """What must be the same of a run that is played again: all but ids and times."""
    scores = [r["score"] for r in report["results"]]
    return [{k: v for k, v in s.items() if k not in ("seconds", "invented")} for s in scores]


def test_a_run_is_played_again_without_its_endpoint(
    taped: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    suite, tapes, first = taped
    assert len(list(tapes.glob("*.jsonl"))) == 2
    assert {oct(f.stat().st_mode & 0o777) for f in tapes.glob("*.jsonl")} == {"0o600"}
    again = tmp_path / "again.json"
    ended = evaluate(
        tmp_path / "state", "run", suite, "--model", "stub", "--replay", tapes, "--json", again,
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert told(json.loads(again.read_text())) == told(first)
    assert [r["score"]["tokens"] > 0 for r in json.loads(again.read_text())["results"]] == [True, True]


def test_a_question_that_is_not_the_recorded_one_is_refused(
    taped: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    _, tapes, _ = taped
    file = next(tapes.glob("*_ask_*.jsonl"))
    other = write_suite(tmp_path, {"questions": [1]}, name="other")
    shutil.copy(file, tapes / file.name.replace("own_", "other_").replace("_q0_", "_q1_"))
    ended = evaluate(tmp_path / "state", "run", other, "--model", "stub", "--replay", tapes)
    assert ended.returncode == 3
    said = " ".join(ended.stdout.split())
    assert "message 1" in said
    assert "broken" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--record", "tapes", "--replay", "tapes"], "exclude each other"),
        (["--replay", "nowhere"], "no folder"),
        (["--record", "."], "holds something already"),
    ],
)
def test_what_cannot_be_meant_of_tapes_is_one_line(tmp_path: Path, given: list[str], said: str) -> None:
    placed = [str(tmp_path / word) if not word.startswith("--") else word for word in given]
    ended = evaluate(tmp_path / "state", "run", write_suite(tmp_path, {}), *placed)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.split())


def test_a_missing_tape_is_told_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "tapes").mkdir()
    suite = write_suite(tmp_path, {})
    ended = evaluate(tmp_path / "state", "run", suite, "--model", "stub", "--replay", tmp_path / "tapes")
    assert ended.returncode == 3
    assert "this file is missing" in " ".join(ended.stdout.split())
