"""Runs and their suites: no two results under one key, and what is found stays found, from any folder."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opssquad import content
from opssquad.errors import UsageError
from opssquad.evals.keeping import Plan
from opssquad.evals.run import Run
from tests.evals.program import evaluate, write_suite

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def plan(*suites: Path, shift: int | None = None, noise: int | None = None) -> Plan:
    return Plan(started=BEGAN, suites=tuple(map(str, suites)), shift=shift, noise=noise)


def test_two_suites_of_one_name_are_refused_and_not_mixed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, two = write_suite(tmp_path, {}), write_suite(tmp_path / "other", {"manners": ["approve"]}, {})
    with pytest.raises(UsageError, match="are both called own"):
        Run.new(tmp_path / "runs", plan(one, two))
    again = tmp_path / "other" / ".." / "own.yaml"
    with pytest.raises(UsageError, match="are both called own"):
        Run.new(tmp_path / "runs", plan(one, again))


@pytest.mark.parametrize(
    ("shift", "noise", "variants"),
    [(3, None, {"shift", "both"}), (None, 3, {"noise", "both"}), (3, 3, {"both"})],
)
def test_under_other_names_no_case_stands_twice(
    tmp_path: Path, shift: int | None, noise: int | None, variants: set[str]
) -> None:
    suite = write_suite(tmp_path, {"variants": ["plain", "shift", "noise", "both"]})
    run = Run.new(tmp_path / "runs", plan(suite, shift=shift, noise=noise))
    assert {job.case.variant for job in run.jobs} == variants
    assert len({job.key for job in run.jobs}) == len(run.jobs) == len(variants)


def test_a_run_is_found_again_from_another_folder_and_shown_without_its_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, report = tmp_path / "state", tmp_path / "again.json"
    suite = write_suite(tmp_path, {}, {"recording": "media-0811"})
    monkeypatch.chdir(tmp_path)
    assert evaluate(state, "run", suite.name).returncode == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    gone_on = evaluate(state, "run", "--resume", "last")
    assert gone_on.returncode == 0, gone_on.stderr
    write_suite(tmp_path, {"recording": "media-0811"})
    assert "the suites changed" in " ".join(evaluate(state, "run", "--resume", "last").stderr.split())
    for _ in ("edited", "gone"):
        assert evaluate(state, "show", "last", "--json", report).returncode == 0
        shown = json.loads(report.read_text())
        assert [r["recording"] for r in shown["results"]] == ["auth-0308", "media-0811"]
        assert (shown["planned"], shown["partial"]) == (2, False)
        suite.unlink(missing_ok=True)


def test_a_run_is_not_gone_on_with_in_a_recording_that_was_changed(tmp_path: Path) -> None:
    shutil.copytree(content.recordings()["auth-0308"], tmp_path / "mine")
    Run.new(tmp_path / "runs", plan(write_suite(tmp_path, {"recording": "mine"})))
    assert len(Run.again(tmp_path / "runs", "last").missing) == 1
    world = tmp_path / "mine" / "world.yaml"
    world.write_text(world.read_text().replace("v2.4.1", "v2.4.2"), encoding="utf-8")
    with pytest.raises(UsageError, match="the suites changed since it began"):
        Run.again(tmp_path / "runs", "last")
