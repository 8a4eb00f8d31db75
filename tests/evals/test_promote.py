"""A team's whole path, with the real program: a night on call, the capture, a verdict, a case, its score."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from opssquad import content
from opssquad.evals.promoting import proof
from opssquad.findings import Evidence
from tests.cli.test_recording import OPSSQUAD, environment, run

QUESTION = "product pages are broken, why?"


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    """A live cluster: the home of who is on call there, its kubeconfig, and the incident that was held."""
    home = tmp_path_factory.mktemp("night")
    line = [*OPSSQUAD, "recording", "serve", "shop-0503"]
    with subprocess.Popen(line, env=environment(home), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        kubeconfig = process.stdout.readline().strip().removeprefix("KUBECONFIG=")
        asked = run(home, "ask", QUESTION, "--json", KUBECONFIG=kubeconfig)
        assert asked.returncode == 0, asked.stderr
        taken = run(
            home, "recording", "capture", "-n", "shop", "--out", str(home / "cap"), KUBECONFIG=kubeconfig
        )
        assert taken.returncode == 0, taken.stderr
        yield home, kubeconfig, json.loads(asked.stdout)["thread"]
        process.kill()


@pytest.fixture
def verdict(night: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The drafted verdict, in the folder in which it was drafted."""
    home, _, incident = night
    monkeypatch.chdir(tmp_path)
    drafted = run(home, "eval", "promote", incident)
    assert drafted.returncode == 0, drafted.stderr
    return tmp_path / f"{incident}-verdict.yaml"


def signed(verdict: Path, **changed: Any) -> Path:
    """The verdict as somebody mends it and puts a name to it."""
    told = yaml.safe_load(verdict.read_text(encoding="utf-8"))
    told |= {"confirmed_by": "Ada", "distractors": ["payments-config was edited in the morning"]}
    verdict.write_text(yaml.safe_dump(told | changed), encoding="utf-8")
    return verdict


def test_a_night_on_call_becomes_a_case_that_scores(
    night: tuple[Path, str, str], verdict: Path, tmp_path: Path
) -> None:
    home, _, incident = night
    signed(verdict)
    given = ("--capture", str(home / "cap"), "--out", str(tmp_path / "mine"))
    made = run(home, "eval", "promote", incident, "--verdict", str(verdict), *given)
    assert made.returncode == 0, made.stdout + made.stderr
    truth = yaml.safe_load((tmp_path / "mine" / "truth.yaml").read_text(encoding="utf-8"))
    assert (truth["fault"], truth["component"]["name"]) == ("K11", "catalog")
    assert truth["notes"] == f"Verdict of Ada on incident {incident}."
    incident_file = yaml.safe_load((tmp_path / "mine" / "incident.yaml").read_text(encoding="utf-8"))
    assert incident_file["id"] == "mine"
    assert incident_file["questions"][0] == QUESTION
    suite = {"name": "own", "version": 1, "cases": [{"recording": "mine", "manners": ["ask", "approve"]}]}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    scored = run(home, "eval", "run", str(tmp_path / "own.yaml"), "--json", str(tmp_path / "r.json"))
    assert scored.returncode == 0, scored.stdout + scored.stderr
    scores = [r["score"] for r in json.loads((tmp_path / "r.json").read_text())["results"]]
    assert [(s["joint"], s["evidence"]) for s in scores] == [(True, 1.0), (True, 1.0)]


def test_a_draft_without_a_name_is_no_verdict(
    night: tuple[Path, str, str], verdict: Path, tmp_path: Path
) -> None:
    home, _, incident = night
    given = ("--capture", str(home / "cap"), "--out", str(tmp_path / "mine"))
    ended = run(home, "eval", "promote", incident, "--verdict", str(verdict), *given)
    assert ended.returncode == 2
    assert "confirmed_by" in ended.stderr
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"evidence": ["e1", "e999"]}, "evidence[1]: incident"),
        ({"evidence": ["e1"]}, "evidence:"),
        ({"fault": "X1"}, "fault:"),
        ({"component": "catalog"}, "component:"),
        ({"accept": []}, "accept:"),
        ({"cause": "it"}, "cause: unknown key"),
    ],
)
def test_what_is_wrong_with_a_verdict_is_one_line(
    night: tuple[Path, str, str], verdict: Path, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    home, _, incident = night
    signed(verdict, **changed)
    given = ("--capture", str(home / "cap"), "--out", str(tmp_path / "mine"))
    ended = run(home, "eval", "promote", incident, "--verdict", str(verdict), *given)
    assert ended.returncode == 2
    assert f"{verdict.name}" in ended.stderr.replace("\n", "")
    assert said in ended.stderr
    assert not (tmp_path / "mine").exists()


def test_what_is_missing_or_there_already_is_said(
    night: tuple[Path, str, str], verdict: Path, tmp_path: Path
) -> None:
    home, _, incident = night
    again = run(home, "eval", "promote", incident)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    bare = run(home, "eval", "promote", incident, "--verdict", str(signed(verdict)))
    assert bare.returncode == 2
    assert "--capture" in bare.stderr
    there = run(
        home, "eval", "promote", incident, "--verdict", str(verdict),
        "--capture", str(home / "cap"), "--out", str(tmp_path),
    )  # fmt: skip
    assert there.returncode == 2
    assert "is not empty" in there.stderr
    unknown = run(home, "eval", "promote", "zzzzzz")
    assert unknown.returncode == 2


@pytest.mark.parametrize(
    ("locator", "text", "expected"),
    [
        ("log shop/a-1/app previous", "boom", ("log", "logs/shop/a-1/app.previous.log", "boom")),
        ("log shop/a-1/app", "boom", ("log", "logs/shop/a-1/app.log", "boom")),
        ("Event Pod/shop/a-1", "BackOff: Back-off: x", ("event", "Pod/shop/a-1", "Back-off: x")),
        ("Pod/shop/a-1 status", '"reason":"Error"', ("object", "Pod/shop/a-1", '"reason":"Error"')),
    ],
)
def test_a_citation_becomes_a_piece_of_the_truth(
    locator: str, text: str, expected: tuple[str, str, str]
) -> None:
    found = proof(Evidence(id="e1", call="c", locator=locator, text=text))
    assert (found.kind, found.where, found.contains) == expected


def test_an_act_of_a_database_is_drafted_as_what_a_lint_can_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = run(tmp_path, "ask", "everything hangs, why?", "--recording", "shop-db-11", "--json")
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path, "eval", "promote", json.loads(asked.stdout)["thread"]).returncode == 0
    (drafted,) = tmp_path.glob("*-verdict.yaml")
    accepted = yaml.safe_load(drafted.read_text(encoding="utf-8"))["accept"]
    acts = [each["detail"] for each in accepted if each["action"] == "sql"]
    assert acts
    assert set(acts) <= content.all_tools().keys()
