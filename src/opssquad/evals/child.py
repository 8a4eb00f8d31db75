"""The process that is killed while its card is up: `python -m opssquad.evals.child`, told by its input what
to ask, says `card THREAD` and waits for its end.
"""

import asyncio
import json
import sys
from pathlib import Path

from opssquad.evals.playing import first_fix, options_like
from opssquad.investigation import Investigation
from opssquad.types import Json


async def main(told: Json) -> None:
    """Ask, take the first fix, and stop at its card."""
    question = told.pop("question")
    state, kubeconfig = Path(told.pop("state")), Path(told.pop("kubeconfig"))
    told["tape"] = Path(told["tape"]) if told["tape"] else None
    options = options_like(state, kubeconfig, **told)
    async with await Investigation.open(options) as run:
        async for _ in run.ask(question):
            pass
        if not await run.pending() and (number := await first_fix(run)):
            async for _ in run.ask(str(number)):
                pass
        if await run.pending():
            sys.stdout.write(f"card {run.thread}\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
