"""The words of a server about its tools: they are data, and may be written to steer a model."""

import json
from functools import cache
from typing import Any

from opssquad.findings import Quote, Suspicion
from opssquad.gate.injection import Lookout
from opssquad.gate.redact import Redactor
from opssquad.types import Json
from opssquad.worlds.mcp.offered import DESCRIPTION, SCHEMA, Offered

_WORDS = frozenset({"description", "title", "examples", "$comment"})
_NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas", "patternProperties"})


def suspicions(tool: Offered) -> tuple[Suspicion, ...]:
    """What of its words reads like an instruction, or hides what it says."""
    named = Quote(locator=f"description of {tool.name}", text=tool.description)
    schema = Quote(locator=f"schema of {tool.name}", text="\n".join(_texts(tool.parameters)))
    return _lookout()((named, schema), Quote(locator=f"name {tool.name}", text=tool.name))


def unfit(tool: Offered) -> str:
    """Why it cannot be offered at all, whoever believes its server; empty where it can."""
    if (size := len(tool.description.encode())) > DESCRIPTION:
        return f"its description has {size:,} bytes, {DESCRIPTION:,} are taken"
    if (size := len(json.dumps(tool.parameters).encode())) > SCHEMA:
        return f"the schema of its arguments has {size:,} bytes, {SCHEMA:,} are taken"
    bare = tool.model_copy(update={"description": "", "parameters": wordless(tool.parameters)})
    if found := suspicions(bare):
        return f"names in its schema read like an instruction: {found[0].text!r}"
    return ""


def description(server: str, tool: Offered, suspicious: bool) -> str:
    """What a model reads of it, and whose words those are."""
    if suspicious:
        hidden = "Its own description is not shown: it reads like an instruction."
        return f"{tool.name} of the MCP server {server}. {hidden}"
    said = tool.description.strip() or f"{tool.name}."
    return f"{said}\n(So says the MCP server {server}.)"


def parameters(tool: Offered, suspicious: bool) -> Json:
    """The schema that a model reads."""
    schema = {"type": "object", "properties": {}, **tool.parameters}
    schema.pop("$schema", None)
    schema.pop("title", None)
    return wordless(schema) if suspicious else schema


def wordless(schema: Json) -> Json:
    """The schema without a word of prose."""
    found: Json = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, dict):
            found[key] = {name: _bare(each) for name, each in value.items()}
        elif key not in _WORDS:
            found[key] = _bare(value)
    return found


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return wordless(value)
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _texts(value: Any) -> list[str]:
    """Every text of a schema, keys too: whatever of it a model reads."""
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in (str(key), *_texts(each))]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


@cache
def _lookout() -> Lookout:
    return Lookout(Redactor())
