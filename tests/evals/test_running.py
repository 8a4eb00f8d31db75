"""Whole runs with the real program: reports, resuming after a crash, Ctrl-C, dead workers, a full disk."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from opssquad.evals.keeping import RESULTS
from tests.evals.program import evaluate, start, write_suite
from tests.store.test_full import fill, small

__all__ = ["small"]
ROOT = Path(__file__).resolve().parents[2]
MANY = [{"questions": [0, 1, 2]}, {"recording": "shop-04*", "questions": [0, 1, 2]}]


def results(state: Path) -> list[dict[str, Any]]:
    """What is kept of the latest run."""
    files = sorted(state.glob(f"evals/*/{RESULTS}"))
    lines = files[-1].read_text().splitlines() if files else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def workers(state: Path, module: bytes = b"opssquad.evals.worker") -> list[int]:
    """The worker processes of a run in that state folder, or those of another module."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if module in words[0] and f"OPSSQUAD_STATE={state}\0".encode() in words[1]:
            found.append(int(process.name))
    return found


def until(state: Path, number: int) -> None:
    """Wait until so many results are kept."""
    deadline = time.monotonic() + 60
    while len(results(state)) < number:
        assert time.monotonic() < deadline, "no results come"
        time.sleep(0.02)


def test_the_smoke_suite_passes_and_is_reported_in_every_form(tmp_path: Path) -> None:
    files = {form: tmp_path / f"r.{form}" for form in ("json", "junit", "html")}
    given = [part for form, file in files.items() for part in (f"--{form}", file)]
    ended = evaluate(tmp_path / "state", "run", "smoke", *given, "--fail-under", "passed=1", "-j", 2)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(files["json"].read_text())
    assert [r["score"]["joint"] for r in report["results"]] == [True] * 5
    assert {r["manner"] for r in report["results"]} == {"ask", "approve", "refuse", "change", "kill"}
    acts = {r["manner"]: r["transcript"]["acts"] for r in report["results"]}
    assert [a["decision"] for a in acts["refuse"] + acts["change"]] == ["refused", "voided"]
    assert [a["status"] for a in acts["approve"] + acts["kill"]] == ["ok", "ok"]
    fixed = {r["manner"]: r["score"]["fixed"] for r in report["results"]}
    assert (fixed["approve"], fixed["kill"], fixed["refuse"]) == (True, True, None)
    assert 'tests="5"' in files["junit"].read_text()
    assert "auth-0308" in files["html"].read_text()
    assert "no fault (no squad)" in ended.stdout
    assert max(r["peak"] for r in report["results"]) < 300


def test_repeats_and_a_baseline_of_itself_say_no_more_than_noise(tmp_path: Path) -> None:
    state, first = tmp_path / "state", tmp_path / "first.json"
    suite = write_suite(tmp_path, {})
    assert evaluate(state, "run", suite, "--repeat", 2, "--json", first).returncode == 0
    assert [r["repeat"] for r in json.loads(first.read_text())["results"]] == [0, 1]
    again = evaluate(state, "run", suite, "--repeat", 2, "--baseline", first)
    assert again.returncode == 0
    assert "too few recordings to tell" in again.stdout
    write_suite(tmp_path, {}, version=2)
    other = evaluate(state, "run", suite, "--baseline", first)
    assert other.returncode == 2
    assert str(first) in other.stderr.replace("\n", "")
    assert "version" in other.stderr


def test_a_threshold_that_is_missed_is_told_and_ends_with_one(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, {})
    ended = evaluate(tmp_path / "state", "run", suite, "--fail-under", "closure=1")
    assert ended.returncode == 1
    assert "closure must be at least 1" in " ".join(ended.stdout.split())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["run"], "which suite?"),
        (["run", "smok"], "no suite 'smok'; there is: smoke"),
        (["run", "smoke", "--fail-under", "jiont=1"], "did you mean 'joint'?"),
        (["run", "smoke", "--fail-under", "joint=90"], "a share from 0 to 1"),
        (["run", "smoke", "--baseline", "nowhere.json"], "nowhere.json: this file is missing"),
        (["run", "smoke", "--json", "nowhere/r.json"], "--json nowhere/r.json: cannot be written there"),
        (["run", "smoke", "--html", "nowhere/r.html"], "--html nowhere/r.html: cannot be written there"),
        (["run", "--resume", "20200101-000000"], "no run '20200101-000000'"),
        (["run", "smoke", "--resume", "last"], "leave out the suites"),
        (["run", "--repeat", "3", "--model", "m", "--resume", "last"], "leave out --model, --repeat"),
        (["run", "smoke", "--model", "m"], "no model endpoint"),
        (["run", "smoke", "--tag", "no-such"], "no case of smoke fits"),
        (["show", "last"], "no run 'last'"),
        (["compare", "a.json", "b.json"], "a.json: this file is missing"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exit_code_two(
    tmp_path: Path, given: list[str], said: str
) -> None:
    ended = evaluate(tmp_path / "state", *given)
    assert ended.returncode == 2, ended.stdout
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_after_a_crash_the_run_goes_on_where_it_was(tmp_path: Path) -> None:
    state, suite = tmp_path / "state", write_suite(tmp_path, *MANY)
    process = start(state, "run", suite, "-j", 2)
    until(state, 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = results(state)
    assert 2 <= len(kept) < 9
    ended = evaluate(state, "run", "--resume", "last")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    whole = results(state)
    assert whole[: len(kept)] == kept, "what was finished is not made again"
    assert len({r["key"] for r in whole}) == len(whole) == 9
    assert "9 runs" in ended.stdout
    nothing_left = evaluate(state, "run", "--resume", "last")
    assert nothing_left.returncode == 0
    assert results(state) == whole


def test_a_line_that_a_crash_cut_short_is_made_again(tmp_path: Path) -> None:
    state, suite = tmp_path / "state", write_suite(tmp_path, {"questions": [0, 1]})
    assert evaluate(state, "run", suite).returncode == 0
    file = next(state.glob(f"evals/*/{RESULTS}"))
    whole = file.read_text()
    file.write_text(whole[:-200], encoding="utf-8")
    assert evaluate(state, "run", "--resume", "last").returncode == 0
    assert len(results(state)) == 2
    file.write_text(f"{{}}\n{whole}", encoding="utf-8")
    damaged = evaluate(state, "run", "--resume", "last")
    assert damaged.returncode == 2
    assert "line 1: not a result of a run" in " ".join(damaged.stderr.split())


def test_ctrl_c_leaves_a_usable_partial_report_and_nothing_running(tmp_path: Path) -> None:
    state, suite, file = tmp_path / "state", write_suite(tmp_path, *MANY), tmp_path / "part.json"
    process = start(state, "run", suite, "-j", 2, "--json", file)
    until(state, 1)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    report = json.loads(file.read_text())
    assert report["partial"]
    assert 1 <= len(report["results"]) < report["planned"] == 9
    assert "--resume" in said
    assert workers(state) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_with_a_card_up_leaves_no_process_and_no_file(
    tmp_path: Path, how: signal.Signals
) -> None:
    state, suite, room = tmp_path / "state", write_suite(tmp_path, {"manners": ["kill"]}), tmp_path / "room"
    room.mkdir()
    process = start(state, "run", suite, "-j", 1, TMPDIR=str(room))
    deadline = time.monotonic() + 60
    while not workers(state, b"opssquad.evals.child"):
        assert time.monotonic() < deadline, "no card comes"
        time.sleep(0.02)
    os.kill(process.pid, how)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while left := workers(state) + workers(state, b"opssquad.evals.child"):
        assert time.monotonic() < deadline, f"{left} are still running"
        time.sleep(0.1)
    assert list(room.iterdir()) == []


def test_a_worker_that_dies_loses_its_run_alone(tmp_path: Path) -> None:
    state, suite = tmp_path / "state", write_suite(tmp_path, *MANY)
    process = start(state, "run", suite, "-j", 1)
    until(state, 1)
    mine = workers(state)
    assert len(mine) == 1
    os.kill(mine[0], signal.SIGKILL)
    said, _ = process.communicate(timeout=90)
    assert process.returncode == 3, said
    states = [r["state"] for r in results(state)]
    assert states.count("broken") == 1
    assert states.count("run") == 8
    assert "process ended with -9" in said.replace("\n", " ")


def test_a_bug_in_a_worker_leaves_its_trace_in_a_file_and_none_on_the_screen(tmp_path: Path) -> None:
    state, suite = tmp_path / "state", write_suite(tmp_path, {})
    # What dies as a bug would let it: with a trace on standard error, and no answer.
    bug = "sys.stderr.write('Traceback: a bug'); sys.stderr.flush(); os._exit(1)"
    custom = f"import os, sys\nif 'opssquad.evals.worker' in sys.orig_argv: {bug}\n"
    (tmp_path / "sitecustomize.py").write_text(custom, encoding="utf-8")
    ended = evaluate(state, "run", suite, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT / 'src'}")
    assert "Traceback" not in ended.stdout + ended.stderr
    log = next(state.glob("evals/*/workers.log"))
    assert log.read_text().startswith("Traceback: a bug")
    assert str(log) in "".join((ended.stdout + ended.stderr).split())
    assert ended.returncode == 2, "a recording could not even be checked"


def test_a_full_disk_is_told_and_what_is_finished_is_kept(tmp_path: Path, small: Path) -> None:
    state, suite = small / "state", write_suite(tmp_path, *MANY)
    process = start(state, "run", suite, "-j", 1)
    until(state, 1)
    ballast = fill(small)
    said, _ = process.communicate(timeout=90)
    assert process.returncode == 2, said
    assert "No space left on device" in " ".join(said.split())
    assert "Traceback" not in said
    kept = [r["key"] for r in results(state)]
    assert kept
    ballast.unlink()
    ended = evaluate(state, "run", "--resume", "last")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [r["key"] for r in results(state)][: len(kept)] == kept
    assert len(results(state)) == 9


def test_a_run_is_not_gone_on_with_by_another_squad(tmp_path: Path) -> None:
    state, suite = tmp_path / "state", write_suite(tmp_path, {})
    assert evaluate(state, "run", suite).returncode == 0
    plan = next(state.glob("evals/*/plan.json"))
    changed = json.loads(plan.read_text())
    changed["versions"]["prompts"] = "000000000000"
    plan.write_text(json.dumps(changed), encoding="utf-8")
    ended = evaluate(state, "run", "--resume", "last")
    assert ended.returncode == 2
    assert "prompts changed since it began" in " ".join(ended.stderr.split())
    assert evaluate(state, "show", "last").returncode == 0, "what was found can be seen all the same"
