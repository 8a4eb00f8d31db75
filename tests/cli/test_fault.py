"""`opssquad fault`: the catalogue as a table and in words, why a past thread named a fault, sound files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opssquad import content
from opssquad.cli.app import run
from opssquad.findings import Action

Ran = tuple[int, str, str]
Run = Callable[..., Ran]
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "faults"
SQUADS = ROOT / "squads" / "k8s" / "faults.yaml"


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `opssquad` at 80 columns with nothing of this machine's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OPSSQUAD_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("OPSSQUAD_FAULTS", raising=False)
    capsys.readouterr()

    def ran(*words: str) -> Ran:
        code = run(words)
        out = capsys.readouterr()
        return code, out.out, out.err

    return ran


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, said: Run) -> Run:
    """The same with the documentation's example as the organisation's faults."""
    monkeypatch.setenv("OPSSQUAD_FAULTS", str(EXAMPLE))
    return said


def flat(text: str) -> str:
    return " ".join(text.split())


def as_json(ran: Ran) -> Any:
    code, out, err = ran
    assert (code, err) == (0, "")
    return json.loads(out)


def test_the_list_is_a_table_that_fits_the_screen(said: Run) -> None:
    code, out, err = said("fault", "list")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[0].split() == ["ID", "FAULT", "OPENED", "BY", "ACTIONS"]
    row = next(line for line in out.splitlines() if line.startswith("K14"))
    assert row.split("  ")[0] == "K14"
    assert flat(row) == "K14 scaled to zero workload.scaled_to_zero scale"


def test_every_fault_of_the_list_can_be_shown_within_the_screen(said: Run) -> None:
    listed = as_json(said("fault", "list", "--json"))["faults"]
    assert [row["id"] for row in listed][:3] == ["K01", "K02", "K03"]
    for row in listed:
        code, out, _ = said("fault", "show", row["id"])
        assert (code, out.split()[0]) == (0, row["id"])
        assert max(map(len, out.splitlines())) <= max(80, len(f"  Defined    {SQUADS}:999"))


def test_a_fault_is_shown_in_plain_words(said: Run) -> None:
    told = flat(said("fault", "show", "k12")[1])
    for words in (
        "K12 a ConfigMap or Secret was changed under running pods Opens config.changed Blamed the object",
        "For container.crash_loop, at what uses it, after it began (must be seen, called crash)",
        "log.parse_error, at what uses it (weight 2, called parse)",
        "Against container.oom_killed, at what uses it (weight 4)",
        'Looks logs(pod="{crash.owner.name}", namespace="{crash.owner.namespace}")',
        "Says {component} was edited at {anchor.at}",
        "Actions patch: Put {component} back to what it was",
        'set_config(name="{name}", namespace="{namespace}"',
        "escalate: Ask the owner of {component} for the right value Not rollback - no revision of",
        f"Defined {SQUADS}:",
    ):
        assert words in told
    assert "organisation" not in told
    assert "node.not_ready, anywhere (weight 2)" in flat(said("fault", "show", "K09")[1])
    assert "exit_code is not 137 and reason is not OOMKilled" in flat(said("fault", "show", "K01")[1])
    assert "container.exited (must not be seen)" in flat(said("fault", "show", "K24")[1])
    assert "this is no fault" in said("fault", "show", "Z2")[1]


def test_what_the_organisation_says_is_told_as_such(own: Run) -> None:
    text = flat(own("fault", "list")[1])
    file = EXAMPLE / "k8s.yaml"
    assert f"replaced by the organisation, {file}:" in text
    assert "switched off by the organisation: images come from a mirror on every node" in text
    assert f"the organisation's own, {file}:" in text
    by_id = {row["id"]: row for row in as_json(own("fault", "list", "--json"))["faults"]}
    assert by_id["K02"]["place"]["origin"] == "squad"
    assert by_id["ACME1"]["place"] | {"line": 0} == {
        "origin": "organisation", "file": str(file), "line": 0, "replaces": False, "off": ""}  # fmt: skip
    assert "the organisation's own" in own("fault", "show", "ACME1")[1]
    shown = as_json(own("fault", "show", "K03", "--json"))
    assert (shown["title"], shown["place"]["replaces"]) == ("the pull secret has run out", True)
    assert "switched off by the organisation: images come from" in flat(own("fault", "show", "K04")[1])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("list", "--json", "--markdown"), "--json and --markdown are two forms of one list"),
        (("show", "K1"), "no fault 'K1'; there is: K"),
        (("show", "oom"), "no fault 'oom'; there is: "),
        (("show", "K12", "--squad", "k9s"), "no squad 'k9s'; there is: k8s"),
        (("explain", "abc"), "no thread 'abc'; there are none yet"),
        (("lint", "absent/k8s.yaml"), "absent/k8s.yaml: this file is missing"),
        (
            ("lint", "faults.yaml"),
            "which squad is faults.yaml for? Say --squad NAME; there is: database, k8s",
        ),
    ],
)
def test_what_is_not_there_is_told_in_one_line_with_the_nearest(
    said: Run, words: tuple[str, ...], line: str
) -> None:
    code, out, err = said("fault", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line in err


def test_a_folder_of_faults_that_is_none_is_told(said: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSSQUAD_FAULTS", "/nowhere/faults")
    code, _, err = said("fault", "list")
    assert (code, err.count("\n")) == (2, 1)
    assert "OPSSQUAD_FAULTS: /nowhere/faults is no folder that can be read" in err


def test_the_usual_folder_is_taken_where_it_is_there(said: Run, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "opssquad" / "faults"
    folder.mkdir(parents=True)
    (folder / "k8s.yaml").write_text("faults: [{id: K14, off: true, reason: scaled by night}]")
    assert "switched off by the organisation: scaled by night" in flat(said("fault", "list")[1])


@pytest.fixture
def thread(said: Run) -> str:
    """A thread in which shop-0618 was asked about."""
    asked = as_json(said("ask", "--recording", "shop-0618", "--json", "why does checkout fail?"))
    return str(asked["thread"])


def test_a_past_thread_is_explained_with_the_evidence_that_it_cited(said: Run, thread: str) -> None:
    from opssquad.cli.looking import with_store
    from opssquad.cli.shared import Shared
    from opssquad.events import Concluded

    told = as_json(said("fault", "explain", thread, "--json"))
    leading = told["faults"][0]
    assert (leading["fault"], leading["standing"]) == ("K12", "listed")
    assert leading["component"] == "ConfigMap/shop/payments-config"
    events = with_store(Shared(), lambda store: store.events(thread))
    (conclusion,) = (event.conclusion for event in events if isinstance(event, Concluded))
    cited = {f.claim: [e.id for e in f.evidence] for c in conclusion.causes for f in c.findings}
    met = [seen for clause in leading["speaks_for"] for seen in clause["met"]]
    shown = {seen["text"]: seen["evidence"] for seen in [*leading["opened"], *met]}
    assert set(cited) <= set(shown)
    assert all({*ids} <= {*shown[claim]} for claim, ids in cited.items())
    assert [each["action"] for each in leading["inadmissible"]] == ["rollback", "restart"]


def test_one_fault_of_a_thread_says_why_it_did_not_count(said: Run, thread: str) -> None:
    told = flat(said("fault", "explain", thread, "K01")[1])
    assert "K01 a release crashes at start (possible, 0.00)" in told
    assert "Against log.parse_error (weight 2)" in told
    assert "Missing rollout.recent, before it began (weight 3) near: rollout.recent: cart revision 2" in told
    assert "it is about Deployment/shop/cart, not about Deployment/shop/payments" in told
    assert 'Look Check recent deployments in shop: changes(namespace="shop")' in told
    assert "K12" not in told


def test_a_fault_that_nothing_opened_says_what_would_have(said: Run, thread: str) -> None:
    told = flat(said("fault", "explain", thread, "k05")[1])
    assert "K05 memory limit below what the process needs (never opened) Opens container.oom_killed" in told
    found = as_json(said("fault", "explain", thread, "K05", "--json"))
    assert (found["asked"], found["faults"]) == ("K05", [])
    assert found["unopened"]["anchors"][0]["clause"] == "container.oom_killed"
    code, _, err = said("fault", "explain", thread, "K99")
    assert (code, err.count("\n")) == (2, 1)


def test_a_thread_that_was_handed_over_is_explained_with_the_faults_of_both_squads(said: Run) -> None:
    asked = as_json(said("ask", "--recording", "bieb-0128", "--json", "uitleen throws timeouts, why?"))
    told = as_json(said("fault", "explain", str(asked["thread"]), "--json"))
    assert (told["squad"], told["faults"][0]["fault"]) == ("k8s", "D03")
    thread = str(asked["thread"])
    assert "D03 a session holds a lock" in flat(said("fault", "explain", thread, "d03")[1])
    assert "K01" in said("fault", "explain", thread, "K01")[1]


def test_a_fault_that_is_off_is_not_explained_but_told(
    said: Run, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSSQUAD_FAULTS", str(EXAMPLE))
    told = flat(said("fault", "explain", thread, "K04")[1])
    assert "K04 is switched off by the organisation: images come from a mirror" in told


def test_what_does_not_help_stands_under_the_conclusion(said: Run) -> None:
    code, out, _ = said("ask", "--recording", "media-0702", "why can nobody watch anything?")
    assert code == 0
    assert "not: rollback - a revision is the template of pods;" in flat(out)


def test_what_is_in_force_is_linted_without_a_file(said: Run, own: Run) -> None:
    faults = SQUADS.read_text().count("\n  - id: ")
    others = (path / "faults.yaml" for name, path in content.squads().items() if name != "k8s")
    all_of_them = faults + sum(path.read_text().count("\n  - id: ") for path in others)
    assert said("fault", "lint") == (0, f"{all_of_them + 1} faults, nothing is wrong\n", "")
    assert said("fault", "lint", str(SQUADS)) == (0, f"{faults} faults, nothing is wrong\n", "")
    assert said("fault", "lint", str(EXAMPLE / "k8s.yaml"))[1] == "2 faults, nothing is wrong\n"


def test_what_is_wrong_is_told_with_its_place_and_exit_code_1(
    said: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    text = "faults:\n- {id: A1, title: t, anchor: [{signal: pod.evictd}], root_cause: '{nmae}'}\n"
    for name in ("databases", "k8s", "k9s"):
        (folder / f"{name}.yaml").write_text(text)
    monkeypatch.setenv("OPSSQUAD_FAULTS", str(folder))
    wrong = [
        f"{folder}/%s.yaml:2: A1.anchor[0].signal: no tool gives 'pod.evictd'; there is: pod.evicted",
        f"{folder}/%s.yaml:2: A1.root_cause: nothing fills {{nmae}}; there is: name",
    ]
    code, out, err = said("fault", "lint")
    assert (code, err) == (1, "")
    assert [line.partition(", ")[0] for line in out.splitlines()] == [
        *(line % "k8s" for line in wrong),
        f"{folder}/databases.yaml:1: nobody reads this: it is no squad's; there is: database.yaml",
        f"{folder}/k9s.yaml:1: nobody reads this: it is no squad's; there is: k8s.yaml",
    ]
    code, out, _ = said("fault", "lint", str(folder / "databases.yaml"), "--squad", "k8s")
    assert (code, [line.partition(", ")[0] for line in out.splitlines()]) == (
        1,
        [line % "databases" for line in wrong],
    )
    code, _, err = said("ask", "--recording", "auth-0308", "why?")
    assert (code, err.count("\n")) == (2, 1)
    assert f"{folder}/k8s.yaml, line 2: A1.root_cause: nothing fills {{nmae}}" in err


@pytest.mark.parametrize("id", sorted(content.recordings()))
def test_no_accepted_fix_of_a_recording_is_inadmissible_for_its_fault(said: Run, id: str) -> None:
    import yaml

    truth = yaml.safe_load((content.recordings()[id] / "truth.yaml").read_text())
    knowing = [
        squad
        for squad in ("k8s", "database")
        if truth["fault"]
        in {e["id"] for e in as_json(said("fault", "list", "--squad", squad, "--json"))["faults"]}
    ]
    if not knowing:
        pytest.skip(f"no catalogue has {truth['fault']}")
    shown = as_json(said("fault", "show", truth["fault"], "--squad", knowing[0], "--json"))
    refused: set[Action] = {
        each["action"]
        for each in shown["inadmissible"]
        if not each["target"] and not each["unless"] and not each["needs"]
    }
    assert refused.isdisjoint(each["action"] for each in truth["fix"]["accept"])
