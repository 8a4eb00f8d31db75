"""The process that is killed while its card is up: `python -m opssquad.evals.child`, told by its input what
to ask, says `card THREAD` and waits for its end.
"""

import asyncio
import sys
from pathlib import Path

from opssquad.evals.playing import first_fix, options_like
from opssquad.investigation import Investigation


async def main(told: list[str]) -> None:
    """Ask, take the first fix, and stop at its card."""
    state, kubeconfig, squad, model, question = told
    options = options_like(Path(state), Path(kubeconfig), squad, model)
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
    asyncio.run(main(sys.stdin.read().split("\n")))
