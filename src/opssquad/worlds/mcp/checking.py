"""Whether a schema of a server is one, and whether arguments fit it."""

from typing import Any, cast

from opssquad.errors import ToolError
from opssquad.types import Json
from opssquad.worlds.mcp.servers import MISSING

# Expressions that a server gives may take for ever; it looks at them itself.
_LEFT = ("pattern", "patternProperties", "propertyNames", "format")


def wrong(schema: Json) -> str:
    """Why it is no schema of arguments; empty where it is one. Raises ToolError without the library."""
    exceptions, validators, _ = _library()
    if schema.get("type", "object") != "object":
        return f"its schema is of type {schema['type']!r}, and arguments are an object"
    try:
        validators.validator_for(schema).check_schema(schema)
    except exceptions.SchemaError as error:
        place = ".".join(map(str, error.absolute_path)) or "its root"
        return f"its schema is none: {place}: {_short(error.message)}"
    return ""


def misfit(schema: Json, arguments: Json) -> str:
    """What of the arguments does not fit the schema, first things first; empty where they fit. Raises
    ToolError without the library."""
    exceptions, validators, referencing = _library()
    # With a registry of its own nothing is fetched for a `$ref`.
    kind = validators.validator_for(schema)
    validator = kind(without_expressions(schema), registry=referencing.Registry())
    try:
        error = exceptions.best_match(validator.iter_errors(arguments))
    except referencing.exceptions.Unresolvable as unresolved:
        return f"the schema points to what is not there: {_short(str(unresolved))}"
    if error is None:
        return ""
    place = ".".join(map(str, error.absolute_path))
    return f"{place}: {_short(error.message)}" if place else _short(error.message)


def without_expressions(schema: Any) -> Any:
    """The schema without what holds regular expressions."""
    if isinstance(schema, dict):
        named = {"properties", "$defs", "definitions", "dependentSchemas"}
        return {
            key: {name: without_expressions(each) for name, each in value.items()}
            if key in named and isinstance(value, dict)
            else without_expressions(value)
            for key, value in schema.items()
            if key not in _LEFT
        }
    if isinstance(schema, list):
        return [without_expressions(each) for each in schema]
    return schema


def _library() -> tuple[Any, Any, Any]:
    try:
        import jsonschema.exceptions
        import jsonschema.validators
        import referencing.exceptions
    except ModuleNotFoundError as error:
        raise ToolError(MISSING) from error
    return cast("tuple[Any, Any, Any]", (jsonschema.exceptions, jsonschema.validators, referencing))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:199]}…"
