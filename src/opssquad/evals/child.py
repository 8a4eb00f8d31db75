"""The process that is killed while its card is up: `python -m opssquad.evals.child`, told what to ask by a
line of its input, says `card THREAD` and waits for its end. It ends by itself where its input does: whoever
was to kill it is gone.
"""

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from opssquad.evals.playing import first_fix, options_like
from opssquad.investigation import Investigation
from opssquad.investigation.options import RecordedPart
from opssquad.times import parse_time
from opssquad.types import Json


async def main(told: Json) -> None:
    """Ask, take the first fix, and stop at its card."""
    question = told.pop("question")
    state, kubeconfig = Path(told.pop("state")), told.pop("kubeconfig")
    told["tape"] = Path(told["tape"]) if told["tape"] else None
    told["part"] = _part(told["part"]) if told["part"] else None
    options = options_like(state, Path(kubeconfig) if kubeconfig else None, **told)
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


def _part(told: Json) -> RecordedPart:
    return RecordedPart(Path(told["folder"]), Path(told["journal"]), parse_time(told["began"]))


def _until_alone() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    told = json.loads(sys.stdin.readline())
    threading.Thread(target=_until_alone, daemon=True).start()
    asyncio.run(main(told))
