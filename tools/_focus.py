"""Looking at one workload of a scene: finding it by name, and the signals that concern it."""

import difflib
from collections import defaultdict

from opssquad import Ref, Signal, ToolError

from ._kube import ref
from .signals._scene import Scene
from .signals.reading import concerning
from .signals.replicas import KINDS

ALIKE = 3
"""Signals of one name that are kept for one workload: more pods of it tell nothing new."""
MOST_WELL = 30
"""Past so many workloads, those that are well are counted and not told one by one."""


def workload_named(name: str, scene: Scene, kind: str = "") -> Ref:
    """The workload of that name (`auth-service`, `deploy/auth-service`), of that kind if there are several.

    ToolError with the nearest names.
    """
    bare = name.rsplit("/", 1)[-1]
    known = [ref(each) for each in scene.of(*KINDS, "CronJob", "Job")]
    same = [each for each in known if each.name == bare]
    if same:
        return next((each for each in same if each.kind.lower() == kind.lower()), same[0])
    near = difflib.get_close_matches(bare, [each.name for each in known], n=3, cutoff=0.4)
    said = ", ".join(near) or ", ".join(each.name for each in known[:8]) or "there is none"
    raise ToolError(f"no workload {bare!r} here; nearest: {said}")


def concerned(workload: Ref, signals: list[Signal], scene: Scene) -> list[Signal]:
    """What concerns the workload: its own signals, of nodes its pods are on, or would be if those were open,
    of what refuses its pods, and of what names it as one that it hits."""
    nodes = {pod["spec"].get("nodeName") for pod in scene.pods_of(workload)}
    mine = concerning(signals, workload)
    refused = {each.data.get("object") for each in mine}
    closed = {name for each in mine for name in each.data.get("closed", ())}
    return [
        each
        for each in signals
        if each in mine
        or (each.entity.kind == "Node" and each.entity.name in nodes)
        or str(each.entity) in refused | closed
        or str(workload) in each.data.get("used_by", ())
    ]


def thin(signals: list[Signal]) -> list[Signal]:
    """A few signals of each name for each owner, and none of the well ones where there are very many."""
    seen: dict[tuple[str, Ref], int] = defaultdict(int)
    well = sum(each.id == "workload.healthy" for each in signals)
    kept = []
    for each in signals:
        seen[each.id, each.owner] += 1
        many = each.id == "workload.healthy" and well > MOST_WELL
        if seen[each.id, each.owner] <= ALIKE and not many:
            kept.append(each)
    return kept
