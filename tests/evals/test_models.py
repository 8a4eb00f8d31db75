"""Suites with language models: several in one run, endpoints that fail, what is sent and what is recorded.

The models are stubs behind a real HTTP endpoint; everything else is the real program.
"""

import json
import re
import socket
from pathlib import Path
from typing import Any

from opssquad.evals.versions import digest_of
from tests.evals.program import evaluate, write_suite
from tests.stub_model import Json, Reply, call, served, text

LOOK = call("health", namespace="authentication")


def conclude(asked: Json) -> Json:
    """Conclude with evidence that the ledger of this very run offers."""
    ledger = asked["messages"][-1]["content"]
    service = "Deployment/authentication/auth-service"
    cause = {"component": service, "fault": "K01", "root_cause": "v2.4.1 crashes at boot"}
    cited = re.findall(r"\be\d+\b", ledger)[:6]
    undo = {"label": "roll back", "action": "rollback", "target": service, "tool": "rollback"}
    args = {"deployment": "auth-service", "namespace": "authentication"}
    return call("conclude", causes=[{**cause, "evidence": cited}], options=[{**undo, "args": args}])


def wrong(asked: Json) -> Json:
    """The same with another component."""
    reply = conclude(asked)
    function = reply["message"]["tool_calls"][0]["function"]
    function["arguments"] = function["arguments"].replace("/auth-service", "/api-gateway")
    return reply


def run(tmp_path: Path, replies: list[Reply], *given: object) -> tuple[int, dict[str, Any], str, list[Json]]:
    """Play auth-0308 with a model `stub`; gives exit code, report, what was printed, what was asked."""
    suite, file = write_suite(tmp_path, {}), tmp_path / "report.json"
    with served(replies) as stub:
        ended = evaluate(
            tmp_path / "state", "run", suite, "--model", "stub", "--json", file, *given,
            OPENAI_BASE_URL=stub.url, OPENAI_API_KEY="sk-nobody",
        )  # fmt: skip
        asked = list(stub.asked)
    assert file.is_file(), ended.stderr
    return ended.returncode, json.loads(file.read_text()), ended.stdout, asked


def test_a_model_that_finds_it_is_scored_and_counted(tmp_path: Path) -> None:
    code, report, _, _ = run(tmp_path, [LOOK, conclude])
    score = report["results"][0]["score"]
    assert code == 0
    assert (score["joint"], score["component"], score["fault"], score["action"]) == (True,) * 4
    assert score["tokens"] == 220, "two replies, each counted by the endpoint as 100 and 10"
    assert score["money"] is None, "the suite knows no price of it"
    assert score["evidence"] > 0


def test_a_model_that_blames_another_is_wrong_and_does_harm_where_the_truth_says_so(tmp_path: Path) -> None:
    code, report, said, _ = run(tmp_path, [LOOK, wrong])
    score = report["results"][0]["score"]
    assert not score["joint"]
    assert score["overblamed"] == ["Deployment/authentication/api-gateway K01"]
    assert score["proposed"] == ["rollback Deployment/authentication/api-gateway"]
    assert code == 0, "what was only proposed is in the report; thresholds decide"
    assert "api-gateway" in said


def test_a_model_that_never_concludes_is_wrong_and_nobody_answers_for_it(tmp_path: Path) -> None:
    _, report, _, _ = run(tmp_path, [text("Hm.")])
    result = report["results"][0]
    assert result["state"] == "run"
    assert result["score"]["joint"] is False
    assert result["score"]["abstained"] == "wrong"
    assert {c["tool"] for c in result["transcript"]["looks"]} == set(), "the offline model did not take over"


def test_an_endpoint_that_refuses_is_not_a_wrong_answer(tmp_path: Path) -> None:
    suite, file = write_suite(tmp_path, {"questions": [0, 1]}), tmp_path / "r.json"
    ended = evaluate(
        tmp_path / "state", "run", suite, "--model", "offline", "--model", "gone", "--json", file,
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
    )  # fmt: skip
    assert ended.returncode == 3, ended.stdout + ended.stderr
    states = {(r["model"], r["state"]) for r in json.loads(file.read_text())["results"]}
    assert states == {("offline", "run"), ("gone", "not_run")}
    assert "127.0.0.1:9" in ended.stdout
    assert "2 of 2" in " ".join(ended.stdout.split())


def dead(asked: Json) -> Json:
    """An endpoint that fails from here on: its server answers 500."""
    raise ConnectionError("gone")


def test_an_endpoint_that_dies_half_way_loses_what_it_failed_and_no_more(tmp_path: Path) -> None:
    suite, file = write_suite(tmp_path, {"questions": [0, 1]}), tmp_path / "r.json"
    given = ["run", suite, "--model", "stub", "-j", 1, "--json", file]
    with served([LOOK, conclude, dead]) as stub:
        ended = evaluate(tmp_path / "state", *given, OPENAI_BASE_URL=stub.url)
    results = json.loads(file.read_text())["results"]
    assert ended.returncode == 3
    assert [r["state"] for r in results] == ["run", "not_run"]
    assert results[0]["score"]["joint"]
    assert "500" in results[1]["error"]
    assert "1 of 1" in " ".join(ended.stdout.split()), "the run that was not made is in no share"


def test_what_failed_at_the_endpoint_is_made_again_when_the_run_goes_on(tmp_path: Path) -> None:
    suite, state, file = write_suite(tmp_path, {}), tmp_path / "state", tmp_path / "r.json"
    gone = evaluate(
        state, "run", suite, "--model", "stub", "--json", file, OPENAI_BASE_URL="http://127.0.0.1:9/v1"
    )
    assert gone.returncode == 3
    with served([LOOK, conclude]) as stub:
        again = evaluate(state, "run", "--resume", "last", "--json", file, OPENAI_BASE_URL=stub.url)
    assert again.returncode == 0, again.stdout + again.stderr
    results = json.loads(file.read_text())["results"]
    assert [(r["state"], r["score"]["joint"]) for r in results] == [("run", True)]


def test_seed_and_temperature_are_sent_and_recorded(tmp_path: Path) -> None:
    _, report, _, asked = run(tmp_path, [LOOK, conclude], "--seed", 7, "--temperature", 0.2)
    assert {(a["seed"], a["temperature"]) for a in asked} == {(7, 0.2)}
    assert report["settings"] == {"stub": {"temperature": 0.2, "seed": 7}}
    assert {"prompts", "tools", "squad k8s", "opssquad", "openai"} <= set(report["versions"])


def test_without_them_nothing_of_the_kind_is_sent(tmp_path: Path) -> None:
    _, report, _, asked = run(tmp_path, [LOOK, conclude])
    assert all("seed" not in a and "temperature" not in a for a in asked)
    assert report["settings"] == {"stub": {}}


def test_two_models_of_one_run_are_compared(tmp_path: Path) -> None:
    _, _, said, _ = run(tmp_path, [LOOK, wrong], "--model", "offline")
    assert "offline against stub" in said
    assert "joint 0 % -> 100 %" in said
    assert "too few recordings to tell" in said


def test_a_change_that_a_model_asks_for_unasked_is_refused_where_only_the_diagnosis_is_wanted(
    tmp_path: Path,
) -> None:
    rollback = call("rollback", deployment="auth-service", namespace="authentication")
    _, report, _, _ = run(tmp_path, [LOOK, rollback, conclude])
    result = report["results"][0]
    assert [a["decision"] for a in result["transcript"]["acts"]] == ["refused"]
    assert not result["end"]["touched"]
    assert result["score"]["misbehaved"] == []


def test_a_judge_is_asked_apart_and_changes_no_score(tmp_path: Path) -> None:
    suite, file = write_suite(tmp_path, {"questions": [0, 1]}), tmp_path / "r.json"
    with served([text("different: it is another reason entirely"), text("I cannot say.")]) as stub:
        ended = evaluate(
            tmp_path / "state", "run", suite, "--judge", "wise", "-j", 1, "--json", file,
            OPENAI_BASE_URL=stub.url,
        )  # fmt: skip
        asked = list(stub.asked)
    assert ended.returncode == 0, ended.stderr
    report = json.loads(file.read_text())
    assert [r["score"]["joint"] for r in report["results"]] == [True, True]
    opinions = report["judged"]["opinions"]
    assert [o["same"] for o in opinions] == [False, None]
    assert opinions[0]["why"] == "it is another reason entirely"
    assert "not a verdict" in opinions[1]["why"]
    truth = report["results"][0]["expected"]["root_cause"]
    assert truth.replace(">", "›") in asked[0]["messages"][-1]["content"], "nothing in it ends the marks"
    assert "wise" in ended.stdout


def test_a_judge_from_which_names_are_hidden_is_not_asked(tmp_path: Path) -> None:
    redaction = tmp_path / "redaction.yaml"
    redaction.write_text("mask:\n  names: true\n", encoding="utf-8")
    ended = evaluate(
        tmp_path / "state", "run", write_suite(tmp_path, {}), "--judge", "wise",
        OPENAI_BASE_URL="http://model.example/v1", OPSSQUAD_REDACTION=str(redaction),
    )  # fmt: skip
    assert ended.returncode == 2
    assert "names are masked from it" in " ".join(ended.stderr.split())


def test_an_endpoint_that_never_answers_is_no_wrong_answer_either(tmp_path: Path) -> None:
    # Long enough for another process to start and ask, also on a machine that is busy.
    suite, file = write_suite(tmp_path, {"seconds": 12, "manners": ["ask", "kill"]}), tmp_path / "r.json"
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        ended = evaluate(
            tmp_path / "state", "run", suite, "--model", "deaf", "-j", 2, "--json", file,
            OPENAI_BASE_URL=f"http://127.0.0.1:{deaf.getsockname()[1]}/v1",
        )  # fmt: skip
    assert ended.returncode == 3, ended.stdout + ended.stderr
    results = json.loads(file.read_text())["results"]
    assert [r["state"] for r in results] == ["not_run"] * 2
    assert "nothing came back in the 12 s" in results[0]["error"]


def test_the_organisations_faults_are_known_in_a_suite_and_their_digest_is_kept(tmp_path: Path) -> None:
    folder, suite, file = tmp_path / "faults", write_suite(tmp_path, {}), tmp_path / "r.json"
    folder.mkdir()
    own = folder / "k8s.yaml"
    own.write_text("faults: [{id: K01, off: true, reason: to see that it is missed}]\n", encoding="utf-8")
    ended = evaluate(tmp_path / "state", "run", suite, "--json", file, OPSSQUAD_FAULTS=str(folder))
    assert file.is_file(), ended.stderr
    report = json.loads(file.read_text())
    assert report["versions"]["faults k8s"] == digest_of(own)
    assert not report["results"][0]["score"]["fault"]


def test_what_the_organisation_hides_is_hidden_from_the_models_of_a_suite(tmp_path: Path) -> None:
    own = tmp_path / "redaction.yaml"
    own.write_text("mask: {names: true}\n", encoding="utf-8")
    suite, file = write_suite(tmp_path, {}), tmp_path / "r.json"
    with served([LOOK, text("Hm.")]) as stub:
        ended = evaluate(
            tmp_path / "state", "run", suite, "--model", "stub", "--json", file,
            OPENAI_BASE_URL=stub.url, OPSSQUAD_REDACTION=str(own),
        )  # fmt: skip
        asked = json.dumps(stub.asked)
    assert file.is_file(), ended.stderr
    assert "auth-service" not in asked
    assert "name-1" in asked
    assert "redaction" in json.loads(file.read_text())["versions"]
