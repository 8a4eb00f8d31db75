"""A process of its own that works on a state folder; tests start it, and some of them kill it.

python -m tests.store.worker FOLDER act STEP       claim and finish a call; dies by SIGKILL after STEP
python -m tests.store.worker FOLDER decide WHO     wait for the file `go`, then decide every card
python -m tests.store.worker FOLDER approve WHO    wait for the file `go`, then say yes to every card
python -m tests.store.worker FOLDER admit WHO      wait for the file `go`, act if `grant.json` is admitted
python -m tests.store.worker FOLDER audit WHO      wait for the file `go`, then write 25 audit lines
python -m tests.store.worker FOLDER looks WHO      wait for the file `go`, then keep 50 looks at a revision
python -m tests.store.worker FOLDER work WHO       wait for the file `go`, then change things until `stop`
"""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from opssquad.errors import Refused
from opssquad.events import Returned
from opssquad.gate.grant import Signer
from opssquad.observations import Observation, PodSeen
from opssquad.store.sqlite import Store
from opssquad.types import Cleared, Grant, Ref, Verdict
from tests.samples import NOW, a_call, a_card, a_decision, a_draft, a_result


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


async def approve(store: Store, folder: Path) -> None:
    cards = await store.approvals()
    _wait(folder)
    for record in cards:
        await store.decide(a_decision(record.approval, by=sys.argv[3]))


async def admit(store: Store, folder: Path) -> None:
    signer = Signer.open(folder, now=lambda: NOW)
    grant = Grant.model_validate_json((folder / "grant.json").read_text())
    verdict = Verdict(outcome="ask", rule="mutations ask")
    _wait(folder)
    with suppress(Refused):
        signer.admit(Cleared(call=a_call(), verdict=verdict, grant=grant))
        with (folder / "effects").open("a") as effects:
            effects.write("acted\n")


async def audit(store: Store, folder: Path) -> None:
    _wait(folder)
    for number in range(25):
        await store.audit(a_draft(requested_by=sys.argv[3], ms=number))


async def looks(store: Store, folder: Path) -> None:
    _wait(folder)
    for number in range(50):
        pod = PodSeen(uid="p1", name="api-1", ready_since=NOW, restarts=number // 10)
        at = NOW + timedelta(minutes=number)
        place = Ref(kind="Deployment", namespace="web", name="api")
        seen = Observation(workload=place, uid="w1", revision="5d4f", pods=(pod,), at=at)
        await store.note("c1", "prod", [seen])


async def work(store: Store, folder: Path) -> None:
    """Cards, decisions, acts, results and audit lines, one after another, as runs leave them."""
    _wait(folder)
    who, number = sys.argv[3], 0
    while not (folder / "stop").exists():
        number += 1
        call = a_call(f"c-{who}-{number}")
        card, result = a_card(f"a-{call.id}", call), a_result(call.id, "x" * 2000)
        await store.add_approval(card)
        await store.decide(a_decision(card, by=who))
        await store.claim(call.id, call.digest)
        await store.done(call.id, result)
        stamp = {"thread": "t1", "turn": 1, "at": NOW, "recorded_at": NOW}
        returned = Returned(**stamp, call=call, result=result)
        await store.append(returned, audit=[a_draft(output_ref=call.id)])
    (folder / f"made-{who}").write_text(str(number))


def _wait(folder: Path) -> None:
    (folder / f"ready-{sys.argv[3]}").touch()
    while not (folder / "go").exists():
        time.sleep(0.002)


STEPS = {
    "act": act,
    "decide": decide,
    "approve": approve,
    "admit": admit,
    "audit": audit,
    "looks": looks,
    "work": work,
}


async def main() -> None:
    folder = Path(sys.argv[1])
    async with await Store.open(folder / "state") as store:
        await STEPS[sys.argv[2]](store, folder)


if __name__ == "__main__":
    asyncio.run(main())
