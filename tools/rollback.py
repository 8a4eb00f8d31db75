"""Checking a rollback, and doing it as `kubectl rollout undo` does: back to an earlier pod template."""

from dataclasses import replace
from typing import Annotated

from opssquad import Check, Cluster, History, Preview, Progress, Result, Risk, ToolError, Undo, tool

from ._assess import Assessment, assess
from ._back import back_args
from ._binding import binding
from ._change import Before, Kind, address
from ._checks import all_objects
from ._fields import unified
from ._headroom import way
from ._kube import kubectl, ref, source
from ._plan import Plan, plan
from ._state import look
from ._template import summary
from ._watch import verify

MARKS = {"ok": "ok     ", "risk": "RISK   ", "blocked": "BLOCKED", "unknown": "unknown"}
Back = Annotated[int, "0 = the previous one"]


@tool(effect="read")
async def rollback_check(
    cluster: Cluster,
    history: History,
    deployment: str,
    namespace: str,
    revision: Back = 0,
    kind: Kind = "Deployment",
) -> Result:
    """Whether a workload can be rolled back: safe, risky or unknown, with the reason for each check."""
    thought = await plan(cluster, deployment, namespace, revision, kind)
    found = await assess(cluster, history, thought)
    target = thought.target
    lines = [f"Rollback of {ref(thought.workload)} to revision {target.number}: {found.verdict.upper()}"]
    lines += [f"{MARKS[each.outcome]}  {each.name}: {each.text}" for each in found.findings]
    lines.append(_meaning(found))
    read = {str(ref(o)): source(o, managed=True) for o in (thought.workload, *all_objects(found.findings))}
    past = (found.past,) if found.past else ()
    return Result(
        text="\n".join(lines),
        sources=(*read.values(), *(each.source for each in past)),
        signals=tuple(each.signal(ref(thought.workload)) for each in past),
        data={
            "verdict": found.verdict,
            "deployment": str(ref(thought.workload)),
            "revision": target.number,
            "checks": [{"name": e.name, "outcome": e.outcome, "text": e.text} for e in found.findings],
        },
        commands=(
            kubectl("rollout", "history", thought.target_word, namespace=thought.namespace),
            f"{thought.command()} --dry-run=server",
        ),
    )


def _meaning(found: Assessment) -> str:
    names = ", ".join(each.name for each in found.findings if each.outcome in {"risk", "blocked"})
    open_ = ", ".join(each.name for each in found.of("unknown"))
    match found.verdict:
        case "safe":
            return "Nothing speaks against it."
        case "unknown":
            return f"Nothing found speaks against it, but the cluster cannot vouch for: {open_}."
        case _:
            return f"Against it: {names}." + (f" Not known: {open_}." if open_ else "")


@tool(effect="mutate")
async def rollback(
    cluster: Cluster, deployment: str, namespace: str, revision: Back = 0, kind: Kind = "Deployment"
) -> Result:
    """Return a workload to an earlier revision of its pod template (configuration and data stay)."""
    thought = await _possible(cluster, deployment, namespace, revision, kind)
    try:
        after = await cluster.patch(thought.kind, deployment, thought.namespace, thought.patch(), how="json")
    except ToolError as error:
        if getattr(error, "status", 0) not in {409, 422}:
            raise
        raise ToolError(f"{ref(thought.workload)} changed meanwhile, nothing was done: {error}") from error
    text = f"{deployment} is rolling back to revision {thought.target.number}: {summary(thought.diff)}"
    return Result(
        text=text,
        sources=(source(after),),
        data={"workloads": [str(ref(after))], "revision": thought.target.number},
        commands=(thought.command(),),
    )


async def _possible(cluster: Cluster, deployment: str, namespace: str, revision: int, kind: str) -> Plan:
    thought = await plan(cluster, deployment, namespace, revision, kind)
    if thought.paused:
        line = kubectl("rollout", "resume", thought.target_word, namespace=thought.namespace)
        raise ToolError(f"{deployment} is paused, so it cannot be rolled back; resume it first: {line}")
    if not thought.diff:
        raise ToolError(f"revision {thought.target.number} has the template that runs already: nothing to do")
    return thought


@rollback.preview
async def _preview(
    cluster: Cluster, history: History, deployment: str, namespace: str, revision: int, kind: str
) -> Preview:
    thought = await _possible(cluster, deployment, namespace, revision, kind)
    found = await assess(cluster, history, thought)
    state = await look(cluster, ref(thought.workload))
    if found.after is None:
        raise ToolError("; ".join(each.text for each in found.of("blocked")))
    doubts = [f"{each.name}: {each.text}" for each in found.of("blocked", "risk")]
    impact = f"{summary(thought.diff)}; {way(thought.workload, state.ready)}"
    risk, rule = _risk(found, state.ready)
    return Preview(
        command=thought.command(),
        impact=". ".join([impact, *doubts]),
        risk=risk,
        risk_rule=rule,
        diff=unified(str(ref(thought.workload)), thought.workload, found.after),
        binding=binding(thought.workload, thought.target.keeper),
        verify_plan="watch the rollout until all pods are ready and stay so; compare with before",
        before=state.snapshot(),
        # After somebody else's change "the previous one" is another; proposed again, this one is meant.
        settled={"revision": thought.target.number},
    )


def _risk(found: Assessment, ready: int) -> tuple[Risk, str]:
    if found.verdict == "risky":
        names = ", ".join(each.name for each in found.of("risk", "blocked"))
        return "high", f"a rollback check speaks against it: {names}"
    open_ = ", ".join(each.name for each in found.of("unknown"))
    if open_ and not any(each.name == "stability" for each in found.of("unknown")):
        lost = "ready pods are replaced" if ready else "no pod is ready now, so none is lost"
        return "medium", f"the old revision is known to run well; {lost}; not known: {open_}"
    if found.verdict == "unknown" and ready:
        return "medium", "ready pods are replaced by a revision whose stability is unknown"
    if found.verdict == "unknown":
        return "medium", "the stability of the old revision is unknown; no pod is ready now, so none is lost"
    return (
        ("medium", "ready pods are replaced") if ready else ("low", "every check is well and no pod is ready")
    )


@rollback.observe
async def _observe(
    cluster: Cluster, deployment: str, namespace: str, revision: int, kind: str
) -> dict[str, str]:
    thought = await plan(cluster, deployment, namespace, revision, kind)
    return binding(thought.workload, thought.target.keeper)


@rollback.undo
async def _undo(cluster: Cluster, deployment: str, namespace: str, revision: int, kind: str) -> Undo:
    thought = await plan(cluster, deployment, namespace, revision, kind)
    if thought.current is None or thought.unnumbered:
        return Undo(note="what is asked for now has no revision number: it cannot be brought back by one")
    number = thought.current.number
    args = back_args(ref(thought.workload), number)
    line = replace(thought, target=thought.current).command()
    return Undo(note=f"go forward again to revision {number}", tool="rollback", args=args, command=line)


@rollback.verify
async def _verify(
    cluster: Cluster, progress: Progress, deployment: str, namespace: str, kind: str, before: Before
) -> Check:
    return await verify(cluster, progress, address(cluster, kind, deployment, namespace), before)
