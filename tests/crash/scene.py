"""An investigation that ends in an act, as an engineer holds it, and what is left of it on disk."""

import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from opssquad import content
from opssquad.errors import UsageError
from opssquad.events import Event, Stopped
from opssquad.findings import ToolResult
from opssquad.investigation import Investigation, Options
from opssquad.models.base import Message
from opssquad.store.base import ApprovalRecord, AuditRecord, Misfit
from opssquad.store.sqlite import Store
from opssquad.types import Value

RECORDING = "auth-0308"
SPEED = 30.0
"""Of the recording's clock: a rollout that takes ten seconds is over in a third of one."""
DEPLOYMENT = "/apis/apps/v1/namespaces/authentication/deployments/auth-service"
CHECK = "verify that we can roll back auth-service in namespace authentication"
CHOICE = "1"
AFTERWARDS = "show the timeline"


def options(folder: Path) -> Options:
    return Options(
        state=folder, by="ada", recording=content.recordings()[RECORDING], mode="chat", speed=SPEED
    )


async def ask(folder: Path) -> None:
    """Begin: ask whether it can be rolled back."""
    async with await Investigation.open(options(folder)) as run:
        await heard(run.ask(CHECK))


async def choose(folder: Path) -> None:
    """Go on in the only thread: choose to do it, say yes, and see whether it helped."""
    async with await Store.open(folder) as store:
        (thread,) = await store.threads()
    async with await Investigation.open(options(folder), resume=thread.id) as run:
        await heard(run.ask(CHOICE))
        await say_yes(run)


async def take_up(folder: Path, *, asking: bool = False) -> list[str]:
    """In another process: go on until nothing is left, then ask something else. With `asking` that is asked
    at once, as somebody does who does not know that something was cut off. What does not hold, in words."""
    wrong: list[str] = []
    async with await Store.open(folder) as store:
        threads = await store.threads()
    for thread in threads:
        async with await Investigation.open(options(folder), resume=thread.id) as run:
            if not asking or not await _answered(run):
                if not await run.pending():
                    await heard(run.resume())
                await say_yes(run)
                await heard(run.ask(AFTERWARDS))
            wrong += _unanswered((await run._engine.state()).messages)
    return wrong


async def _answered(run: Investigation) -> bool:
    """Whether another question is taken now, and not told to wait for a card."""
    try:
        await heard(run.ask(AFTERWARDS))
    except UsageError:
        return False
    return True


def _unanswered(messages: Sequence[Message]) -> list[str]:
    """Calls in the conversation whose answer does not follow at once: an endpoint refuses such a request."""
    wrong, open_ = list[str](), set[str]()
    for message in messages:
        if message.role == "tool":
            open_.discard(message.call)
            continue
        wrong += [f"{call} has no answer in the conversation" for call in open_]
        open_ = {call.id for call in message.calls}
    return wrong


async def heard(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


async def say_yes(run: Investigation) -> None:
    """Say yes to every card, and go on until none waits."""
    while cards := await run.pending():
        for card in cards:
            await run.decide(card.id, "approved", by="kim")
        events = await heard(run.resume())
        assert isinstance(events[-1], Stopped)


class Left(Value):
    """What stands on disk: the calls that were claimed with how they ended (None: not known), the requests
    that changed the deployment, and the records of the store."""

    ledger: dict[str, ToolResult | None]
    patches: int
    events: tuple[Event, ...]
    cards: tuple[ApprovalRecord, ...]
    audit: tuple[AuditRecord, ...]
    misfit: Misfit | None


async def left(folder: Path) -> Left:
    """Read the folder of a run, of which there was one."""
    async with await Store.open(folder) as store:
        threads = await store.threads()
        ends = {call: await store.outcome(call) for call in _claimed(folder)}
        return Left(
            ledger={call: end if isinstance(end, ToolResult) else None for call, end in ends.items()},
            patches=sum(patches(journal) for journal in (folder / "worlds").glob("*.jsonl")),
            events=tuple([event for thread in threads for event in await store.events(thread.id)]),
            cards=tuple(await store.approvals()),
            audit=tuple(await store.audit_records()),
            misfit=await store.verify_audit(),
        )


def _claimed(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "opssquad.sqlite")
    try:
        return [call for (call,) in connection.execute("select call from ledger")]
    finally:
        connection.close()


def patches(journal: Path) -> int:
    """Requests in the journal of a world that changed the deployment."""
    entries: list[dict[str, Any]] = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    return sum(
        entry["method"] in ("PATCH", "PUT")
        and entry["target"].split("?")[0] == DEPLOYMENT
        and "dryRun" not in entry["target"]
        for entry in entries
    )
