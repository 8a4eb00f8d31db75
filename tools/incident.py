"""Tools over the conversation's own record."""

from opssquad import Record, Result, tool


@tool(effect="read")
async def timeline(record: Record) -> Result:
    """The incident timeline so far, in UTC: what was seen, decided, done. Use it to document the incident."""
    return Result(text=await record.timeline())
