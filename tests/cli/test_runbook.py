"""`opssquad runbook`: listed, shown, linted, and each walked over recordings of what it is for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opssquad import content
from opssquad.cli.app import run
from opssquad.cli.failures import INCONCLUSIVE, INTERNAL, OK, PENDING, USAGE
from opssquad.cli.render.runbooks import reflowed

Ran = tuple[int, str, str]
Run = Callable[..., Ran]
THEIRS = Path(__file__).resolve().parents[2] / "squads" / "k8s" / "runbooks"
IDS = ["crash-loop", "image-pull", "missing-config", "no-endpoints", "node-not-ready", "not-ready",
       "oom-killed", "pending", "stuck-rollout"]  # fmt: skip
CRASH = ("crash-loop", "-n", "haul", "--set", "name=pricing", "--recording", "haul-0914")


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `opssquad` at 80 columns with nothing of this machine's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OPSSQUAD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("OPSSQUAD_RUNBOOKS", "OPSSQUAD_FAULTS", "OPSSQUAD_MODEL", "OPSSQUAD_READ_ONLY"):
        monkeypatch.delenv(name, raising=False)
    capsys.readouterr()

    def ran(*words: str) -> Ran:
        code = run(words)
        out = capsys.readouterr()
        return code, out.out, out.err

    return ran


def flat(text: str) -> str:
    return " ".join(text.split())


def walked(said: Run, *words: str) -> tuple[int, Any]:
    """The exit code and the one object that a run prints."""
    code, out, err = said("runbook", "run", *words, "--json")
    assert err == ""
    return code, json.loads(out)


def test_the_list_names_each_with_the_faults_that_it_is_for(said: Run) -> None:
    code, out, err = said("runbook", "list", "--squad", "k8s")
    assert (code, err) == (OK, "")
    assert [line.split()[0] for line in out.splitlines() if line[0] != " "] == IDS
    assert max(map(len, out.splitlines())) <= 80
    rows = json.loads(said("runbook", "list", "--json")[1])["runbooks"]
    assert {row["id"]: row["faults"] for row in rows}["no-endpoints"] == ["N01", "K14"]


def test_each_can_be_shown_within_the_screen(said: Run) -> None:
    for id in IDS:
        code, out, _ = said("runbook", "show", id)
        assert (code, out.split()[0]) == (OK, id)
        long = [line for line in out.splitlines() if len(line) > 80]
        # A path, an address or a command is never torn.
        assert all(" " not in line.strip().removeprefix("Defined").strip()[80:] for line in long)
        sections = [name for name in ("Meaning", "Rollback", "Links") if f"\n{name}\n" in out]
        assert sections == ["Meaning", "Rollback", "Links"]


def test_one_is_shown_in_plain_words_with_how_it_is_run(said: Run) -> None:
    told = flat(said("runbook", "show", "no-endpoints")[1])
    for words in (
        "no-endpoints A Service has nothing behind it For N01, K14 Defined",
        "$ opssquad runbook run no-endpoints -n NAMESPACE --set name=NAME",
        "[steady state, before and after] does Service {name} have endpoints?",
        "expects service.no_endpoints is not seen",
        "service.no_endpoints where why is no_replicas is seen -> scaled-down",
        "[scale-up] scale {empty.owner.name} back to {scaled.from} (asks first)",
        "then -> stop if not -> scale-down",
    ):
        assert words in told
    shown = json.loads(said("runbook", "show", "no-endpoints", "--json")[1])
    assert [section["name"] for section in shown["sections"]][-1] == "Links"


def test_those_that_came_with_the_squad_are_sound(said: Run) -> None:
    count = sum(1 for name in content.squads() for _ in (content.squad(name) / "runbooks").glob("*.md"))
    assert said("runbook", "lint") == (OK, f"{count} runbooks, nothing is wrong\n", "")


def test_a_flaw_is_told_with_its_place_and_keeps_the_runbook_from_being_run(
    said: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (THEIRS / "crash-loop.md").read_text().replace("id: crash-loop", "id: ours", 1)
    path = tmp_path / "own" / "k8s" / "ours.md"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("tool: rollback\n", "tool: rolback\n", 1))
    (tmp_path / "own" / "k9s").mkdir()
    monkeypatch.setenv("OPSSQUAD_RUNBOOKS", str(tmp_path / "own"))
    line = path.read_text().splitlines().index("tool: rolback") + 1
    code, out, _ = said("runbook", "lint")
    assert code == INTERNAL
    assert f"{path}:{line}: go-back.tool: the squad has no tool 'rolback'; there is: rollback" in out
    assert f"{tmp_path / 'own' / 'k9s'}:1: nobody reads this" in out
    assert said("runbook", "lint", str(path))[1].startswith(f"{path}:{line}: go-back.tool")
    code, out, err = said("runbook", "run", "ours", *CRASH[1:])
    assert (code, out) == (USAGE, "")
    assert f"{path}, line {line}: go-back.tool: the squad has no tool 'rolback'" in flat(err)
    assert "the organisation's own" in said("runbook", "list")[1]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("show", "crashloop"), "no runbook 'crashloop'; there is: crash-loop"),
        (("list", "--squad", "k9s"), "no squad 'k9s'; there is: k8s"),
        (("run",), "give the ID of a runbook"),
        (("run", "pending", "--resume", "abc"), "give the ID of a runbook"),
        (("run", "--resume", "abc", "--set", "a=b"), "--set is for a new run"),
        (("run", "--resume", "abc"), "no thread 'abc'"),
        (("run", "pending", "-n", "x"), "pending needs name (the name of the workload): give --set name="),
        (("run", "pending", "--set", "name=x"), "needs namespace (the namespace of the workload): give --na"),
        (("run", "pending", "--set", "name"), "--set 'name': give NAME=VALUE"),
        (("run", "pending", "--set", "name=a", "--set", "name=b"), "--set name is given twice"),
        (("run", "pending", "-n", "x", "--set", "nam=a"), "no parameter 'nam'; it takes: namespace, name"),
        (("run", "pending", "-n", "x", "--set", "name=a\x1b[2J"), "give a name, at most 253 printable"),
        (("run", "pending", "-n", "x", "--set", "name=Bearer " + "eyJhbGciOiJI" * 4), "looks like a secret"),
        (("lint", "k8s/absent.md"), "k8s/absent.md: this file is missing"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_meant_is_told_in_one_line(
    said: Run, words: tuple[str, ...], line: str
) -> None:
    code, out, err = said("runbook", *words)
    assert (code, out) == (USAGE, "")
    assert line in flat(err)
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("id", "recording", "namespace", "name", "fault", "act"),
    [
        ("crash-loop", "auth-0308", "authentication", "auth-service", "K01", "rollback"),
        ("crash-loop", "haul-0914", "haul", "pricing", "K01", "rollback"),
        ("image-pull", "haul-1130", "haul", "edge", "K02", "rollback"),
        ("image-pull", "ward-0202", "diagnostics", "lab-intake", "K02", "rollback"),
        ("oom-killed", "haul-0921", "haul", "planner", "K05", "rollback"),
        ("oom-killed", "media-0519", "streaming", "recommender", "K05", "rollback"),
        ("pending", "haul-1221", "haul", "planner", "K16", "rollback"),
        ("not-ready", "media-0606", "streaming", "title-api", "K09", "rollback"),
        ("not-ready", "ward-0126", "diagnostics", "imaging-gateway", "K08", "rollback"),
        ("no-endpoints", "haul-1102", "haul", "planner", "K14", "scale"),
        ("stuck-rollout", "shop-0709", "shop", "inventory", "K16", "rollback"),
        ("missing-config", "shop-0503", "shop", "catalog", "K11", "rollback"),
    ],
)
def test_an_incident_that_it_is_for_is_found_and_mended(
    said: Run, id: str, recording: str, namespace: str, name: str, fault: str, act: str
) -> None:
    where = ("-n", namespace, "--set", f"name={name}", "--recording", recording)
    code, told = walked(said, id, *where, "--approve", "all")
    assert (code, told["walk"]["ended"]) == (OK, "mended"), told["walk"]
    report = told["report"]
    assert [cause["fault"] for cause in report["conclusion"]["causes"]] == [fault]
    assert [(a["tool"], a["decision"], a["verify"]) for a in report["actions"]] == [
        (act, "approved", "better")
    ]
    steps = told["walk"]["steps"]
    assert (steps[0]["step"], steps[0]["outcome"]) == ("before", "not as expected")
    assert (steps[-1]["step"], steps[-1]["outcome"]) == ("after", "as expected")
    assert steps[0]["evidence"]


@pytest.mark.parametrize(
    ("id", "recording", "namespace", "name", "component", "left"),
    [
        ("pending", "media-0715", "streaming", "profile", "team-compute", "have who set ResourceQuota"),
        ("no-endpoints", "haul-1116", "haul", "pricing", "pricing", "kubectl -n haul edit service pricing"),
        ("no-endpoints", "ward-0316", "clinical", "patients", "patients", "set the selector of Service pat"),
        ("crash-loop", "haul-1019", "haul", "pricing", "pricing-rules", "put it back to what it was"),
    ],
)  # fmt: skip
def test_what_is_not_ours_to_mend_is_left_to_people_and_said(
    said: Run, id: str, recording: str, namespace: str, name: str, component: str, left: str
) -> None:
    where = ("-n", namespace, "--set", f"name={name}", "--recording", recording)
    code, told = walked(said, id, *where, "--approve", "all")
    assert (code, told["walk"]["ended"], told["report"]["actions"]) == (INCONCLUSIVE, "broken", [])
    assert left in told["walk"]["left"][0]
    assert [c["component"]["name"] for c in told["report"]["conclusion"]["causes"]] == [component]


def test_a_node_is_closed_and_its_machine_left_to_whom_it_belongs(said: Run) -> None:
    code, out, _ = said(
        "runbook",
        "run",
        "node-not-ready",
        "--set",
        "name=nl-node-02",
        "--recording",
        "media-0728",
        "--approve",
        "all",
    )
    told = flat(out)
    assert code == INCONCLUSIVE
    assert "A change was made, and the steady state is broken." in told
    assert '- done: cordon(node="nl-node-02") (better' in told
    assert "- left: nl-node-02 is closed, and still does not answer: have the machine restored" in told
    assert "Node nl-node-02 (likely): Node nl-node-02 does not answer since 18:21 UTC" in told
    # What is done is not offered once more.
    assert "1. Have the machine of nl-node-02 restored" in told


@pytest.mark.parametrize(
    ("recording", "namespace", "name"), [("haul-1214", "haul", "pricing"), ("haul-1130", "haul", "positions")]
)
def test_what_is_not_broken_is_left_alone(said: Run, recording: str, namespace: str, name: str) -> None:
    where = ("-n", namespace, "--set", f"name={name}", "--recording", recording)
    code, out, _ = said("runbook", "run", "crash-loop", *where, "--approve", "all")
    assert code == OK
    told = flat(out)
    assert "No fault found Nothing was found, and nothing was done." in told
    assert f"looked at with health: is any container of {name} crashing? Cluster " in told


def test_without_a_terminal_a_card_waits_and_the_run_goes_on_once_it_is_approved(said: Run) -> None:
    code, out, _ = said("runbook", "run", *CRASH)
    assert code == PENDING
    shown = [line.strip().removeprefix("$ ").split()[1:] for line in out.splitlines() if "$ opssquad" in line]
    approve, resume = shown
    assert (approve[:2], resume[:3]) == (["approvals", "approve"], ["runbook", "run", "--resume"])
    thread = resume[3]
    assert said(*resume)[0] == PENDING
    assert said(*approve)[0] == OK
    # The line that the approval itself prints goes on with the runbook, too.
    code, out, _ = said("ask", "--resume", thread)
    assert (code, "The steady state was broken and holds again." in flat(out)) == (OK, True)
    code, told = walked(said, "--resume", thread)
    assert (code, told["walk"]["ended"]) == (OK, "mended")
    timeline = flat(said("incident", "show", thread)[1])
    assert timeline.count("Done: kubectl -n haul rollout undo deployment/pricing") == 1
    assert "asked: runbook crash-loop for namespace haul, name pricing, kind Deployment" in timeline
    lines = json.loads("[" + ",".join(said("audit", "export", "--thread", thread)[1].splitlines()) + "]")
    whys = [line["why"] for line in lines if line.get("tool") == "logs"]
    assert any("Step last-words: what does pricing log before it ends?" in why for why in whys)
    assert said("audit", "verify")[0] == OK


def test_a_file_that_changes_meanwhile_is_not_walked_on(
    said: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own" / "k8s" / "ours.md"
    path.parent.mkdir(parents=True)
    path.write_text((THEIRS / "crash-loop.md").read_text().replace("id: crash-loop", "id: ours", 1))
    monkeypatch.setenv("OPSSQUAD_RUNBOOKS", str(tmp_path / "own"))
    code, out, _ = said("runbook", "run", "ours", *CRASH[1:])
    assert code == PENDING
    thread = out.rpartition("--resume ")[2].strip()
    path.write_text(path.read_text() + "\nmore\n")
    card = next(word for word in out.split() if word.startswith("a-"))
    said("approvals", "refuse", card)
    code, out, _ = said("runbook", "run", "--resume", thread)
    assert code == INCONCLUSIVE
    assert "is not what it was when this run began; run it anew" in flat(out)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--approve", "never"), "refused by --approve never"),
        (("--read-only",), "rollback is not among the tools of this conversation"),
        (("--suggest-only",), "suggested, not done"),
    ],
)
def test_what_may_not_be_done_is_not_done_and_said(said: Run, options: tuple[str, ...], left: str) -> None:
    code, told = walked(said, *CRASH, *options)
    assert (code, told["walk"]["ended"]) == (INCONCLUSIVE, "broken")
    assert left in told["walk"]["left"][0]
    assert all(action["status"] == "refused" for action in told["report"]["actions"])


def test_a_thread_without_a_runbook_is_none_to_resume_as_one(said: Run) -> None:
    _, out, _ = said("ask", "why does pricing crash?", "--recording", "haul-0914", "--json")
    found = json.loads(out)
    assert found["conclusion"]["causes"][0]["runbooks"] == ["crash-loop"]
    code, _, err = said("runbook", "run", "--resume", found["thread"])
    assert (code, f"thread {found['thread']} runs no runbook" in flat(err)) == (USAGE, True)


def test_a_conclusion_points_to_the_runbook_for_its_fault(said: Run) -> None:
    _, out, _ = said("ask", "why is there no planner?", "-n", "haul", "--recording", "haul-1102")
    assert "    runbook: opssquad runbook show no-endpoints\n" in out


def test_prose_is_folded_anew_and_lists_and_code_are_not() -> None:
    text = "One\ntwo.\n\n- a\n  b\n- c\n\n```\nx\ny\n```\nand\nso"
    assert reflowed(text) == "One two.\n\n- a b\n- c\n\n```\nx\ny\n```\nand so"
