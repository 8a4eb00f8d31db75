"""Schemas of servers, and arguments that are to fit them."""

from opssquad.worlds.mcp.checking import misfit, wrong


def test_a_schema_of_arguments_is_of_an_object_and_sound() -> None:
    assert wrong({"properties": {"item": {"type": "string"}}}) == ""
    assert wrong({"type": "array"}) == "its schema is of type 'array', and arguments are an object"
    assert wrong({"type": "object", "required": "item"}).startswith("its schema is none: required: 'item'")


def test_properties_keep_their_names_where_expressions_are_left_out() -> None:
    named = {"type": "object", "properties": {"pattern": {"type": "string", "pattern": "("}}}
    assert misfit(named, {"pattern": "x"}) == ""
    assert misfit(named, {"pattern": 1}) == "pattern: 1 is not of type 'string'"
