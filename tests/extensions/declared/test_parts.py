"""Paths into JSON, and texts with holes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opssquad.errors import ToolError
from opssquad.extensions.declared.jsonpath import answer, find, parse
from opssquad.extensions.declared.template import fill, fill_all, holes

TREE: Any = {"items": [{"name": "a", "s": {"n": 1}}, {"name": "b"}], "odd name": {"x-y": True}, "none": None}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("", [TREE]),
        ("items[0].name", ["a"]),
        ("$.items[-1].name", ["b"]),
        ("items[*].name", ["a", "b"]),
        ("items[*].s.n", [1]),
        ('["odd name"].x-y', [True]),
        ("['odd name']['x-y']", [True]),
        ("none", [None]),
        ("items[7].name", []),
        ("items.name", []),
        ("name[0]", []),
    ],
)
def test_a_path_finds_what_stands_there(path: str, values: list[Any]) -> None:
    assert [each.value for each in find(TREE, path)] == values


def test_what_is_found_tells_its_place_and_what_it_stands_in() -> None:
    found = find(TREE, "items[*].s.n")[0]
    assert (found.path, found.beside) == ("items[0].s.n", {"n": 1})


@pytest.mark.parametrize("path", ["a..b", "a[", "a[b]", "a[0]b", ".", "a b", "a[1:2]", "a[?(@.x)]", "$$"])
def test_what_is_no_path_is_one_line(path: str) -> None:
    with pytest.raises(ToolError, match="is no path; write it as"):
        parse(path)


def test_an_answer_that_is_not_there_names_what_is() -> None:
    assert answer(TREE, "items[*].nothing") == []
    with pytest.raises(ToolError, match="nothing at 'item'; it has: items, odd name, none"):
        answer(TREE, "item")


def test_a_structure_keeps_the_types_of_its_arguments() -> None:
    values = {"n": 5, "yes": True, "text": "{n}", "gone": None}
    told = {
        "a": "{n}",
        "b": ["{yes}", "x{n}", "{gone}"],
        "c": "{gone}",
        "d": "{text}",
        "e": 1.5,
        "f": "{{n}}",
    }
    assert fill_all(told, values) == {"a": 5, "b": [True, "x5"], "d": "{n}", "e": 1.5, "f": "{n}"}
    assert holes(told) == ["n", "yes", "n", "gone", "gone", "text"]


@settings(max_examples=50)
@given(st.text(max_size=40), st.text(max_size=40))
def test_an_argument_is_put_in_once_and_whole(before: str, value: str) -> None:
    plain = before.replace("{", "").replace("}", "")
    assert fill(f"{plain}{{x}}", {"x": value, "y": "no"}) == f"{plain}{value}"
