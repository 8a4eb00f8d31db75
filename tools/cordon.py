"""Closing a node to new pods and opening it again, each with its card, its undo and its check."""

import asyncio

from opssquad import Check, Cluster, Json, Preview, Result, ToolError, Undo, tool

from ._binding import binding
from ._fields import unified
from ._kube import dig, kubectl, ref, source


def _node_line(verb: str, node: str) -> str:
    return kubectl(verb, node)


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
        command=_node_line(verb, node),
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


async def _node_observe(cluster: Cluster, node: str) -> dict[str, str]:
    return binding(await cluster.get("Node", node))


def _node_undo(verb: str, node: str) -> Undo:
    return Undo(note=f"{verb} it again", tool=verb, args={"node": node}, command=_node_line(verb, node))


@tool(effect="mutate")
async def cordon(cluster: Cluster, node: str) -> Result:
    """Let no new pods onto a node."""
    after = await _set(cluster, node, closed=True)
    line = _node_line("cordon", node)
    return Result(text=f"node {node} is cordoned", sources=(source(after),), commands=(line,))


@cordon.preview
async def _cordon_preview(cluster: Cluster, node: str) -> Preview:
    return await _foresee(cluster, node, closed=True)


@cordon.undo
def _cordon_undo(node: str) -> Undo:
    return _node_undo("uncordon", node)


@cordon.verify
async def _cordon_verify(cluster: Cluster, node: str) -> Check:
    return await _now(cluster, node, closed=True)


@tool(effect="mutate")
async def uncordon(cluster: Cluster, node: str) -> Result:
    """Let pods onto a node again."""
    after = await _set(cluster, node, closed=False)
    line = _node_line("uncordon", node)
    return Result(text=f"node {node} takes pods again", sources=(source(after),), commands=(line,))


@uncordon.preview
async def _uncordon_preview(cluster: Cluster, node: str) -> Preview:
    return await _foresee(cluster, node, closed=False)


@uncordon.undo
def _uncordon_undo(node: str) -> Undo:
    return _node_undo("cordon", node)


@uncordon.verify
async def _uncordon_verify(cluster: Cluster, node: str) -> Check:
    return await _now(cluster, node, closed=False)


cordon.observe(_node_observe)
uncordon.observe(_node_observe)
