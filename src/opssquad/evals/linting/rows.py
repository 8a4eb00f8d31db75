"""Whether a recorded database answers an accepted statement as its truth says: the rows are mended by it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from opssquad.errors import ToolError
from opssquad.evals.oracle_rows import left_of
from opssquad.types import Json
from opssquad.worlds.kube.recording.refs import split
from opssquad.worlds.kube.recording.spec import Action, Truth
from opssquad.worlds.sql.effects import take_effect
from opssquad.worlds.sql.material import Material, load_material

ACTS = {
    "terminate_session": "terminate",
    "cancel_query": "cancel",
    "drop_slot": "drop_slot",
    "analyze_table": "analyze",
    "vacuum_table": "vacuum",
}
"""The acts that are whole once their object is known, by the tool that does them."""


def mends(folder: Path, clock: datetime, truth: Truth, action: Action) -> Iterator[tuple[bool, str]]:
    """What speaks against an accepted statement (True), or why that cannot be decided (False)."""
    wanted = [tool for tool in action.detail.split(" or ") if tool in ACTS]
    if not wanted:
        yield False, f"what it says beside its object is in words: {action.detail!r}"
    for tool in wanted:
        material = load_material(folder)
        try:
            take_effect(material, ACTS[tool], _args(material, action.target), clock)
        except ToolError as error:
            yield True, f"{tool}: {error}"
            continue
        yield from ((True, f"after {tool}: {each}") for each in left_of(material, truth.rows))
        if not truth.rows:
            yield False, "truth.yaml says of no rows what they are like once it is mended"


def _args(material: Material, target: str) -> Json:
    """What the act is told of its object, by the object's ref."""
    kind, _, name = split(target)
    schema, _, table = name.rpartition(".")
    match kind:
        case "Session":
            rows = material.rows.get("sessions", ())
            started = next((row["backend_start"] for row in rows if str(row["pid"]) == name), None)
            return {"pid": name, "started": started}
        case "ReplicationSlot":
            return {"slot": name}
        case _:
            return {"schema": schema, "table": table}
