"""Watching a workload after a change until it is settled, stuck or out of time, and telling if that helped.

The comparison is with what stood before the act. It judges the workload alone: whether users are served again
is for those who see the traffic.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from opssquad import Check, Cluster, Json, Progress, Ref, Signal, ToolError, duration

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
    """How the watching ended: `settled`, `stuck` or `late`, with the last look and the time it took."""

    how: str
    state: State
    took: timedelta


async def watch(cluster: Cluster, progress: Progress, address: Ref) -> Outcome:
    """Look until the rollout is over and stays so, fails for good, or our patience (world's time) is over."""
    began, told, calm, failing = cluster.now(), "", None, None
    async with asyncio.timeout(PATIENCE.total_seconds() + 30):
        turn = 0
        while True:
            state, now = await look(cluster, address), cluster.now()
            if state.line() != told:
                told = state.line()
                progress.say(f"{duration(now - began)}: {told}")
            calm = (calm or now) if state.settled and not state.troubles else None
            failing = (failing or now) if state.troubles else None
            if state.paused or (calm and now - calm >= SETTLE):
                return Outcome("paused" if state.paused else "settled", state, now - began)
            if failing and now - failing >= STUCK:
                return Outcome("stuck", state, now - began)
            if now - began >= PATIENCE:
                return Outcome("late", state, now - began)
            await asyncio.sleep(PAUSES[min(turn, len(PAUSES) - 1)])
            turn += 1


async def verify(cluster: Cluster, progress: Progress, address: Ref, before: Json) -> Check:
    """Watch, then compare with `before` (a `State.snapshot`): better, same, worse or unknown, in numbers."""
    try:
        outcome = await watch(cluster, progress, address)
    except TimeoutError:
        return Check(outcome="unknown", text=f"{address}: no answer in time; look at it with `health`")
    return judge(outcome, before)


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
    return "same" if outcome.how == "stuck" else "unknown"


def _signals(outcome: Outcome, before: Json) -> tuple[Signal, ...]:
    state, address = outcome.state, ref(outcome.state.workload)
    if outcome.how == "settled" and state.desired:
        ailing = before.get("troubles") or int(before.get("ready", 0)) < int(before.get("desired", 0))
        back = ailing or not before.get("desired")
        name = "workload.recovered" if back else "workload.healthy"
        text = f"{address.name}: {state.ready} of {state.desired} pods ready"
        signal = Signal(id=name, entity=address, owner=address, text=text, severity="info")
        return (signal.model_copy(update={"quotes": health_quotes(state)}),)
    if outcome.how == "stuck":
        quotes = tuple(q for each in state.troubles for q in each.quotes)
        text = f"{address.name} does not become ready: {_way(state)}"
        return (Signal(id="rollout.stuck", entity=address, owner=address, text=text, quotes=quotes),)
    return ()


async def before_of(cluster: Cluster, address: Ref) -> State:
    """How it stands now. Raises ToolError for a kind that has no rollouts."""
    if address.kind not in {"Deployment", "StatefulSet", "DaemonSet"}:
        raise ToolError(f"{address.kind} has no rollouts; use a Deployment, StatefulSet or DaemonSet")
    return await look(cluster, address)
