"""The revisions of a workload as far as the cluster still keeps them, and the rollouts between them.

Pure functions over a Deployment with its ReplicaSets, a StatefulSet or DaemonSet with its
ControllerRevisions, and events. Whether a revision was any good is not written in them, and nothing here
pretends otherwise.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from opssquad import Json, Ref

from ._edits import author, edits
from ._kube import about, created, dig, event_text, last_seen, moment, ref, uid
from ._template import Field, differs

NUMBER = "deployment.kubernetes.io/revision"
FORMER = "deployment.kubernetes.io/revision-history"
CAUSE = "kubernetes.io/change-cause"
SCALED = re.compile(r"Scaled (up|down) replica set (\S+) (?:from (\d+) )?to (\d+)")


@dataclass(frozen=True)
class Revision:
    """One number of a workload's history.

    `keeper` is the ReplicaSet or ControllerRevision that holds its template. `at` is when it was rolled out
    under this number, `until` when the next one was; None where the cluster does not say. `kept` is False for
    a number that its keeper bore before a rollback gave it a new one: it can no longer be asked for.
    """

    number: int
    workload: Ref
    template: Json
    keeper: Json
    at: datetime | None
    until: datetime | None = None
    cause: str = ""
    current: bool = False
    kept: bool = True


@dataclass(frozen=True)
class Rollout:
    """A change from one revision to the next. `back_to` is the earlier number whose template came back;
    `before` is None for the oldest that is kept; `lost` says that numbers before it are no longer there."""

    revision: Revision
    before: Revision | None
    diff: list[Field] = field(default_factory=list)
    by: str = ""
    back_to: int = 0
    lost: bool = False


def owned(workload: Json, objects: Iterable[Json]) -> list[Json]:
    """The objects whose controller the workload is, by uid: a namesake of the past does not count."""
    mine = uid(workload)
    return [
        each
        for each in objects
        if mine
        and any(
            o.get("uid") == mine and o.get("controller")
            for o in dig(each, "metadata", "ownerReferences", default=())
        )
    ]


REVISION_LABEL = "controller-revision-hash"


def made_from(keeper: Json, pod: Json) -> bool:
    """Whether a pod has the template that a ReplicaSet or ControllerRevision keeps."""
    owners = dig(pod, "metadata", "ownerReferences", default=())
    if keeper["kind"] == "ReplicaSet":
        return any(each.get("uid") == uid(keeper) for each in owners)
    label, name = dig(pod, "metadata", "labels", REVISION_LABEL, default=""), keeper["metadata"]["name"]
    of = {each.get("uid") for each in dig(keeper, "metadata", "ownerReferences", default=())}
    # A StatefulSet writes the whole name of the revision, a DaemonSet its hash.
    named = bool(label) and (label == name or name.endswith(f"-{label}"))
    return named and any(each.get("uid") in of for each in owners)


DIGITS = 18
"""More than a revision can have."""


def number(obj: Json) -> int:
    """The revision that a Deployment or ReplicaSet bears; 0 where the controller has not yet given one."""
    text = dig(obj, "metadata", "annotations", NUMBER, default="0")
    return int(text) if text.isdecimal() and len(text) <= DIGITS else 0


def revisions(workload: Json, keepers: Iterable[Json], events: Sequence[Json] = ()) -> list[Revision]:
    """The history, oldest first. `keepers` are ReplicaSets or ControllerRevisions of the namespace."""
    mine = owned(workload, keepers)
    found = (
        [each for keeper in mine for each in _of_replica_set(workload, keeper, events)]
        if workload["kind"] == "Deployment"
        else [_of_controller_revision(workload, keeper) for keeper in mine]
    )
    found.sort(key=lambda each: each.number)
    if found and not any(each.current for each in found):
        found[-1] = replace(found[-1], current=True)
    ends = [*(each.at for each in found[1:]), None]
    return [replace(each, until=end) for each, end in zip(found, ends, strict=False)]


def _of_replica_set(workload: Json, keeper: Json, events: Sequence[Json]) -> list[Revision]:
    now, template = number(keeper), _clean(dig(keeper, "spec", "template", default={}))
    past = [
        int(n) for n in dig(keeper, "metadata", "annotations", FORMER, default="").split(",") if n.isdecimal()
    ]
    born, cause = created(keeper), dig(keeper, "metadata", "annotations", CAUSE, default="")
    current = bool(now) and now == number(workload)
    at = _again(workload, keeper, events, current) if past else born
    revision = Revision(now, ref(workload), template, keeper, at, cause=cause, current=current)
    # Only the first number has a time of its own: the moment the ReplicaSet was made.
    return [
        *(
            replace(revision, number=n, at=born if i == 0 else None, cause="", current=False, kept=False)
            for i, n in enumerate(past)
        ),
        revision,
    ]


def _again(workload: Json, keeper: Json, events: Sequence[Json], current: bool) -> datetime | None:
    """When a ReplicaSet of old was put to use again: the event that scaled it up from nothing, else, for the
    current one, the last write to the Deployment's template."""
    name = keeper["metadata"]["name"]
    ups = [
        last_seen(each)
        for each in events
        if about(each) == ref(workload)
        and (scaled := SCALED.search(event_text(each)))
        and scaled.group(1) == "up"
        and scaled.group(2) == name
        and scaled.group(3) in {None, "0"}
    ]
    if ups:
        return max(ups)
    writes = [e.at for e in edits(workload) if not e.system and e.below("spec.template")]
    return max(writes, default=None) if current else None


def _of_controller_revision(workload: Json, keeper: Json) -> Revision:
    template = {k: v for k, v in dig(keeper, "data", "spec", "template", default={}).items() if k != "$patch"}
    current = dig(workload, "status", "updateRevision") == keeper["metadata"]["name"]
    # Rolling back gives the old object a new number and changes nothing else: that write is its last.
    stamps = [moment(each.get("time")) for each in dig(keeper, "metadata", "managedFields", default=())]
    at = max((stamp for stamp in stamps if stamp), default=created(keeper))
    return Revision(
        int(keeper.get("revision", 0)),
        ref(workload),
        _clean(template),
        keeper,
        at,
        cause=dig(keeper, "metadata", "annotations", CAUSE, default=""),
        current=current,
    )


def _clean(template: Json) -> Json:
    """The template without the label that the controller puts into its own copy."""
    meta = dict(template.get("metadata") or {})
    if "labels" in meta:
        meta["labels"] = {k: v for k, v in meta["labels"].items() if k != "pod-template-hash"}
    return {**template, "metadata": meta}


def rollouts(workload: Json, history: Sequence[Revision]) -> list[Rollout]:
    """What each revision changed against the nearest one before that is still kept, newest first."""
    found = []
    for index, each in enumerate(history):
        before = history[index - 1] if index else None
        found.append(
            Rollout(
                each,
                before,
                differs(before.template, each.template) if before else [],
                author(workload, each.at, "spec.template") if each.at else "",
                _returned(history, index),
                each.number - (before.number if before else 0) > 1,
            )
        )
    return found[::-1]


def _returned(history: Sequence[Revision], index: int) -> int:
    """The earlier number of the same keeper, where this revision is a return to it; 0 otherwise."""
    mine = uid(history[index].keeper)
    earlier = [e.number for e in history[:index] if uid(e.keeper) == mine]
    return earlier[-1] if earlier else 0


def previous(history: Sequence[Revision]) -> Revision | None:
    """What `kubectl rollout undo` returns to: the highest kept number below the current one."""
    current = next((each for each in history if each.current), None)
    if current is None:
        return None
    return next((e for e in reversed(history) if e.kept and e.number < current.number), None)
