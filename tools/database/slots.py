"""Dropping a replication slot, with its card and its check."""

from typing import Annotated

from opssquad import Check, Database, Json, Preview, Result, ToolError, Undo, tool

from ._common import size, sources
from ._common import slot as slot_ref

Slot = Annotated[str, "name of the slot"]


async def _one(database: Database, slot: str) -> Json:
    found = await database.rows("slots")
    row = next((each for each in found.rows if each["slot"] == slot), None)
    if row is None:
        names = ", ".join(str(each["slot"]) for each in found.rows) or "none"
        raise ToolError(f"no replication slot {slot!r}; there is: {names}")
    if row["active"]:
        raise ToolError(f"slot {slot} is read by process {row['active_pid']}; one in use is not dropped")
    return row


def _bound(row: Json) -> dict[str, str]:
    return {str(slot_ref(str(row["slot"]))): f"active=f restart_lsn={row['restart_lsn'] or 'none'}"}


@tool(effect="mutate")
async def drop_slot(database: Database, slot: Slot) -> Result:
    """Drop a replication slot that nobody reads; the WAL it held is freed at the next checkpoint."""
    await _one(database, slot)
    done = await database.act("drop_slot", slot=slot)
    return Result(text=f"slot {slot} is dropped", commands=(done.statement,))


@drop_slot.preview
async def _foresee(database: Database, slot: Slot) -> Preview:
    row = await _one(database, slot)
    return Preview(
        command=database.statement("drop_slot", slot=slot),
        impact=f"frees {size(row['held_bytes'])} of WAL at the next checkpoint; if its consumer ever "
        f"comes back, it "
        f"must be built anew from a copy of the data ({row['type']} slot)",
        risk="high",
        risk_rule="a consumer that comes back has lost its place",
        binding=_bound(row),
        verify_plan="see that the slot is gone",
        before={"held_bytes": row["held_bytes"]},
    )


@drop_slot.undo
def _undo(slot: Slot) -> Undo:
    return Undo(note="a slot that was dropped does not come back: a new one begins with the WAL of then")


@drop_slot.observe
async def _observe(database: Database, slot: Slot) -> dict[str, str]:
    found = await database.rows("slots")
    return next((_bound(row) for row in found.rows if row["slot"] == slot and not row["active"]), {})


@drop_slot.verify
async def _check(database: Database, slot: Slot, before: Json) -> Check:
    found = await database.rows("slots")
    if any(row["slot"] == slot for row in found.rows):
        return Check(outcome="same", text=f"slot {slot} is still there", sources=sources((found,)))
    freed = size(before["held_bytes"])
    return Check(
        outcome="better", text=f"slot {slot} is gone; {freed} of WAL may go", sources=sources((found,))
    )
