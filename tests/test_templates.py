"""Sentences with holes."""

from datetime import UTC, datetime

from opssquad.templates import fill, fill_all, fill_args, holes_of

FACTS = {
    "name": "api",
    "n": 3,
    "at": datetime(2026, 1, 1, 13, 45, tzinfo=UTC),
    "diff": [{"field": "image", "from": "v1", "to": "v2"}, {"field": "env X", "from": None, "to": "1"}],
    "none": None,
}


def test_holes_are_filled_in_the_words_of_a_timeline() -> None:
    assert fill("{name} at {at}: {diff}", FACTS) == "api at 13:45 UTC: image v1 -> v2, env X (none) -> 1"


def test_a_change_whose_old_value_nobody_knows_is_not_said_to_have_had_none() -> None:
    facts = {"diff": [{"field": "spec.hard.pods", "now": "60"}, {"field": "data.X", "now": None}]}
    assert fill("{diff}", facts) == "spec.hard.pods (now 60), data.X (gone)"


def test_a_part_whose_fact_is_missing_is_left_out() -> None:
    assert fill("{name} fails[[ since {none}]][[ {n} times]]", FACTS) == "api fails 3 times"


def test_a_whole_hole_keeps_the_type_of_its_fact() -> None:
    assert fill_all({"replicas": "{n}", "to": "{name}-x", "deep": ["{none}"]}, FACTS) == {
        "replicas": 3,
        "to": "api-x",
        "deep": [None],
    }


def test_a_call_is_not_filled_where_a_value_is_missing_and_optional_ones_are_left_out() -> None:
    facts = {**FACTS, "empty": ""}
    args = {"name": "{name}", "count": "[[{n}]]", "path": "[[{none}]]", "more": {"of": "{name}-{n}"}}
    assert fill_args(args, facts) == {"name": "api", "count": 3, "more": {"of": "api-3"}}
    for missing in ("{none}", "{empty}", "{nowhere}", "x-{none}"):
        assert fill_args({"name": "{name}", "value": missing}, facts) is None, missing


def test_holes_in_parts_are_told_apart() -> None:
    assert holes_of({"a": "{x}[[ and {y}]]", "b": ["{z}", 1]}) == ["x", "y", "z"]
    assert holes_of("{x}[[ and {y}]]", parts=False) == ["x"]
