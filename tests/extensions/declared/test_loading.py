"""Files that are wrong: each one clear line with its place and what to write, and the others load."""

import json
import re
from pathlib import Path
from textwrap import indent

import pytest

from opssquad.errors import ToolError
from opssquad.extensions.declared import load, schema
from tests.extensions.declared.making import broken, run, tool, tools
from tests.extensions.declared.samples import ASKS, CHANGES, COUNTS, READS, WRONG


def several(*each: str) -> str:
    """A file of those tools."""
    return "tools:\n" + "".join(f"  - {indent(one.lstrip(), '    ').lstrip()}" for one in each)


@pytest.mark.parametrize("text", [READS, ASKS, CHANGES, COUNTS], ids=["command", "http", "change", "sql"])
def test_a_sound_tool_loads(tmp_path: Path, text: str) -> None:
    made = tool(tmp_path, text)
    assert not made.missing()
    assert made.parameters()["required"]
    assert (made.file, made.line) == (tmp_path / "own.yaml", 2)


def test_several_tools_of_a_file_load_without_those_that_are_broken(tmp_path: Path) -> None:
    listed = [READS, READS.replace("listing", "other").replace("argv", "argvs"), ASKS]
    (tmp_path / "own.yaml").write_text(several(*listed))
    (tmp_path / "second.yaml").write_text("name: [\n")
    (tmp_path / "third.yaml").write_text(COUNTS)
    (tmp_path / "_shared.yaml").write_text("anything: at all\n")
    found = load(tmp_path)
    assert [each.name for each in found.tools] == ["listing", "deploys", "orders"]
    first, second = found.broken
    assert str(first) == f"{tmp_path}/own.yaml:15: tool 'other': argvs: unknown key; did you mean 'argv'?"
    assert (second.file.name, second.name) == ("second.yaml", "second")
    assert "not YAML" in second.why


@pytest.mark.parametrize(("base", "old", "new", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_one_clear_line(tmp_path: Path, base: str, old: str, new: str, said: str) -> None:
    assert old in base
    line = broken(tmp_path, base.replace(old, new))
    assert re.search(said, line), line
    assert line.startswith("own.yaml:")
    assert len(line) < 420
    assert "hunter2" not in line
    assert "abcdefgh12345678" not in line


def test_a_place_is_the_line_of_the_key(tmp_path: Path) -> None:
    assert broken(tmp_path, READS.replace("{type: string}", "{type: strin}")).startswith(
        "own.yaml:7: tool 'listing'"
    )


def test_two_tools_of_one_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(several(CHANGES, CHANGES))
    found = load(tmp_path / "own.yaml")
    assert [each.name for each in found.tools] == ["pause", "pause_undo"]
    assert "is there already, at line 2; rename one" in str(found.broken[0])


def test_a_change_brings_the_tool_that_takes_it_back(tmp_path: Path) -> None:
    pause, back = tools(tmp_path, CHANGES)
    assert (back.name, back.effect, back.missing()) == ("pause_undo", "mutate", [])
    assert back.description == "Take back pause: Pause a queue."
    assert pause.fingerprint() != back.fingerprint()


def test_what_cannot_be_undone_says_so_and_is_a_high_risk(tmp_path: Path) -> None:
    undo = 'undo: {argv: [queuectl, resume, "{queue}"]}'
    (made,) = tools(tmp_path, CHANGES.replace(undo, "irreversible: messages that came meanwhile are lost"))
    assert made.irreversible == "messages that came meanwhile are lost"
    assert not made.missing()


def test_another_text_is_another_tool(tmp_path: Path) -> None:
    first = tool(tmp_path, READS)
    second = tool(tmp_path, READS.replace("[ls, --", "[ls, -l, --"))
    assert first.fingerprint() != second.fingerprint()


def test_the_schema_takes_what_loads_and_names_every_key() -> None:
    made = schema()
    text = json.dumps(made)
    assert made["$schema"].endswith("2020-12/schema")
    for key in ("argv", "statement", "destinations", "irreversible", "allow_dash", "expect", "json"):
        assert f'"{key}"' in text


async def test_secrets_stand_in_the_file_of_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tools").mkdir()
    file = tmp_path / "tools" / "own.yaml"
    text = READS.replace("effect: read", "effect: read\nenv: {OWN: {secret: KEY, prefix: 'x '}}")
    file.write_text(text)
    (made,) = load(file).tools
    with pytest.raises(ToolError, match=r"there is no secret KEY; write it into .*tools.yaml: own: \{KEY:"):
        await run(made, folder="/dev/null")
    (tmp_path / "tools.yaml").write_text("own: {KEY: {env: MY_KEY}}\n")
    monkeypatch.setenv("MY_KEY", "abcdefgh12345678")
    assert (await run(made, folder="/dev/null")).data["code"] == 0
