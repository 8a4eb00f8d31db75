"""Telling what is suspicious in what a call brought in: once for each text of a thread."""

from collections.abc import Sequence

from opssquad.events import Suspected
from opssquad.findings import Quote, Suspicion
from opssquad.squad.context import Context
from opssquad.types import ToolCall


async def suspected(ctx: Context, call: ToolCall, found: Sequence[Suspicion]) -> None:
    """Put on record, and on screen, what was not told before in this thread."""
    for each in found:
        if each.key not in ctx.suspected:
            ctx.suspected.add(each.key)
            await ctx.emit(Suspected, call=call, suspicion=each)


def output(call: str, text: str) -> Quote:
    """The text that a call told, as a place that can be quoted."""
    return Quote(locator=f"output {call}", text=text)
