"""Changing single objects: a patch of anything but a Secret."""

import json
from typing import Annotated, Any, Literal

from opssquad import Check, Cluster, Json, Preview, Progress, Ref, Result, ToolError, Undo, tool

from ._binding import binding
from ._fields import unified
from ._kube import kubectl, ref, source
from ._patched import KINDS, judged
from ._patched import before as told_before
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
    told = await told_before(cluster, where) if where.kind in KINDS else {}
    pods = f"; its {state.desired} pods may be replaced, {state.ready} are ready now" if state else ""
    return Preview(
        command=_patch_line(where, body, how),
        impact=f"{fields} lines of {where} differ{pods}",
        risk="high",
        risk_rule="a free patch is only as good as its author: read the diff",
        diff=diff,
        binding=binding(before),
        verify_plan="read it again; watch the rollout if it has pods; compare what is told of it",
        before=state.snapshot() if state else {"uid": before["metadata"].get("uid", ""), **told},
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
    if now["kind"] in KINDS and (found := await judged(cluster, now, before)):
        return found
    text = f"{ref(now)} is as patched; whether that helped shows in what uses it: check with `health`"
    return Check(outcome="unknown", text=text)
