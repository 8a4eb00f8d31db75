"""Changes of a workload's replica count, told apart from the steps of a rollout.

Pure functions over events (kept for an hour) and managedFields (kept for good, but only the last write of
each manager, and none where `kubectl scale` wrote a zero).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opssquad import Json, Ref

from ._edits import CLOSE, drift, edits
from ._kube import about, dig, event_text, last_seen, ref
from ._revisions import SCALED, Revision

# A Recreate rollout takes the old pods down first and waits until they are gone.
RECREATE = timedelta(minutes=10)


@dataclass(frozen=True)
class Scaling:
    """A change of the replica count. `before` is None where nothing says it; `by` is empty where no manager
    is recorded. `event` is the event that tells of it, None where only managedFields do."""

    workload: Ref
    at: datetime
    before: int | None
    after: int
    by: str
    event: Json | None = None
    source: Json | None = None


@dataclass(frozen=True)
class _Step:
    at: datetime
    name: str
    before: int | None
    after: int
    event: Json


def scalings(
    workload: Json, history: Sequence[Revision], events: Iterable[Json], rescales: Iterable[Json] = ()
) -> list[Scaling]:
    """Every scaling that the API still tells of, newest first. `rescales` are events of its autoscaler."""
    mine = [each for each in events if about(each) == ref(workload)]
    found = _from_events(workload, history, mine)
    known = [each.at for each in found]
    for edit in edits(workload):
        alone = edit.subresource == "scale" or edit.fields == ("spec.replicas",)
        if alone and not edit.created and not any(abs(edit.at - at) <= CLOSE for at in known):
            after = int(dig(workload, "spec", "replicas", default=1))
            found.append(
                Scaling(
                    ref(workload), edit.at, _applied(workload), after, _who(workload, edit.at), None, workload
                )
            )
    stamps = [last_seen(each) for each in rescales]
    named = [
        Scaling(e.workload, e.at, e.before, e.after, "HorizontalPodAutoscaler", e.event, e.source)
        if any(abs(e.at - at) <= CLOSE for at in stamps)
        else e
        for e in found
    ]
    return sorted(named, key=lambda each: each.at, reverse=True)


def _from_events(workload: Json, history: Sequence[Revision], events: Sequence[Json]) -> list[Scaling]:
    steps = sorted(filter(None, map(_step, events)), key=lambda each: each.at)
    counts = {
        e.keeper["metadata"]["name"]: int(dig(e.keeper, "spec", "replicas", default=0)) for e in history
    }
    for step in reversed(steps):
        if step.before is not None:
            counts[step.name] = step.before
    found = []
    for step in steps:
        before = counts.get(step.name, 0) if step.before is None else step.before
        others = any(count for name, count in counts.items() if name != step.name)
        counts[step.name] = step.after
        if (
            not others
            and not _rolls(step, before, steps, history)
            and not _making_room(workload, step, steps)
        ):
            found.append(
                Scaling(
                    ref(workload), step.at, before, step.after, _who(workload, step.at), step.event, workload
                )
            )
    return found


def _step(event: Json) -> _Step | None:
    scaled = SCALED.search(event_text(event))
    if scaled is None:
        return None
    before = int(scaled.group(3)) if scaled.group(3) is not None else None
    return _Step(last_seen(event), scaled.group(2), before, int(scaled.group(4)), event)


def _rolls(step: _Step, before: int, steps: Sequence[_Step], history: Sequence[Revision]) -> bool:
    """Whether the step belongs to a rollout: it starts a revision, goes hand in hand with a step of another
    ReplicaSet, or makes room for one."""
    others = [each for each in steps if each.name != step.name]
    if any(abs(each.at - step.at) <= CLOSE for each in others):
        return True
    if step.after == 0 and any(step.at <= each.at <= step.at + RECREATE for each in others):
        return True
    return before == 0 and any(
        each.keeper["metadata"]["name"] == step.name and each.at and abs(each.at - step.at) <= CLOSE
        for each in history
    )


def _making_room(workload: Json, step: _Step, steps: Sequence[_Step]) -> bool:
    """Whether the old pods were just taken down for new ones that are not there yet: nobody asks for 0."""
    return step is steps[-1] and step.after == 0 and bool(dig(workload, "spec", "replicas", default=1))


def _who(workload: Json, at: datetime) -> str:
    for edit in edits(workload):
        if abs(edit.at - at) <= CLOSE and edit.below("spec.replicas"):
            return edit.manager
    return ""


def _applied(workload: Json) -> int | None:
    """The count that `kubectl apply` last asked for, where the present one differs."""
    found = next((each.before for each in drift(workload) if each.path == "spec.replicas"), None)
    return int(found) if found is not None else None
