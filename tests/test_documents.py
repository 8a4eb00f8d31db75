"""A YAML file is read into its model, or refused in one line with file, line and reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from opssquad.documents import BadFile, parse_placed, parse_yaml, read_yaml


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Part(Strict):
    name: str
    size: int = 0


class Whole(Strict):
    parts: list[Part] = Field(min_length=1)
    notes: dict[str, str] = {}


BAD = {
    "parts: [": "line 1: not YAML: expected the node content",
    "parts: !!python/object:os.system []": "line 1: not YAML: could not determine a constructor",
    "parts: \x00": "not YAML: unacceptable character",
    "? [a]\n: b": "line 1: not YAML: found unhashable key",
    "parts: 2026-13-45": "not YAML: month must be in 1..12",
    "parts: !!bool perhaps": "not YAML: a value is not of the type that its tag says",
    "parts: !!int ''": "not YAML: a value is not of the type that its tag says",
    "parts: !!timestamp soon": "not YAML: a value is not of the type that its tag says",
    "[" * 5000: "nested too deeply",
    "": "line 1: the whole file: must be a mapping",
    "parts:\n- name: a\n- nothing": "line 3: parts.1: must be a mapping",
    "parts:\n- nam: a\n  size: 1": "line 2: parts.0.nam: unknown key; did you mean 'name'?",
    "parts:\n- name: a\n  xyzzy: 1": "line 3: parts.0.xyzzy: unknown key; known: parts, name, size, notes",
    "parts: [{name: a}]\npart: []": "line 2: part: unknown key; did you mean 'parts'?",
    "parts:\n- name: a\n  size: large": "line 3: parts.0.size: input should be a valid integer",
    "parts:\n- size: 1": "line 2: parts.0.name: is missing",
    "parts:\n- name: a\n  size: 1\n  size: 2": "line 4: key 'size' stands twice",
    "parts: []": "line 1: parts: list should have at least 1 item",
    "parts: &again [*again]": "parts.0: must be a mapping",
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_is_said_in_one_line_with_the_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "whole.yaml"
    path.write_text(text)
    with pytest.raises(BadFile) as caught:
        read_yaml(path, Whole)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert BAD[text] in said
    assert "\n" not in said


def test_a_file_that_is_absent_no_text_or_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"parts:\n\xff\xfe")
    for name, said in {
        "bytes.yaml": "bytes.yaml, line 2: not UTF-8 text",
        "absent.yaml": "absent.yaml: this file is missing",
        ".": "cannot be read: Is a directory",
    }.items():
        with pytest.raises(BadFile, match=said):
            read_yaml(tmp_path / name, Whole)


def test_an_alias_may_stand_as_often_as_one_likes_and_a_merge_may_override() -> None:
    text = "parts: [&first {name: a, size: 1}, *first, {<<: *first, size: 2}]"
    assert [part.size for part in parse_yaml(text, Whole, "text").parts] == [1, 1, 2]


def test_a_time_is_text_as_it_is_written_and_other_numbers_are_numbers() -> None:
    text = "parts: [{name: 18:00}, {name: 9:30.5}, {name: 190:20:30, size: 0x1F}]"
    assert [(part.name, part.size) for part in parse_yaml(text, Whole, "text").parts] == [
        ("18:00", 0),
        ("9:30.5", 0),
        ("190:20:30", 31),
    ]


def test_a_key_is_text_as_it_is_written_and_a_value_may_be_a_switch() -> None:
    class Switches(Strict):
        off: bool
        notes: dict[str, bool]

    found = parse_yaml("off: true\nnotes: {on: off, yes: no, No: Yes}", Switches, "x.yaml")
    assert (found.off, found.notes) == (True, {"on": False, "yes": False, "No": True})
    with pytest.raises(BadFile, match="key 'off' stands twice"):
        parse_yaml("off: true\noff: false", Switches, "x.yaml")


def test_the_line_of_a_part_can_be_asked_for() -> None:
    placed = parse_placed("# what\nparts:\n- name: a\n- name: b\n  size: 1\n", Whole, "text")
    assert [placed.line(), placed.line("parts", 1), placed.line("parts", 1, "size")] == [2, 4, 5]
    assert placed.line("parts", 7) == 2
    assert [part.name for part in placed.value.parts] == ["a", "b"]


def _refusal(text: str) -> str:
    try:
        parse_yaml(text, Whole, "text")
    except BadFile as error:
        return str(error)
    return ""


@given(st.text(alphabet="parts:nme -[]{}&*<!?|>'\"#\n\t1", max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    assert "\n" not in _refusal(text)


def test_a_file_without_end_is_told() -> None:
    with pytest.raises(BadFile, match="longer than 64 MiB; is it the file that is meant"):
        read_yaml(Path("/dev/zero"), Whole)
