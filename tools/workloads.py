"""Restarting and scaling a workload, each with its card, its undo and its check."""

from opssquad import Cluster, Json, Preview, Ref, Result, Risk, ToolError, Undo, rfc3339, tool

from ._change import (
    Card,
    Kind,
    address,
    check,
    done,
    line,
    observe,
    preview,
    risk_of_roll,
    rolls,
    standing,
    target,
)
from ._kube import dig
from ._state import State


@tool(effect="mutate")
async def restart(cluster: Cluster, name: str, namespace: str, kind: Kind = "Deployment") -> Result:
    """Replace all pods of a workload by new ones of the same template."""
    where = address(cluster, kind, name, namespace)
    await _unpaused(cluster, where)
    body = _stamp(cluster)
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic")
    command = line(where, "rollout", "restart", target(where))
    return done(after, where, f"{name} restarts: {rolls_words(after)}", command)


def rolls_words(workload: Json) -> str:
    """How many pods are replaced."""
    count = dig(workload, "spec", "replicas", default=1)
    return "1 pod is replaced" if count == 1 else f"{count} pods are replaced"


def _stamp(cluster: Cluster) -> Json:
    stamp = {"kubectl.kubernetes.io/restartedAt": rfc3339(cluster.now())}
    return {"spec": {"template": {"metadata": {"annotations": stamp}}}}


async def _unpaused(cluster: Cluster, where: Ref) -> State:
    state = await standing(cluster, where)
    if state.paused:
        command = line(where, "rollout", "resume", target(where))
        raise ToolError(f"{where.name} is paused, so it cannot be restarted; resume it first: {command}")
    return state


@restart.preview
async def _restart_preview(cluster: Cluster, name: str, namespace: str, kind: str) -> Preview:
    where = address(cluster, kind, name, namespace)
    state = await _unpaused(cluster, where)
    body = _stamp(cluster)
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic", dry_run=True)
    risk, rule = risk_of_roll(state)
    command = line(where, "rollout", "restart", target(where))
    return preview(state, after, Card(command, f"{rolls(state)}; the template stays the same", risk, rule))


@restart.undo
async def _restart_undo(name: str) -> Undo:
    return Undo(
        note=f"a restart of {name} cannot be undone; the template stays the same, so nothing else changes"
    )


restart.observe(observe)
restart.verify(check)


# scale


@tool(effect="mutate")
async def scale(
    cluster: Cluster, name: str, namespace: str, replicas: int, kind: Kind = "Deployment"
) -> Result:
    """Set how many pods a workload runs."""
    where = address(cluster, kind, name, namespace)
    _sane(where, replicas)
    before = await cluster.get(where.kind, where.name, where.namespace)
    body = {"spec": {"replicas": replicas}}
    after = await cluster.patch(
        where.kind, where.name, where.namespace, body, how="merge", subresource="scale"
    )
    was = dig(before, "spec", "replicas", default=1)
    command = line(where, "scale", target(where), f"--replicas={replicas}")
    return done(after, where, f"{name} scaled from {was} to {replicas}", command)


def _sane(where: Ref, replicas: int) -> None:
    if replicas < 0:
        raise ToolError(f"replicas must be 0 or more, not {replicas}")
    if where.kind == "DaemonSet":
        raise ToolError("a DaemonSet runs one pod on each node; it has no replicas to set")


@scale.preview
async def _scale_preview(cluster: Cluster, name: str, namespace: str, replicas: int, kind: str) -> Preview:
    where = address(cluster, kind, name, namespace)
    _sane(where, replicas)
    state = await standing(cluster, where)
    if state.desired == replicas:
        raise ToolError(f"{name} has {replicas} replicas already: nothing to do")
    body = {"spec": {"replicas": replicas}}
    await cluster.patch(
        where.kind, where.name, where.namespace, body, how="merge", subresource="scale", dry_run=True
    )
    after = {**state.workload, "spec": {**state.workload["spec"], "replicas": replicas}}
    more = replicas - state.desired
    pods = "1 pod is" if abs(more) == 1 else f"{abs(more)} pods are"
    words = f"{pods} {'added' if more > 0 else 'removed'}: {state.desired} -> {replicas}"
    hpas = await cluster.list("HorizontalPodAutoscaler", where.namespace)
    mine = [h for h in hpas if dig(h, "spec", "scaleTargetRef", "name") == name and replicas]
    ruled = f"; autoscaler {mine[0]['metadata']['name']} may set another number" if mine else ""
    risk: Risk = "high" if replicas == 0 else "low" if more > 0 else "medium"
    rule = {
        "high": "scaling to zero stops the service",
        "low": "pods are only added",
        "medium": "running pods are removed",
    }[risk]
    command = line(where, "scale", target(where), f"--replicas={replicas}")
    return preview(state, after, Card(command, f"{words}; {state.ready} are ready now{ruled}", risk, rule))


@scale.undo
async def _scale_undo(cluster: Cluster, name: str, namespace: str, kind: str) -> Undo:
    where = address(cluster, kind, name, namespace)
    state = await standing(cluster, where)
    args: Json = {"name": name, "namespace": where.namespace, "replicas": state.desired, "kind": where.kind}
    command = line(where, "scale", target(where), f"--replicas={state.desired}")
    return Undo(note=f"scale back to {state.desired}", tool="scale", args=args, command=command)


scale.observe(observe)
scale.verify(check)
