"""Changing single objects: a patch of anything but a Secret, and deleting a pod."""

import asyncio
import json
from typing import Annotated, Any, Literal

from opssquad import Check, Cluster, Json, Preview, Progress, Ref, Result, Risk, ToolError, Undo, tool

from ._binding import GONE, alive, binding
from ._fields import unified
from ._kube import controller, dig, kubectl, owner, ref, source, uid
from ._pods import is_finished, is_ready, is_terminating
from ._reverse import reverse
from ._state import look
from ._watch import verify

How = Literal["strategic", "merge", "json"]
ROLLING = ("Deployment", "StatefulSet", "DaemonSet")
Body = Annotated[dict[str, Any] | list[dict[str, Any]], "a list for how=json"]


# patch


@tool(effect="mutate")
async def patch(
    cluster: Cluster, kind: str, name: str, body: Body, namespace: str = "", how: How = "strategic"
) -> Result:
    """Patch any object but a Secret. Custom resources take merge or json."""
    _fits(body, how)
    before = await _patchable(cluster, kind, name, namespace)
    where = ref(before)
    after = await cluster.patch(kind, name, where.namespace, body, how=how)
    diff = unified(str(where), before, after).replace(" (after, server dry run)", " (after)")
    line = _patch_line(where, body, how)
    return Result(text=f"patched {where}\n{diff}", sources=(source(after),), commands=(line,))


def _fits(body: Any, how: str) -> None:
    if isinstance(body, list) != (how == "json"):
        raise ToolError("a JSON patch (how=json) is a list of operations; the other kinds are an object")


async def _patchable(cluster: Cluster, kind: str, name: str, namespace: str) -> Json:
    obj = await cluster.get(kind, name, namespace)
    if obj["kind"] == "Secret":
        raise ToolError(
            "a Secret is not patched from here: its values would be on record; use your secret store"
        )
    return obj


def _patch_line(where: Ref, body: Any, how: str) -> str:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return kubectl(
        "patch", where.kind.lower(), where.name, f"--type={how}", "-p", text, namespace=where.namespace
    )


@patch.preview
async def _patch_preview(
    cluster: Cluster, kind: str, name: str, body: Any, namespace: str, how: How
) -> Preview:
    _fits(body, how)
    before = await _patchable(cluster, kind, name, namespace)
    where = ref(before)
    after = await cluster.patch(kind, name, where.namespace, body, how=how, dry_run=True)
    diff = unified(str(where), before, after)
    if not diff:
        raise ToolError(f"the patch changes nothing of {where}")
    fields = sum(line[0] in "+-" and line[:3] not in {"---", "+++"} for line in diff.splitlines())
    state = await look(cluster, where) if where.kind in ROLLING else None
    pods = f"; its {state.desired} pods may be replaced, {state.ready} are ready now" if state else ""
    return Preview(
        command=_patch_line(where, body, how),
        impact=f"{fields} lines of {where} differ{pods}",
        risk="high",
        risk_rule="a free patch is only as good as its author: read the diff",
        diff=diff,
        binding=binding(before),
        verify_plan="read it again; watch the rollout if it has pods",
        before=state.snapshot() if state else {"uid": before["metadata"].get("uid", "")},
    )


@patch.undo
async def _patch_undo(cluster: Cluster, kind: str, name: str, body: Any, namespace: str, how: How) -> Undo:
    before = await _patchable(cluster, kind, name, namespace)
    where = ref(before)
    after = await cluster.patch(kind, name, where.namespace, body, how=how, dry_run=True)
    back = reverse(before, after)
    if back is None:
        return Undo(
            note="not by us: the former values look like secrets, or whole lists moved; undo it by hand"
        )
    args: Json = {"kind": kind, "name": name, "namespace": where.namespace, "body": back, "how": "json"}
    return Undo(
        note="put the former values back", tool="patch", args=args, command=_patch_line(where, back, "json")
    )


@patch.observe
async def _patch_observe(cluster: Cluster, kind: str, name: str, namespace: str) -> dict[str, str]:
    return binding(await cluster.get(kind, name, namespace))


@patch.verify
async def _patch_verify(
    cluster: Cluster, progress: Progress, kind: str, name: str, namespace: str, before: dict[str, object]
) -> Check:
    now = await cluster.get(kind, name, namespace)
    if now["kind"] in ROLLING:
        return await verify(cluster, progress, ref(now), before)
    text = f"{ref(now)} is as patched; whether that helped shows in what uses it: check with `health`"
    return Check(outcome="unknown", text=text)


# delete_pod


def _one(pod: Json) -> str:
    """The uid of the very pod that is meant. Raises ToolError where the server tells none."""
    if not (found := uid(pod)):
        raise ToolError("the server tells no uid of that pod: its successor could be deleted in its place")
    return found


@tool(effect="mutate")
async def delete_pod(cluster: Cluster, pod: str, namespace: str) -> Result:
    """Delete a pod; its controller makes a new one."""
    found = await cluster.get("Pod", pod, namespace)
    where = ref(found)
    # With its uid, so that a retry can never hit the pod that came after it.
    await cluster.delete("Pod", pod, where.namespace, uid=_one(found))
    return Result(
        text=f"pod {pod} is being deleted", sources=(source(found),), commands=(_delete_line(where),)
    )


def _delete_line(where: Ref) -> str:
    return kubectl("delete", "pod", where.name, namespace=where.namespace)


async def _siblings(cluster: Cluster, found: Json) -> list[Json]:
    """The other pods of the same controller that are not over."""
    mine = controller(found)
    pods = await cluster.list("Pod", ref(found).namespace)
    return [p for p in pods if mine and controller(p) == mine and ref(p) != ref(found) and not is_finished(p)]


@delete_pod.preview
async def _delete_preview(cluster: Cluster, pod: str, namespace: str) -> Preview:
    found = await cluster.get("Pod", pod, namespace)
    where, mine = ref(found), controller(found)
    if is_terminating(found):
        raise ToolError(f"pod {pod} is being deleted already: nothing to do")
    await cluster.delete("Pod", pod, where.namespace, uid=_one(found), dry_run=True)
    others = await _siblings(cluster, found)
    ready = sum(map(is_ready, others))
    impact = f"1 pod goes ({'ready' if is_ready(found) else 'not ready'}); {ready} others of it are ready"
    risk, rule = ("low", "it is not ready and its controller replaces it")
    if mine is None:
        risk, rule = "high", "no controller will make it again"
    elif is_ready(found):
        risk, rule = ("low", "others serve meanwhile") if ready else ("medium", "it is the only ready pod")
    grace = dig(found, "spec", "terminationGracePeriodSeconds", default=30)
    return Preview(
        command=_delete_line(where),
        impact=f"{impact}; it has {grace} s to stop",
        risk=_risk(risk),
        risk_rule=rule,
        diff=f"- {where} ({alive(found)})",
        binding={str(where): alive(found)},
        verify_plan="watch until its controller has as many ready pods as it wants",
        before={"ready": ready + is_ready(found), "owner": str(owner(found)), "desired": len(others) + 1},
    )


def _risk(word: str) -> Risk:
    return "high" if word == "high" else "medium" if word == "medium" else "low"


@delete_pod.undo
async def _delete_undo(cluster: Cluster, pod: str, namespace: str) -> Undo:
    found = await cluster.get("Pod", pod, namespace)
    mine = controller(found)
    return Undo(
        note=f"none: {mine.kind} {mine.name} makes a new one" if mine else "none: the pod is gone for good"
    )


@delete_pod.observe
async def _delete_observe(cluster: Cluster, pod: str, namespace: str) -> dict[str, str]:
    found = await cluster.find("Pod", pod, namespace)
    where = ref(found) if found else Ref(kind="Pod", namespace=namespace or cluster.namespace, name=pod)
    return {str(where): alive(found)}


@delete_pod.verify
async def _delete_verify(
    cluster: Cluster, progress: Progress, pod: str, namespace: str, before: dict[str, object]
) -> Check:
    workload = Ref.parse(str(before.get("owner") or f"Pod/{namespace}/{pod}"))
    if workload.kind in ROLLING:
        return await verify(cluster, progress, workload, before)
    for _ in range(60):
        found = await cluster.find("Pod", pod, namespace)
        if alive(found) == GONE:
            return Check(
                outcome="same", text=f"pod {pod} is gone or going; {workload} is not a rolling workload"
            )
        await asyncio.sleep(1)
    return Check(outcome="unknown", text=f"pod {pod} is still there after a minute")
