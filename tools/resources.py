"""Other requests and limits for a container of a workload, with their card, their undo and their check."""

from typing import Annotated

from opssquad import Cluster, Json, Preview, Ref, Result, Risk, ToolError, Undo, tool

from ._amounts import amounts, same
from ._back import back
from ._change import (
    Card,
    Kind,
    address,
    check,
    container_of,
    container_patch,
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
from ._quantity import parse
from ._state import State

Amounts = Annotated[str, "as in cpu=500m,memory=512Mi; memory- removes it; empty = as it is"]
SIDES = ("limits", "requests")


@tool(effect="mutate")
async def set_resources(
    cluster: Cluster,
    name: str,
    namespace: str,
    limits: Amounts = "",
    requests: Amounts = "",
    container: str = "",
    kind: Kind = "Deployment",
) -> Result:
    """Set requests and limits of a container."""
    where = address(cluster, kind, name, namespace)
    workload = await cluster.get(where.kind, where.name, where.namespace)
    key, each = container_of(workload, container)
    wanted = _wanted(each, limits, requests)
    body = container_patch(key, each["name"], {"resources": wanted})
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic")
    text = f"{name} container {each['name']}: {_words(each, wanted)}"
    return done(after, where, text, _line(where, each["name"], wanted))


def _wanted(container: Json, limits: str, requests: str) -> Json:
    """What differs from what the container has, by side; None takes a resource away. Raises ToolError."""
    has = container.get("resources") or {}
    found: Json = {}
    for side, text in zip(SIDES, (limits, requests), strict=True):
        now = has.get(side) or {}
        asked = amounts(side, text)
        changed = {k: v for k, v in asked.items() if not same(v, now.get(k))}
        if changed:
            found[side] = changed
    if not found:
        said = "give limits or requests" if not limits and not requests else "nothing to do"
        raise ToolError(f"container {container['name']} keeps its requests and limits as they are: {said}")
    return found


def _words(container: Json, wanted: Json) -> str:
    """`limits memory 256Mi -> 512Mi`."""
    has = container.get("resources") or {}
    return ", ".join(
        f"{side} {name} {dig(has, side, name, default='(none)')} -> {value or '(none)'}"
        for side, values in wanted.items()
        for name, value in values.items()
    )


def _line(where: Ref, container: str, wanted: Json) -> str:
    if any(value is None for values in wanted.values() for value in values.values()):
        return line(where, "edit", target(where))
    flags = [
        f"--{side}={','.join(f'{name}={value}' for name, value in values.items())}"
        for side, values in wanted.items()
    ]
    return line(where, "set", "resources", target(where), f"--containers={container}", *flags)


@set_resources.preview
async def _preview(
    cluster: Cluster, name: str, namespace: str, limits: str, requests: str, container: str, kind: str
) -> Preview:
    where = address(cluster, kind, name, namespace)
    state = await standing(cluster, where)
    key, each = container_of(state.workload, container)
    wanted = _wanted(each, limits, requests)
    body = container_patch(key, each["name"], {"resources": wanted})
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic", dry_run=True)
    risk, rule = _risk(state, each, wanted)
    words = f"{_words(each, wanted)}; {rolls(state)}; whether nodes have the room is not checked"
    return preview(state, after, Card(_line(where, each["name"], wanted), words, risk, rule))


def _risk(state: State, container: Json, wanted: Json) -> tuple[Risk, str]:
    """A limit that goes down can kill what ran within the old one."""
    had = dig(container, "resources", "limits", default={})
    asked = wanted.get("limits") or {}
    lower = [n for n, value in asked.items() if value and (n not in had or parse(value) < parse(had[n]))]
    if lower and state.ready:
        return "high", f"the limit of {', '.join(lower)} goes down: what runs within the old one may not"
    risk, rule = risk_of_roll(state)
    return ("medium", "a new setting starts in every pod") if risk == "low" and state.ready else (risk, rule)


@set_resources.undo
async def _undo(cluster: Cluster, name: str, namespace: str, kind: str) -> Undo:
    where = address(cluster, kind, name, namespace)
    return await back(cluster, where, await standing(cluster, where))


set_resources.observe(observe)
set_resources.verify(check)
