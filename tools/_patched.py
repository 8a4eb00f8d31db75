"""Whether a patch of what stands between callers and pods helped: the signals about it before and after."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from opssquad import Check, Cluster, Json, Ref, Signal, ToolError

from ._kube import compact, quote_at, ref, source
from ._read import read
from ._text import some
from .signals._scene import Scene, make
from .signals.reading import read_signals

KINDS = frozenset(
    {"Ingress", "HTTPRoute", "GRPCRoute", "NetworkPolicy", "Service", "AuthorizationPolicy"}
    | {"PeerAuthentication"}
)
DENIERS = {"NetworkPolicy": "policy", "AuthorizationPolicy": "mesh", "PeerAuthentication": "mesh"}
"""The families of signals that tell what a policy denies."""
FOLLOWED = frozenset({"Service", "HTTPRoute", "GRPCRoute"})
"""Kinds of which a controller tells only after a while how they do."""
WHAT = ("path", "ref", "lacks", "class", "service", "port", "why")
"""What tells two signals of one name about one object apart, whatever the time."""
PATIENCE, PAUSE, MOST = timedelta(seconds=20), 0.5, 4


async def told(cluster: Cluster, where: Ref) -> tuple[list[Signal], Scene]:
    """The signals about an object, and the scene that they were read off: of a policy every call that is
    denied, whichever policy is the newest that does. Raises ToolError."""
    scene = (await read(cluster, where.namespace)).scene
    family = DENIERS.get(where.kind)
    found = read_signals(scene)
    mine = [s for s in found if where in (s.entity, s.owner) or (family and _denies(s) == family)]
    return mine, scene


def _denies(signal: Signal) -> str | None:
    """The family of a signal that tells of denied calls."""
    family, _, what = signal.id.partition(".")
    return family if what == "denies" else None


async def before(cluster: Cluster, where: Ref) -> Json:
    """What is told of it, for a card's `before`; empty where it cannot be read."""
    try:
        return {"told": facts((await told(cluster, where))[0])}
    except ToolError:
        return {}


def facts(signals: Iterable[Signal]) -> dict[str, str]:
    """What they tell, without when: each denied call by itself, with the words for it."""
    found: dict[str, str] = {}
    for each in signals:
        if _denies(each):
            found |= {line: line for line in _denied(each)}
        else:
            what = [str(each.data[key]) for key in WHAT if each.data.get(key)]
            found[compact([each.id, str(each.entity), *what])] = each.text
    return found


def _denied(signal: Signal) -> list[str]:
    calls = signal.data.get("calls")
    lines = [
        f"{Ref.parse(str(each['from'])).name} cannot call {Ref.parse(str(each['to'])).name}"
        + (f":{each['port']}" if each["port"] else "")
        + (f" ({signal.data['direction']})" if signal.data.get("direction") else "")
        for each in (calls if isinstance(calls, list) else ())
    ]
    if signal.data.get("allows_dns") is False:
        lines += [f"{Ref.parse(str(each)).name} cannot ask the DNS" for each in _list(signal, "used_by")]
    return lines


def _list(signal: Signal, key: str) -> list[object]:
    found = signal.data.get(key)
    return found if isinstance(found, list) else []


async def judged(cluster: Cluster, obj: Json, stood: dict[str, object]) -> Check | None:
    """What the patch came to; None where nothing was told of the object, neither before nor after."""
    where, was = ref(obj), stood.get("told")
    if not isinstance(was, dict):
        return None
    began = cluster.now()
    while True:
        signals, scene = await told(cluster, where)
        now = facts(signals)
        early = cluster.now() - began < PATIENCE
        if not (was and where.kind in FOLLOWED and now.keys() == was.keys() and early):
            return _check(obj, was, now, signals, scene) if was or now else None
        await asyncio.sleep(PAUSE)


def _check(obj: Json, was: dict[str, str], now: dict[str, str], signals: list[Signal], scene: Scene) -> Check:
    where = ref(obj)
    gone = [words for key, words in was.items() if key not in now]
    grave = facts(each for each in signals if each.severity != "info" or _denies(each))
    new = [words for key, words in grave.items() if key not in was]
    stays = [words for key, words in now.items() if key in was]
    lines = [(gone, "no more"), (new, "new"), (stays, "still")]
    said = "; ".join(f"{how}: {some(each, MOST)}" for each, how in lines if each)
    mended = make(
        "object.mended",
        where,
        where,
        f"{where.kind} {where.name} is patched; no more: {some(gone, MOST)}",
        [quote_at(obj, "metadata", "name")],
        severity="info",
    )
    helped = bool(gone) and not new
    read_off = scene.sources(signals)
    seen = {each.locator for each in read_off}
    kept = (*((mended,) if helped else ()), *signals)
    return Check(
        outcome="better" if helped else "worse" if new else "same",
        text=f"{where} is as patched; {said}",
        signals=kept,
        quotes=mended.quotes,
        sources=(*read_off, *(each for each in (source(obj),) if each.locator not in seen)),
    )
