"""Watching a workload after a change until it is settled, stuck or out of time, and telling if that helped.

The comparison is with what stood before the act. It judges the workload alone: whether users are served again
is for those who see the traffic.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from opssquad import Check, Cluster, Json, Option, Progress, Ref, Signal, ToolError, duration

from ._kube import ref, source
from ._state import State, health_quotes, look

PATIENCE = timedelta(seconds=300)
# New pods that fail the same way for this long are not going to get up by themselves.
STUCK = timedelta(seconds=20)
# A pod that is ready may still fall over at once: ready counts only after this long.
SETTLE = timedelta(seconds=2)
Verdict = Literal["better", "same", "worse", "unknown"]
PAUSES = (0.1, 0.2, 0.3, 0.5, 0.5, 1.0)


@dataclass(frozen=True)
class Outcome:
    """How the watching ended (`settled`, `stuck`, `held`, `paused`, `late`), the last look, and the time."""

    how: str
    state: State
    took: timedelta


async def watch(cluster: Cluster, progress: Progress, address: Ref, stuck: timedelta = STUCK) -> Outcome:
    """Look until the rollout is over and stays so, fails for good (for as long as `stuck`), or our patience
    (world's time) is over."""
    began, told, turn = cluster.now(), "", 0
    since: dict[str, datetime] = {}
    async with asyncio.timeout(PATIENCE.total_seconds() + 30):
        while True:
            state, now = await look(cluster, address), cluster.now()
            if state.line() != told:
                told = state.line()
                progress.say(f"{duration(now - began)}: {told}")
            if how := _ended(state, _lasting(since, state, now), now - began, stuck):
                return Outcome(how, state, now - began)
            await asyncio.sleep(PAUSES[min(turn, len(PAUSES) - 1)])
            turn += 1


def _lasting(since: dict[str, datetime], state: State, now: datetime) -> dict[str, timedelta]:
    """For how long each of these has held without a break; `since` remembers when it began."""
    holding = {
        "settled": state.settled and not state.troubles,
        "stuck": bool(state.troubles),
        "held": bool(state.held) and not state.settled,
    }
    for how, holds in holding.items():
        if holds:
            since.setdefault(how, now)
        else:
            since.pop(how, None)
    return {how: now - at for how, at in since.items()}


def _ended(state: State, lasting: dict[str, timedelta], took: timedelta, stuck: timedelta) -> str:
    """How the watching ends; empty while it goes on."""
    if state.paused:
        return "paused"
    enough = {"settled": SETTLE, "stuck": stuck, "held": STUCK}
    ended = (how for how, span in enough.items() if how in lasting and lasting[how] >= span)
    return next(ended, "late" if took >= PATIENCE else "")


async def verify(
    cluster: Cluster, progress: Progress, address: Ref, before: Json, stuck: timedelta = STUCK
) -> Check:
    """Watch, then compare with `before` (a `State.snapshot`): better, same, worse or unknown, in numbers."""
    try:
        outcome = await watch(cluster, progress, address, stuck)
    except TimeoutError:
        return Check(outcome="unknown", text=f"{address}: no answer in time; look at it with `health`")
    return judge(outcome, before)


async def verify_all(
    cluster: Cluster, progress: Progress, before: Mapping[str, Json], stuck: timedelta = STUCK
) -> Check:
    """The same for several workloads side by side, by their addresses: as bad as the worst of them, better
    where one is and none is worse or unknown."""

    def one(address: str, was: Json) -> Coroutine[Any, Any, Check]:
        where = Ref.parse(address)
        voice = Progress(lambda said: progress.say(f"{where.name}: {said}"))
        return verify(cluster, voice, where, was, stuck)

    found = await asyncio.gather(*(one(address, was) for address, was in before.items()))
    outcomes = {each.outcome for each in found}
    order: tuple[Verdict, ...] = ("worse", "unknown", "better", "same")
    return Check(
        outcome=next((each for each in order if each in outcomes), "unknown"),
        text=" ".join(_named(address, each, len(found)) for address, each in zip(before, found, strict=True)),
        signals=tuple(signal for each in found for signal in each.signals),
        quotes=tuple(quote for each in found for quote in each.quotes),
        sources=tuple(dict.fromkeys(read for each in found for read in each.sources)),
        next=tuple(way for each in found for way in each.next),
    )


def _named(address: str, check: Check, many: int) -> str:
    return check.text if many == 1 else f"{Ref.parse(address).name}: {check.text}"


def judge(outcome: Outcome, before: Json) -> Check:
    """The comparison itself."""
    state, was = outcome.state, int(before.get("ready", 0))
    counts = (
        f"ready {was} of {before.get('desired', '?')} before, {state.ready} of {state.desired} now; "
        f"restarts of the pods with the newest template: {state.fresh_restarts}"
    )
    verdict = _verdict(outcome, before)
    words: dict[str, Callable[[], str]] = {
        "settled": lambda: f"{ref(state.workload).name} is settled after {duration(outcome.took)}: {counts}.",
        "stuck": lambda: f"The rollout does not become ready: {_way(state)} ({counts}).",
        "held": lambda: f"The new template does not reach the pods: {state.held} ({counts}).",
        "late": lambda: f"Not settled after {duration(outcome.took)}: {_way(state)} ({counts}).",
        "paused": lambda: (
            f"{ref(state.workload).name} is paused: nothing rolls out until it is resumed ({counts})."
        ),
    }
    quotes = tuple(q for each in state.troubles for q in each.quotes) or health_quotes(state)
    read = [state.workload, *(each.read for each in state.troubles)]
    return Check(
        outcome=verdict,
        text=words[outcome.how](),
        signals=_signals(outcome, before),
        quotes=quotes,
        sources=tuple(dict.fromkeys(source(each) for each in read)),
        next=_needed(state) if outcome.how == "held" else (),
    )


def _needed(state: State) -> tuple[Option, ...]:
    """The first of the pods that have to be deleted by hand: the next one is for the check after that."""
    space = ref(state.workload).namespace
    return tuple(
        Option(
            label=f"Delete {name}, so that it comes back with the new template",
            action="delete",
            target=f"Pod/{space}/{name}",
            tool="delete_pod",
            args={"pod": name, "namespace": space},
        )
        for name in state.waiting[:1]
    )


def _way(state: State) -> str:
    if state.troubles:
        more = f"; and {len(state.troubles) - 2} more" if len(state.troubles) > 2 else ""
        return "; ".join(each.text for each in state.troubles[:2]) + more
    names = ", ".join(each["metadata"]["name"] for each in state.fresh[:3])
    return f"{state.desired - state.fresh_ready} of {state.desired} new pods are not ready ({names})"


def _verdict(outcome: Outcome, before: Json) -> Verdict:
    state, was = outcome.state, int(before.get("ready", 0))
    if outcome.how == "settled":
        if state.ready > was or before.get("troubles"):
            return "better"
        return "same" if state.ready >= min(was, state.desired) else "worse"
    if state.ready < was or (state.troubles and not before.get("troubles") and was):
        return "worse"
    return "same" if outcome.how in {"stuck", "held"} else "unknown"


def _signals(outcome: Outcome, before: Json) -> tuple[Signal, ...]:
    state, address = outcome.state, ref(outcome.state.workload)
    if outcome.how == "settled" and state.desired:
        ailing = before.get("troubles") or int(before.get("ready", 0)) < int(before.get("desired", 0))
        back = ailing or not before.get("desired")
        name = "workload.recovered" if back else "workload.healthy"
        text = f"{address.name}: {state.ready} of {state.desired} pods ready"
        signal = Signal(id=name, entity=address, text=text, severity="info")
        return (signal.model_copy(update={"quotes": health_quotes(state)}),)
    if outcome.how == "held":
        text = f"{address.name} is not updated: {state.held}"
        told = health_quotes(state)
        return (Signal(id="rollout.stuck", entity=address, text=text, quotes=told),)
    if outcome.how == "stuck":
        quotes = tuple(q for each in state.troubles for q in each.quotes)
        text = f"{address.name} does not become ready: {_way(state)}"
        return (Signal(id="rollout.stuck", entity=address, text=text, quotes=quotes),)
    return ()


async def before_of(cluster: Cluster, address: Ref) -> State:
    """How it stands now. Raises ToolError for a kind that has no rollouts."""
    if address.kind not in {"Deployment", "StatefulSet", "DaemonSet"}:
        raise ToolError(f"{address.kind} has no rollouts; use a Deployment, StatefulSet or DaemonSet")
    return await look(cluster, address)
