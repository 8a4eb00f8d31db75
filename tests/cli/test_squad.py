"""`opssquad squad` and `opssquad schema`: squads of one's own begun, linted, shown and talked with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from opssquad import content
from opssquad.cli.app import run
from opssquad.cli.failures import INTERNAL, OK, USAGE
from opssquad.investigation.options import Options
from opssquad.investigation.run import Investigation
from tests.extensions.conftest import own
from tests.squad.own_squads import line_of, squad

__all__ = ["own"]
Ran = tuple[int, str, str]
Said = Callable[..., Ran]
SHOP = "extends: k8s\ntitle: The shop\n"


@pytest.fixture
def said(own: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    """Runs a command; its exit code and what it printed, each space alike."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("OPSSQUAD_POLICY", "OPSSQUAD_MODEL", "OPSSQUAD_READ_ONLY", "OPSSQUAD_FAULTS"):
        monkeypatch.delenv(name, raising=False)

    def ran(*argv: str) -> Ran:
        code = run([*argv, "--no-color"])
        told = capfd.readouterr()
        return code, " ".join(told.out.split()), " ".join(told.err.split())

    return ran


def has(out: str, part: str) -> bool:
    """Whether it was printed, wherever a screen breaks it."""
    return "".join(part.split()) in "".join(out.split())


@pytest.mark.parametrize(
    ("name", "more"), [("till", ["--extends", "k8s"]), ("queues", []), ("k8s", ["--extends", "k8s"])]
)
def test_a_new_squad_is_sound_and_can_be_shown(said: Said, own: Path, name: str, more: list[str]) -> None:
    code, out, _ = said("squad", "new", name, *more)
    folder = own / "squads" / name
    assert code == OK
    assert f"written: {folder / 'squad.yaml'}" in out
    assert f"opssquad squad lint {name}" in out
    assert said("squad", "lint", name) == (OK, "1 squad, nothing is wrong", "")
    code, out, _ = said("squad", "show", name, "--json")
    sheet = json.loads(out)
    assert (code, sheet["name"]) == (OK, name)
    assert str(folder) in sheet["files"]
    before = (folder / "squad.yaml").read_text()
    code, _, err = said("squad", "new", name, *more)
    assert (code, f"squad {name!r} is there already: {folder}" in err) == (USAGE, True)
    assert (folder / "squad.yaml").read_text() == before


def test_a_new_squad_of_the_project_is_trusted_with_it(said: Said, own: Path, tmp_path: Path) -> None:
    code, _, _ = said("squad", "new", "till", "--extends", "k8s", "--project")
    assert (code, (tmp_path / "work" / "opssquad" / "squads" / "till" / "squad.yaml").is_file()) == (OK, True)
    assert "till" in said("squad", "list")[1]


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["till", "--extends", "k8"], "no squad 'k8'; there is: k8s"),
        (["k8s"], "'k8s' is one of ours; to amend it: opssquad squad new k8s --extends k8s"),
        (["../up"], "a squad's name has letters, digits, - and _"),
    ],
)
def test_what_cannot_be_begun_writes_nothing(said: Said, own: Path, argv: list[str], why: str) -> None:
    code, _, err = said("squad", "new", *argv)
    assert (code, why in err) == (USAGE, True)
    assert not (own / "squads").exists()


def test_a_broken_squad_is_told_wherever_it_matters_and_others_work(said: Said, own: Path) -> None:
    folder = squad(own, "bad", "extends: k8s\ntool: [ping]\n")
    squad(own, "good", SHOP)
    line = f"{folder / 'squad.yaml'}:2: tool: unknown key; did you mean 'tools'?"
    code, out, _ = said("squad", "list")
    assert (code, has(out, f"left out: {line}"), "The shop" in out) == (OK, True, True)
    assert said("squad", "lint") == (INTERNAL, line, "")
    assert said("squad", "lint", "good")[0] == OK
    for argv in (["squad", "show", "bad"], ["chat", "--squad", "bad", "--recording", "haul-0914"]):
        code, _, err = said(*argv)
        assert (code, line in err) == (USAGE, True)
    _, out, _ = said("ask", "what is wrong?", "--squad", "good", "--recording", "haul-0914")
    assert has(out, f"left out: {line}")


def test_lint_looks_at_every_file_of_a_squad(said: Said, own: Path) -> None:
    ways = "hands_over: [{to: databse, when: [{signal: log.database}], why: x}]\n"
    folder = squad(
        own, "shop", f"{SHOP}{ways}",
        faults="faults: [{id: S1, title: x, anchor: [{signal: log.databse}], root_cause: y}]\n",
        policy="rules:\n- {name: x, tool: restrat, verdict: refuse, reason: y}\n",
        book_x="---\nid: y\n---\n",
    )  # fmt: skip
    code, out, _ = said("squad", "lint", "shop")
    assert code == INTERNAL
    where = folder / "squad.yaml"
    assert f"{where}:{line_of(where, 'databse')}: hands_over: no squad 'databse'; there is: database" in out
    for file, part in (("faults.yaml:1", "no tool gives 'log.databse'"), ("policy.yaml:2", "restrat"),
                       ("runbooks/x.md:2", "title: is missing")):  # fmt: skip
        assert f"{folder / file}: " in out
        assert part in out


def test_the_sheet_says_what_policy_makes_of_each_change_and_what_that_takes(said: Said, own: Path) -> None:
    (own / "tools" / "freeze.py").write_text(
        "from opssquad import tool\n\n@tool(effect='mutate', irreversible='mail is out', squads=['shop'])\n"
        "def freeze(service: str) -> str:\n    \"\"\"Freeze a service.\"\"\"\n    return service\n\n"
        "@freeze.preview\ndef _(service: str) -> str:\n    return service\n\n"
        "@freeze.verify\ndef _(service: str) -> bool:\n    return True\n"
    )  # fmt: skip
    folder = squad(
        own, "shop", SHOP,
        policy="rules:\n"
        "- {name: two eyes, tool: scale, verdict: ask, approvers: 2, requester_may_approve: false}\n"
        "- {name: no patches, tool: patch, verdict: refuse, reason: by hand}\n",
        faults="faults: [{id: K14, off: true, reason: by night}]\n",
    )  # fmt: skip
    _, out, _ = said("squad", "show", "shop", "--json")
    sheet = json.loads(out)
    tools = {tool["name"]: tool for tool in sheet["tools"]}
    assert tools["scale"]["needs"] == "2 approvers, not who asked for it"
    assert (tools["patch"]["verdict"], tools["patch"]["reason"]) == ("refuse", "by hand")
    assert tools["freeze"]["undo"] == "it cannot be undone: mail is out"
    assert (tools["freeze"]["source"], tools["freeze"]["verdict"]) == ("user", "ask")
    assert {tools[name]["verdict"] for name in ("find", "logs", "kubectl")} == {"allow"}
    off = next(fault for fault in sheet["faults"] if fault["id"] == "K14")
    assert off["off"] == "by night"
    assert {"metadata of clouds", "everything else"} <= {rule["what"] for rule in sheet["destinations"]}
    assert (sheet["stands_on"], sheet["limits"]["calls_hard"]) == (["k8s"], 25)
    assert {way["to"] for way in sheet["hands_over"]} == {"database", "network"}
    assert sheet["tokens"] < 4000
    _, text, _ = said("squad", "show", "shop")
    for part in (
        "2 approvers, not who asked for it",
        "it cannot be undone: mail is out",
        "off: by night",
        str(folder),
    ):
        assert has(text, part)


def test_a_squad_with_many_tools_keeps_its_first_request_small(said: Said, own: Path) -> None:
    names = sorted(content.tool_names())
    squad(own, "shop", f"{SHOP}tools: [{', '.join(names)}]\n")
    _, out, _ = said("squad", "show", "shop", "--json")
    sheet = json.loads(out)
    assert len(sheet["tools"]) >= 60
    assert sheet["tokens"] < 4000
    assert 15 < sum(tool["offered"] for tool in sheet["tools"]) < 40


def test_an_own_squad_answers_on_a_recording_and_is_on_record(said: Said, own: Path) -> None:
    squad(own, "shop", SHOP)
    code, out, err = said("ask", "what is wrong?", "--squad", "shop", "--recording", "haul-0914")
    assert code == OK, err
    assert "cannot cut route cards" not in err
    assert "squad shop" in said("audit", "show")[1]


async def test_a_running_chat_reads_squads_anew_and_goes_by_the_policy_of_what_they_stand_on_then(
    own: Path, tmp_path: Path
) -> None:
    squad(own, "shop", SHOP)
    options = Options(
        state=tmp_path / "state",
        by="kim",
        squad="shop",
        recording=content.recording("haul-0914"),
        mode="chat",
    )
    async with await Investigation.open(options) as run_:
        assert await run_.reload() == ()
        rules = "rules: [{name: no sessions, tool: sessions, verdict: refuse, reason: not here}]\n"
        squad(own, "base", SHOP, policy=rules)
        squad(own, "shop", "extends: base\ntools: [sessions]\n")
        broken = squad(own, "bad", "extends: sop\n")
        new, left_out = await run_.reload()
        assert new == "new: sessions (read)"
        assert left_out.startswith(f"left out: {broken / 'squad.yaml'}:1: extends: no squad 'sop'")
        said = [event.model_dump_json() async for event in run_.call("sessions", {})]
        assert any("no sessions" in each and "refuse" in each for each in said)


def test_the_example_of_the_documentation_is_sound(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSSQUAD_OWN", str(content.root() / "docs" / "examples"))
    assert said("squad", "lint", "shop") == (OK, "1 squad, nothing is wrong", "")


FILES = [
    ("squad", content.root() / "docs" / "examples" / "squads" / "shop" / "squad.yaml"),
    ("squad", content.squad("k8s") / "squad.yaml"),
    ("policy", content.policy()),
    ("policy", content.root() / "docs" / "examples" / "policy.yaml"),
    ("recording", content.recordings()["haul-0914"] / "incident.yaml"),
    ("faults", content.root() / "docs" / "examples" / "faults" / "k8s.yaml"),
]


@pytest.mark.parametrize(("kind", "file"), FILES)
def test_a_schema_takes_the_files_that_are_taken_and_refuses_an_unknown_key(
    said: Said, kind: str, file: Path
) -> None:
    code, out, _ = said("schema", kind)
    schema = json.loads(out)
    assert code == OK
    written = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
    assert list(unlike(written, schema, schema)) == []
    assert list(unlike({**written, "tols": []}, schema, schema)) == ["tols: unknown key"]


def test_a_schema_is_written_where_it_is_wanted(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "squad.json"
    code, out, _ = said("schema", "squad", "--out", str(file))
    assert (code, f"# yaml-language-server: $schema={file}" in out) == (OK, True)
    assert json.loads(file.read_text())["properties"]["extends"]
    assert said("schema", "squad", "--out", str(tmp_path))[0] == USAGE


def unlike(value: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = "") -> list[str]:
    """Where a value is not as a schema wants it: the part of JSON Schema that editors go by. All scalars are
    texts here, as YAML has them before anybody says what they mean."""
    if "$ref" in schema:
        return unlike(value, whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, at)
    if "anyOf" in schema:
        tries = [unlike(value, each, whole, at) for each in schema["anyOf"]]
        return min(tries, key=len)
    if "enum" in schema and value not in map(str, schema["enum"]):
        return [f"{at}: {value} is none of {schema['enum']}"]
    kind = schema.get("type")
    is_ = {dict: "object", list: "array"}.get(type(value), "scalar")
    if kind and is_ != (kind if kind in ("object", "array") else "scalar"):
        return [f"{at}: {is_} for {kind}"]
    if is_ == "array":
        each = schema.get("items", {})
        return [flaw for n, inner in enumerate(value) for flaw in unlike(inner, each, whole, f"{at}[{n}]")]
    return _of_object(value, schema, whole, at) if is_ == "object" else []


def _of_object(value: dict[str, Any], schema: dict[str, Any], whole: dict[str, Any], at: str) -> list[str]:
    known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    found = [f"{at}{key}: is missing" for key in schema.get("required", []) if key not in value]
    for key, inner in value.items():
        if key in known:
            found += unlike(inner, known[key], whole, f"{at}{key}.")
        elif rest is False:
            found.append(f"{at}{key}: unknown key")
        elif isinstance(rest, dict):
            found += unlike(inner, rest, whole, f"{at}{key}.")
    return found
