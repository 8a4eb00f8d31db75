"""Deleting a pod, so that its controller makes a new one; by force where it does not go by itself."""

import asyncio

from opssquad import Check, Cluster, Json, Preview, Progress, Ref, Result, Risk, ToolError, Undo, tool

from ._binding import GONE, alive
from ._kinds import ROLLED
from ._kube import condition, controller, dig, kubectl, owner, ref, source, uid
from ._pods import is_finished, is_ready, is_terminating
from ._watch import verify

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
"""The taint by which somebody vouches that a node's machine is down."""


def _one(pod: Json) -> str:
    """The uid of the very pod that is meant. Raises ToolError where the server tells none."""
    if not (found := uid(pod)):
        raise ToolError("the server tells no uid of that pod: its successor could be deleted in its place")
    return found


@tool(effect="mutate")
async def delete_pod(cluster: Cluster, pod: str, namespace: str, force: bool = False) -> Result:
    """Delete a pod; its controller makes a new one. force: only a stuck one, its end is not waited for."""
    found = await cluster.get("Pod", pod, namespace)
    where = ref(found)
    if force:
        await _unstuck(cluster, found)
    # With its uid, so that a retry can never hit the pod that came after it.
    await cluster.delete("Pod", pod, where.namespace, uid=_one(found), grace=0 if force else None)
    if force and _finalizers(found):
        await _let_go(cluster, found)
    text = f"pod {pod} is {'taken off the record' if force else 'being deleted'}"
    return Result(text=text, sources=(source(found),), commands=(_line(where, force),))


async def _let_go(cluster: Cluster, found: Json) -> None:
    """Take its finalizers away; it may be gone by then."""
    where = ref(found)
    body: list[Json] = [
        {"op": "test", "path": "/metadata/uid", "value": _one(found)},
        {"op": "remove", "path": "/metadata/finalizers"},
    ]
    if await cluster.find("Pod", where.name, where.namespace):
        await cluster.patch("Pod", where.name, where.namespace, body, how="json")


def _finalizers(pod: Json) -> list[str]:
    return list(dig(pod, "metadata", "finalizers", default=()))


def _line(where: Ref, force: bool) -> str:
    flags = ("--force", "--grace-period=0") if force else ()
    return kubectl("delete", "pod", where.name, *flags, namespace=where.namespace)


async def _node_of(cluster: Cluster, found: Json) -> tuple[str, Json | None]:
    """The name of a pod's node, and the node; None where it is gone."""
    name = str(dig(found, "spec", "nodeName", default=""))
    return name, await cluster.find("Node", name) if name else None


async def _unstuck(cluster: Cluster, found: Json) -> str:
    """Why a pod does not go by itself. Raises ToolError where it would, or where force could harm data."""
    pod, (name, node) = ref(found).name, await _node_of(cluster, found)
    ready = condition(node, "Ready").get("status", "") if node else "gone"
    if not is_terminating(found) and ready == "True":
        raise ToolError(f"pod {pod} is not stuck: delete it without force")
    if name and node and ready != "True":
        taints = [each.get("key") for each in dig(node, "spec", "taints", default=())]
        if _keeps_data(found) and OUT_OF_SERVICE not in taints:
            raise ToolError(
                f"node {name} does not answer, so {pod} may still run there and write to its volume, and a "
                "second one would write beside it: have the machine stopped first, then taint the node "
                f"{OUT_OF_SERVICE}=nodeshutdown:NoExecute, or delete the node"
            )
        return f"its node {name} does not answer"
    if finalizers := _finalizers(found):
        return f"finalizers hold it: {', '.join(finalizers)}"
    return f"its node {name} is gone" if ready == "gone" else "its containers do not stop"


def _keeps_data(found: Json) -> bool:
    """Whether two of it would harm: a StatefulSet's, which promises one of each name, or one with a claim."""
    mine = controller(found)
    claims = any("persistentVolumeClaim" in each for each in dig(found, "spec", "volumes", default=()))
    return claims or (mine is not None and mine.kind == "StatefulSet")


async def _siblings(cluster: Cluster, found: Json) -> list[Json]:
    """The other pods of the same controller that are not over."""
    mine = controller(found)
    pods = await cluster.list("Pod", ref(found).namespace)
    return [p for p in pods if mine and controller(p) == mine and ref(p) != ref(found) and not is_finished(p)]


@delete_pod.preview
async def _preview(cluster: Cluster, pod: str, namespace: str, force: bool) -> Preview:
    found = await cluster.get("Pod", pod, namespace)
    where = ref(found)
    if is_terminating(found) and not force:
        raise ToolError(f"pod {pod} is being deleted already; where it does not go, use force")
    stuck = await _unstuck(cluster, found) if force else ""
    grace = 0 if force else None
    await cluster.delete("Pod", pod, where.namespace, uid=_one(found), grace=grace, dry_run=True)
    others = await _siblings(cluster, found)
    ready = sum(map(is_ready, others))
    risk, rule = _risk(found, ready, force)
    return Preview(
        command=_line(where, force),
        impact=f"{_impact(found, ready)}; {_end(found, stuck)}",
        risk=risk,
        risk_rule=rule,
        diff=f"- {where} ({_bound(found, force)})",
        binding={str(where): _bound(found, force)},
        verify_plan="watch until its controller has as many ready pods as it wants",
        before={
            "ready": ready + is_ready(found),
            "owner": str(owner(found)),
            "desired": len(others) + (not is_terminating(found)),
            "uid": _one(found) if force else "",
        },
    )


def _impact(found: Json, others: int) -> str:
    return f"1 pod goes ({'ready' if is_ready(found) else 'not ready'}); {others} others of it are ready"


def _end(found: Json, stuck: str) -> str:
    """How it ends: with time to stop, or by force."""
    if not stuck:
        return f"it has {dig(found, 'spec', 'terminationGracePeriodSeconds', default=30)} s to stop"
    names = ", ".join(_finalizers(found))
    freed = f", its finalizers are removed ({names})" if names else ""
    return f"{stuck}. By force: it is taken off the record{freed}; nobody waits for its containers to stop"


def _risk(found: Json, others: int, force: bool) -> tuple[Risk, str]:
    if force and _finalizers(found):
        return "high", "by force: what its finalizers are to clean up is not cleaned up"
    if force:
        return "high", "by force: its containers may go on running, unseen, while a new one starts"
    if controller(found) is None:
        return "high", "no controller will make it again"
    if not is_ready(found):
        return "low", "it is not ready and its controller replaces it"
    return ("low", "others serve meanwhile") if others else ("medium", "it is the only ready pod")


def _bound(found: Json | None, force: bool) -> str:
    """The pod as the card is bound to it; one that goes by force may be on its way out."""
    if not force or found is None or not is_terminating(found):
        return alive(found)
    node = dig(found, "spec", "nodeName", default="none")
    return f"uid={_one(found)[:8]} node={node} terminating"


@delete_pod.undo
async def _undo(cluster: Cluster, pod: str, namespace: str) -> Undo:
    found = await cluster.get("Pod", pod, namespace)
    mine = controller(found)
    return Undo(
        note=f"none: {mine.kind} {mine.name} makes a new one" if mine else "none: the pod is gone for good"
    )


@delete_pod.observe
async def _observe(cluster: Cluster, pod: str, namespace: str, force: bool) -> dict[str, str]:
    found = await cluster.find("Pod", pod, namespace)
    where = ref(found) if found else Ref(kind="Pod", namespace=namespace or cluster.namespace, name=pod)
    return {str(where): _bound(found, force)}


@delete_pod.verify
async def _verify(
    cluster: Cluster, progress: Progress, pod: str, namespace: str, before: dict[str, object]
) -> Check:
    workload = Ref.parse(str(before.get("owner") or f"Pod/{namespace}/{pod}"))
    if workload.kind in ROLLED:
        check = await verify(cluster, progress, workload, before)
        return await _rid_of(cluster, pod, namespace, str(before.get("uid", "")), check)
    for _ in range(60):
        found = await cluster.find("Pod", pod, namespace)
        if alive(found) == GONE:
            return Check(
                outcome="same", text=f"pod {pod} is gone or going; {workload} is not a rolling workload"
            )
        await asyncio.sleep(1)
    return Check(outcome="unknown", text=f"pod {pod} is still there after a minute")


async def _rid_of(cluster: Cluster, pod: str, namespace: str, stuck: str, check: Check) -> Check:
    """The check with a word on the pod that was stuck (its uid): that it is gone is what was wanted."""
    if not stuck:
        return check
    there = await cluster.find("Pod", pod, namespace)
    if there is not None and uid(there) == stuck:
        update: Json = {"text": f"Pod {pod} is still there. {check.text}"}
        update |= {"outcome": "same"} if check.outcome == "better" else {}
    else:
        update = {"text": f"Pod {pod} is gone. {check.text}"}
        update |= {"outcome": "better"} if check.outcome == "same" else {}
    return check.model_copy(update=update)
