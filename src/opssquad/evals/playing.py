"""Plays a case: asks the squad, lets it carry out its first fix, and answers its cards as the case says."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

from opssquad.evals.plan import Case
from opssquad.evals.stage import Stage
from opssquad.events import Event
from opssquad.extensions import library
from opssquad.findings import ToolResult
from opssquad.investigation import Investigation, Options
from opssquad.investigation.options import RecordedPart
from opssquad.settings import load as load_settings
from opssquad.store.sqlite import Store
from opssquad.types import Approval, Json

APPROVER = "approver of the suite"
RATE = 40.0
"""Seconds of the world for a real one while a change takes effect: rollouts are waited for, not watched."""
FIXES = 3
"""Fixes that are carried out one after another, each the first that the squad offers then."""
CARDS = 6
"""Cards that one run may put up before nobody answers any more."""


def options_like(
    state: Path,
    kubeconfig: Path | None,
    squad: str,
    model: str,
    *,
    sampling: Json,
    tape: Path | None,
    replay: bool,
    part: RecordedPart | None = None,
) -> Options:
    """The squad as anybody would start it against a cluster or a database: it does not know that this one is
    recorded. What the organisation hides is hidden from endpoints, and what faults it knows is known; its
    policy is not asked, lest it change the score."""
    settings = load_settings()
    return Options(
        state=state,
        by="eval",
        squad=squad,
        kubeconfig=kubeconfig,
        part=part,
        model=model,
        mode="ask",
        approval_minutes=60.0,
        redaction=settings.redaction,
        faults=settings.faults,
        fallback=False,
        sampling=sampling,
        tape=tape,
        replay=replay,
        # No run may know what another has seen, not even of the same world.
        remember=False,
    )


async def play(case: Case, stage: Stage, options: Options) -> str:
    """Hold the conversation; gives its thread. Raises ModelError where the endpoint fails."""
    if case.manner == "kill" and (thread := await _killed(case, options)):
        stage.watch.run(RATE)
        async with await Investigation.open(options, resume=thread) as run:
            await _answered(run, case, stage)
            return run.thread
    async with await Investigation.open(options) as run:
        await _all(run.ask(case.question))
        await _answered(run, case, stage)
        for _ in range(_fixes(case)):
            if number := await first_fix(run):
                stage.watch.run(RATE)
                await _all(run.ask(str(number)))
                await _answered(run, case, stage)
        return run.thread


def _fixes(case: Case) -> int:
    """How many fixes are carried out: where there are two causes, mending one leaves the other."""
    return FIXES if case.manner == "approve" else int(case.manner != "ask")


async def first_fix(run: Investigation) -> int:
    """The number of the first choice that the squad could carry out itself; 0 if there is none."""
    tools = library.all_tools()
    for number, choice in enumerate(await run.choices(), 1):
        if choice.tool in tools and tools[choice.tool].effect == "mutate":
            return number
    return 0


async def _answered(run: Investigation, case: Case, stage: Stage) -> None:
    """Answer cards as the case's approver does, until none is up."""
    for _ in range(CARDS):
        cards = await run.pending()
        if not cards:
            return
        for card in cards:
            await _answer(run, card, case, stage)
        await _all(run.resume())


async def _answer(run: Investigation, card: Approval, case: Case, stage: Stage) -> None:
    match case.manner:
        case "ask":
            await run.decide(card.id, "refused", APPROVER, "only the diagnosis was asked for")
        case "refuse":
            await run.decide(card.id, "refused", APPROVER, "not tonight: the release owner is not reachable")
        case "change":
            stage.touch(list(card.preview.binding))
            await run.decide(card.id, "approved", APPROVER)
        case "approve" | "kill":
            await run.decide(card.id, "approved", APPROVER)


async def _all(events: AsyncIterator[Event]) -> None:
    async for _ in events:
        pass


async def _killed(case: Case, options: Options) -> str:
    """Let another process ask, and kill it, with no chance to tidy up, when its card is up. Gives the
    thread, or "" where it came to no card."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "opssquad.evals.child",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    try:
        fields = options.__dict__ | {"question": case.question}
        names = ("state", "kubeconfig", "squad", "model", "sampling", "replay", "question")
        told = {name: fields[name] for name in names} | {"tape": _killed_tape(options.tape)}
        told["part"] = asdict(options.part) if options.part else None
        # Its input stays open: that it ends tells the child that we are gone.
        process.stdin.write(json.dumps(told, default=str).encode() + b"\n")
        await process.stdin.drain()
        said = (await process.stdout.readline()).decode().split()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return said[1] if said[:1] == ["card"] else ""


def _killed_tape(tape: Path | None) -> Path | None:
    """The tape of the process that is killed: another one writes on where it was."""
    return tape.with_suffix(".killed.jsonl") if tape else None


async def begun(state: Path) -> list[str]:
    """The threads of a state folder, the latest last."""
    async with await Store.open(state) as store:
        return [t.id for t in sorted(await store.threads(), key=lambda t: t.started_at)]


async def record_of(state: Path, thread: str) -> tuple[list[Event], dict[str, ToolResult]]:
    """What stands on record of a thread: its events, and the whole output of each call."""
    async with await Store.open(state) as store:
        events = await store.events(thread)
        calls = {e.call.id for e in events if e.kind == "returned"}
        return events, {call: await store.output(call) for call in calls}
