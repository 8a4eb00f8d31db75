"""Dropping a replication slot, with its card and its check."""

from typing import Annotated

from opssquad import Check, Database, Json, Preview, Result, Rows, ToolError, Undo, tool

from ._common import size, sources
from ._common import slot as slot_ref
from ._names import nearest

Slot = Annotated[str, "name of the slot"]


async def _one(database: Database, slot: str) -> tuple[Json, Rows]:
    """The slot, and all of them. Raises ToolError for one that is not there or is in use."""
    found = await database.rows("slots")
    row = next((each for each in found.rows if each["slot"] == slot), None)
    if row is None:
        raise ToolError(f"no replication slot {slot!r}; {nearest(slot, (r['slot'] for r in found.rows))}")
    if row["active"]:
        raise ToolError(
            f"slot {slot} is read by process {row['active_pid']}; in use it is not dropped: stop its consumer"
        )
    return row, found


def _bound(row: Json) -> dict[str, str]:
    active = "t" if row["active"] else "f"
    seen = f"active={active} restart_lsn={row['restart_lsn'] or 'none'}"
    return {str(slot_ref(str(row["slot"]))): seen}


def _held(found: Rows) -> int:
    """Bytes of WAL that slots hold: what the one furthest behind needs."""
    return max((int(row["held_bytes"] or 0) for row in found.rows), default=0)


@tool(effect="mutate")
async def drop_slot(database: Database, slot: Slot) -> Result:
    """Drop a replication slot that nobody reads; the WAL it held is freed at the next checkpoint."""
    await _one(database, slot)
    done = await database.act("drop_slot", slot=slot)
    return Result(text=f"slot {slot} is dropped", commands=(done.statement,))


@drop_slot.preview
async def _foresee(database: Database, slot: Slot) -> Preview:
    row, found = await _one(database, slot)
    held = int(row["held_bytes"] or 0)
    rest = max((int(each["held_bytes"] or 0) for each in found.rows if each["slot"] != slot), default=0)
    others = f", and other slots hold {size(rest)} of it" if rest else ""
    return Preview(
        command=database.statement("drop_slot", slot=slot),
        impact=f"{_kind(row)} is gone for good: it holds {size(held)} of WAL{others}; the rest of that may"
        f" go at the next checkpoint. {_consumer(row)}",
        risk="high",
        risk_rule="a consumer that comes back has lost its place",
        binding=_bound(row),
        verify_plan="see that the slot is gone and that less WAL is held",
        before={"held_bytes": _held(found)},
    )


def _kind(row: Json) -> str:
    of = f" of {row['plugin']} in database {row['database']}" if row["type"] == "logical" else ""
    return f"{row['type']} slot {row['slot']}{of}"


def _consumer(row: Json) -> str:
    """What becomes of whoever used it."""
    if row["type"] == "logical":
        return "Its consumer must be built anew: a new slot, and a new copy of the data it follows"
    return "A replica that used it must be built anew (pg_basebackup) once the WAL it needs is gone"


@drop_slot.undo
def _undo(slot: Slot) -> Undo:
    return Undo(note="none: a new slot begins with the WAL of then, so its consumer must be built anew")


@drop_slot.observe
async def _observe(database: Database, slot: Slot) -> dict[str, str]:
    found = await database.rows("slots")
    return next((_bound(row) for row in found.rows if row["slot"] == slot), {})


@drop_slot.verify
async def _check(database: Database, slot: Slot, before: Json) -> Check:
    found = await database.rows("slots")
    read, held = sources((found,)), _held(found)
    if any(row["slot"] == slot for row in found.rows):
        return Check(outcome="same", text=f"slot {slot} is still there", sources=read)
    text = f"slot {slot} is gone; slots hold {size(held)} of WAL, and held {size(before['held_bytes'])}"
    if held < int(before["held_bytes"]) or not before["held_bytes"]:
        return Check(outcome="better", text=text, sources=read)
    most = max(found.rows, key=lambda row: int(row["held_bytes"] or 0))
    return Check(outcome="same", text=f"{text}: slot {most['slot']} holds it", sources=read)
