"""Health as text: scope, counts, what is broken by the workload that answers, then the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from opssquad import Json, Ref, Signal, clock_time

from ._depends import elsewhere
from ._kube import dig, ref
from ._pods import is_finished, is_ready, is_terminating, lived, ready_count, restarts, state
from ._read import Reading
from ._rights import not_read
from ._text import bullet, some, table
from .signals._scene import Scene
from .signals.replicas import KINDS, desired, ready

MOST_OWNERS = 10
MOST_PODS = 6
MOST_LINES = 5
MOST_WELL = 40
QUIET = frozenset({"workload.unavailable"})
"""Told by the head line of their block."""


@dataclass(frozen=True)
class View:
    """The text, and pods and workloads in the order they are shown."""

    text: str
    pods: tuple[Ref, ...]
    workloads: tuple[Ref, ...]


def view(reading: Reading, signals: Sequence[Signal], scope: str, only: Ref | None = None) -> View:
    """Everything broken first. `only` limits it to one workload, whose pods are then shown in any state."""
    scene = reading.scene
    grave = [each for each in signals if each.severity != "info"]
    owners = list(dict.fromkeys(each.owner for each in grave))
    if only and only not in owners:
        owners.append(only)
    lines = [scope, _counts(reading), ""]
    pods: list[Ref] = []
    if not grave:
        lines += ["Nothing that was read is broken now." if reading.unread else "Nothing is broken now.", ""]
    else:
        lines += ["BROKEN"]
    for owner in owners[:MOST_OWNERS]:
        shown = shown_pods(owner, scene, everything=owner == only)
        pods += [ref(each) for each in shown]
        lines += [*_block(owner, shown, [e for e in grave if e.owner == owner], scene), ""]
    if len(owners) > MOST_OWNERS:
        lines += [f"and {some([_name(each) for each in owners[MOST_OWNERS:]], 12)}", ""]
    lines += [*_afar(reading), *_elsewhere(scene)]
    lines += _rest(signals, owners, scene, only)
    well = [each for each in map(ref, scene.of(*KINDS)) if each not in owners]
    ordered = tuple(each for each in owners if each.kind in KINDS) + (() if only else tuple(well))
    return View("\n".join(lines).rstrip(), tuple(pods), ordered)


def _name(owner: Ref) -> str:
    return f"{owner.kind} {owner.name}"


def _counts(reading: Reading) -> str:
    lacking = reading.pods - reading.ready - reading.finished
    nodes = reading.scene.of("Node")
    up = sum(is_ready(each) for each in nodes)
    words = [f"{reading.pods} pods: {reading.ready} ready, {lacking} not ready, {reading.finished} finished"]
    words += [f"nodes: {up} of {len(nodes)} ready"] if nodes else []
    said = ". ".join(words)
    return f"{said}. {not_read(reading.unread)}" if reading.unread else said


def shown_pods(owner: Ref, scene: Scene, everything: bool) -> list[Json]:
    """The pods of a workload that matter: broken ones by restarts, most first; the others only if asked."""
    pods = [each for each in scene.pods_of(owner) if everything or not _well(each)]
    pods.sort(key=lambda each: (_well(each), -restarts(each), each["metadata"]["name"]))
    return [each for each in pods if everything or not is_finished(each)][
        : MOST_PODS * (4 if everything else 1)
    ]


def _well(pod: Json) -> bool:
    return (is_ready(pod) and not is_terminating(pod)) or dig(pod, "status", "phase") == "Succeeded"


def _block(owner: Ref, pods: list[Json], signals: list[Signal], scene: Scene) -> list[str]:
    lines = [_head(owner, signals, scene)]
    if pods:
        rows = [
            (
                each["metadata"]["name"],
                ready_count(each),
                state(each),
                f"{restarts(each)} in {lived(each, scene.now)}",
            )
            for each in pods
        ]
        lines += table(("POD", "READY", "STATE", "RESTARTS"), rows)
    told = [each for each in signals if each.id not in QUIET]
    order = {ref(each): index for index, each in enumerate(pods)}
    for name in list(dict.fromkeys(each.id for each in told))[:MOST_LINES]:
        same = [each for each in told if each.id == name]
        more = f" (+{len(same) - 1} alike)" if len(same) > 1 else ""
        first = min(same, key=lambda each: order.get(each.entity, len(order)))
        lines += bullet(f"{first.text}{more}")
    return lines


def _head(owner: Ref, signals: list[Signal], scene: Scene) -> str:
    missing = next((each.text for each in signals if each.id in QUIET), None)
    obj = scene.get(owner)
    said = missing or _name(owner)
    if obj and owner.kind in KINDS and not missing:
        said = f"{said}: {ready(obj)} of {desired(obj)} pods ready"
    several = len({each["metadata"].get("namespace") for each in scene.of("Pod")}) > 1
    return f"{owner.namespace}: {said}" if several and owner.namespace else said


def _afar(reading: Reading) -> list[str]:
    """Namespaces with trouble that were not looked into."""
    if not reading.afar:
        return []
    lines = ["ALSO NOT WELL (ask for the namespace to see more)"]
    for space, said in list(reading.afar.items())[:10]:
        lines += bullet(f"{space}: {some(said, 2)}")
    left = len(reading.afar) - 10
    return [*lines, f"  and {left} more namespaces" if left > 0 else "", ""]


def _elsewhere(scene: Scene) -> list[str]:
    """Namespaces that what was read calls into and that were not looked at."""
    calls = elsewhere(scene)
    lines = ["CALLS INTO (not looked at here)"] if calls else []
    for space, callers in list(calls.items())[:MOST_LINES]:
        lines += bullet(f"{space}: {some([each.name for each in callers], 4)}")
    return [*lines, ""] if lines else []


def _rest(signals: Sequence[Signal], owners: list[Ref], scene: Scene, only: Ref | None) -> list[str]:
    """What has recovered, what is stale, and what is well, a line each."""
    grave = {each.owner for each in signals if each.severity != "info"}
    back = [each for each in signals if each.id == "workload.recovered" and each.owner not in grave]
    lines = [each.text for each in back][:5]
    lines = ["RECOVERED", *(line for each in lines for line in bullet(each))] if lines else []
    stale = [each for each in signals if each.data.get("role") == "stale" and each.until]
    if stale:
        words = [
            f"{each.owner.name} {each.id.removeprefix('probe.')} at {clock_time(each.until)}"
            for each in stale
            if each.until
        ]
        lines += ["STALE WARNINGS (their pods are ready now)", *bullet(some(words, 4))]
    well = [
        f"{each['metadata']['name']} {ready(each)}/{desired(each)}"
        for each in scene.of(*KINDS)
        if ref(each) not in owners
    ]
    if well and not only and len(well) <= MOST_WELL:
        lines += ["WELL", *bullet(some(well, 14))]
    return lines
