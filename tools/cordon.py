"""Closing a node to new pods and opening it again, each with its card, its undo and its check."""

import asyncio

from opssquad import Check, Cluster, Json, Preview, Result, Tool, ToolError, Undo, tool

from ._binding import binding
from ._fields import unified
from ._kube import dig, kubectl, ref, source


async def _set(cluster: Cluster, node: str, closed: bool, dry_run: bool = False) -> Json:
    body: Json = {"spec": {"unschedulable": True if closed else None}}
    return await cluster.patch("Node", node, "", body, how="strategic", dry_run=dry_run)


async def _foresee(cluster: Cluster, node: str, closed: bool) -> Preview:
    before = await cluster.get("Node", node)
    if bool(dig(before, "spec", "unschedulable", default=False)) == closed:
        raise ToolError(f"node {node} is {'cordoned' if closed else 'schedulable'} already: nothing to do")
    after = await _set(cluster, node, closed, dry_run=True)
    pods, nodes = await asyncio.gather(
        cluster.list("Pod", fields=f"spec.nodeName={node}"), cluster.list("Node")
    )
    open_ = [n for n in nodes if not dig(n, "spec", "unschedulable", default=False) and ref(n).name != node]
    verb = "cordon" if closed else "uncordon"
    effect = "no new pods go there" if closed else "new pods may go there again"
    last = closed and not open_
    return Preview(
        command=kubectl(verb, node),
        impact=f"{effect}; its {len(pods)} pods stay; {len(open_)} other nodes take pods",
        risk="high" if last else "low",
        risk_rule="no other node would take pods" if last else "running pods are not touched",
        diff=unified(str(ref(before)), before, after),
        binding=binding(before),
        verify_plan="read the node again",
        before={"unschedulable": not closed},
    )


async def _now(cluster: Cluster, node: str, closed: bool) -> Check:
    found = await cluster.get("Node", node)
    is_closed = bool(dig(found, "spec", "unschedulable", default=False))
    if is_closed == closed:
        text = f"node {node} {'takes no new pods' if closed else 'takes pods again'}"
        return Check(outcome="better", text=text)
    return Check(
        outcome="unknown", text=f"node {node} was changed back by somebody: unschedulable={is_closed}"
    )


def _carded(one: Tool, *, back: str, closed: bool) -> None:
    """Give a tool its card, its undo (the tool `back`) and its check."""

    async def foresee(cluster: Cluster, node: str) -> Preview:
        return await _foresee(cluster, node, closed)

    def undo(node: str) -> Undo:
        return Undo(note=f"{back} it again", tool=back, args={"node": node}, command=kubectl(back, node))

    async def check(cluster: Cluster, node: str) -> Check:
        return await _now(cluster, node, closed)

    async def observe(cluster: Cluster, node: str) -> dict[str, str]:
        return binding(await cluster.get("Node", node))

    one.preview(foresee)
    one.undo(undo)
    one.verify(check)
    one.observe(observe)


@tool(effect="mutate")
async def cordon(cluster: Cluster, node: str) -> Result:
    """Let no new pods onto a node."""
    after = await _set(cluster, node, closed=True)
    return Result(
        text=f"node {node} is cordoned", sources=(source(after),), commands=(kubectl("cordon", node),)
    )


@tool(effect="mutate")
async def uncordon(cluster: Cluster, node: str) -> Result:
    """Let pods onto a node again."""
    after = await _set(cluster, node, closed=False)
    return Result(
        text=f"node {node} takes pods again", sources=(source(after),), commands=(kubectl("uncordon", node),)
    )


_carded(cordon, back="uncordon", closed=True)
_carded(uncordon, back="cordon", closed=False)
