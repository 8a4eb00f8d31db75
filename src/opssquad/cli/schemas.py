"""JSON Schemas from the models that read the files, as people write them: one value may stand for a list."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from opssquad.diagnosis.own import OwnCatalogue
from opssquad.errors import UsageError
from opssquad.extensions.declared import loading as declared
from opssquad.gate.rules.reading import PolicyFile
from opssquad.squad.files import SquadFile
from opssquad.types import Json
from opssquad.worlds.kube.recording.spec import Incident

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TIME = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}
PORT = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
WRITTEN: dict[str, Json] = {
    "from": TIME,
    "until": TIME,
    "ports": {"anyOf": [PORT["anyOf"][0], PORT["anyOf"][1], {"type": "array", "items": PORT}]},
    "networks": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "weekdays": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "dates": {},
    "args": {"type": "object"},
}
"""Keys of a policy that are written in a form of their own, which its model reads into another."""


def schema_of(kind: str) -> Json:
    """The schema of a kind of file. Raises UsageError."""
    makers: dict[str, Callable[[], Json]] = {
        "squad": lambda: _of(SquadFile),
        "policy": lambda: _as_written(_of(PolicyFile)),
        "tool": lambda: dict(_untitled(declared.schema())),
        "recording": lambda: _of(Incident),
        "faults": lambda: _of(OwnCatalogue),
    }
    if kind not in makers:
        raise UsageError(f"no schema of {kind!r} here; there is: {', '.join(makers)}")
    return {**makers[kind](), "$schema": DIALECT, "title": f"opssquad {kind}"}


def _of(model: type[BaseModel]) -> Json:
    made = _untitled(model.model_json_schema(by_alias=True))
    assert isinstance(made, dict)
    return made


def _untitled(schema: Any) -> Any:
    """Without the titles that only repeat the keys."""
    if isinstance(schema, list):
        return [_untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _untitled(each) for key, each in schema.items() if key != "title" or isinstance(each, dict)}


def _as_written(schema: Json) -> Json:
    """A policy's keys as people write them."""
    parts = [schema, *schema.get("$defs", {}).values()]
    for part in parts:
        for key, about in part.get("properties", {}).items():
            if key in WRITTEN:
                part["properties"][key] = WRITTEN[key]
            elif about.get("type") == "array" and key not in ("rules", "destinations"):
                part["properties"][key] = {"anyOf": [about, about["items"]]}
    return schema
