"""A process of its own that works on a state folder; tests start it, and some of them kill it.

python -m tests.store.worker FOLDER act STEP       claim and finish a call; dies by SIGKILL after STEP
python -m tests.store.worker FOLDER decide WHO     wait for the file `go`, then decide every card
python -m tests.store.worker FOLDER audit WHO      wait for the file `go`, then write 25 audit lines
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from opssquad.store.sqlite import Store
from tests.samples import a_call, a_decision, a_draft, a_result


def _reached(step: str) -> None:
    if sys.argv[3] == step:
        os.kill(os.getpid(), signal.SIGKILL)


async def act(store: Store, folder: Path) -> None:
    _reached("opened")
    if not await store.claim("c1", a_call().digest):
        return
    _reached("claimed")
    with (folder / "effects").open("a") as effects:
        effects.write("acted\n")
    _reached("acted")
    await store.done("c1", a_result())
    _reached("done")
    await store.audit(a_draft())
    _reached("audited")


async def decide(store: Store, folder: Path) -> None:
    _wait(folder)
    who = sys.argv[3]
    for record in await store.approvals():
        outcome = "approved" if who == "kim" else "refused"
        await store.decide(a_decision(record.approval, outcome, by=who))


async def audit(store: Store, folder: Path) -> None:
    _wait(folder)
    for number in range(25):
        await store.audit(a_draft(requested_by=sys.argv[3], ms=number))


def _wait(folder: Path) -> None:
    (folder / f"ready-{sys.argv[3]}").touch()
    while not (folder / "go").exists():
        time.sleep(0.002)


async def main() -> None:
    folder = Path(sys.argv[1])
    async with await Store.open(folder / "state") as store:
        await {"act": act, "decide": decide, "audit": audit}[sys.argv[2]](store, folder)


if __name__ == "__main__":
    asyncio.run(main())
