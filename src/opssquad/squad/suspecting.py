"""Telling what is suspicious in what a call brought in: once for each text of a thread."""

from collections.abc import Sequence, Set

from opssquad.events import Suspected
from opssquad.findings import Suspicion
from opssquad.squad.context import Context
from opssquad.types import ToolCall


async def suspected(ctx: Context, call: ToolCall, found: Sequence[Suspicion]) -> None:
    """Put on record, and on screen, what was not told before in this thread."""
    for each in found:
        if not _told(ctx.suspected, each):
            ctx.suspected.add(each.key)
            await ctx.emit(Suspected, call=call, suspicion=each)


def _told(known: Set[str], each: Suspicion) -> bool:
    """Whether the text was told. A card and a sentence of ours show pieces of texts that were."""
    piece = bool(each.words) and each.locator.startswith(("card ", "output "))
    return each.key in known or (piece and any(each.words in key for key in known))
