"""Tools over the conversation's own record."""

from typing import Annotated

from opssquad import Record, Result, tool


@tool(effect="read")
async def timeline(record: Record) -> Result:
    """The incident timeline so far, in UTC: what was seen, decided, done. Use it to document the incident."""
    return Result(text=await record.timeline())


@tool(effect="read")
async def differential(
    record: Record, fault: Annotated[str, "an id such as K12: why it is on the list, or is not"] = ""
) -> Result:
    """The faults that fit what was looked at so far, ranked: what speaks for and against each, what was not
    seen, and the calls that would tell more."""
    return Result(text=await record.differential(fault))
