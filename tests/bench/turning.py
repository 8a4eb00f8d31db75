"""What the benchmark of turns runs in a process of its own: real graph, store and chat model, a trivial tool.

`python -m tests.bench.turning URL FOLDER` asks once; the endpoint decides how many turns follow.
"""

import asyncio
import sys
from pathlib import Path

from opssquad.models.chat import Chat
from tests.squad.stage import stage

PLENTY = 10_000


async def turn(url: str, folder: Path) -> None:
    """One question, as many turns as the endpoint wants."""
    chat = Chat("stub", url)
    limits = {"calls_soft": PLENTY, "calls_hard": PLENTY, "rounds": PLENTY}
    async with stage(folder, chat, **limits) as open_stage:
        await open_stage.ask("how is the counter?")
    await chat.close()


if __name__ == "__main__":
    asyncio.run(turn(sys.argv[1], Path(sys.argv[2])))
