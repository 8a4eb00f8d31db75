"""The golden conversation offline, held with the real squad on the recorded incident, card approved."""

import tempfile
import time
from pathlib import Path

from opssquad.events import Event, Stopped
from opssquad.investigation import Investigation, Options
from tests.bench.large import SOURCE
from tests.bench.measure import Figure

SAID = (
    "I'm seeing high error rates on the authentication service in the production namespace. "
    "Can you check the pod status?",
    "Yes, get the last 50 lines of logs from the first pod.",
    "Check recent deployments first.",
    "Yes, verify we can roll back safely.",
    "Yes, please roll back.",
)


async def figure(times: int) -> Figure:
    """Seconds of the whole conversation, from opening the thread to the last answer."""
    seconds, ends = [], []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            ends.append(await hold(Path(folder)))
            seconds.append(time.monotonic() - began)
    return Figure("golden conversation, offline", seconds, "s", 10, f"it ended: {', '.join(ends[-1])}")


async def hold(folder: Path) -> list[str]:
    """Say every line, approve every card; how each ended."""
    options = Options(state=folder, by="bench", recording=SOURCE)
    ends = []
    async with await Investigation.open(options) as talk:
        for line in SAID:
            status = _end([event async for event in talk.ask(line)])
            while status == "pending":
                for card in await talk.pending():
                    await talk.decide(card.id, "approved", by="bench")
                status = _end([event async for event in talk.resume()])
            ends.append(status)
    return ends


def _end(events: list[Event]) -> str:
    return next((e.status for e in reversed(events) if isinstance(e, Stopped)), "without an end")
