"""Rollouts and scalings of workloads as entries of the timeline of changes; pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from opssquad import Json, Quote, clock_time, rfc3339

from ._edits import edits
from ._entry import Entry, signal
from ._former import of_template
from ._kube import about, compact, dig, event_source, quote_at, ref, source
from ._revisions import NUMBER, Revision, Rollout, revisions, rollouts
from ._scalings import Scaling, scalings
from ._template import differs, lowered, only_restart, summary


def workload_entries(
    workload: Json, keepers: Sequence[Json], events: Sequence[Json], autoscalers: Sequence[Json]
) -> Iterator[Entry]:
    """Every rollout whose time is known, and every scaling, of one workload; in no order."""
    history = revisions(workload, keepers, events)
    for rollout in rollouts(workload, history):
        if rollout.revision.at is not None:
            yield rollout_entry(workload, rollout, rollout.revision.at)
    if begun := _begun(workload, history):
        yield begun
    mine = {
        str(ref(each))
        for each in autoscalers
        if dig(each, "spec", "scaleTargetRef", "name") == ref(workload).name
        and dig(each, "spec", "scaleTargetRef", "kind") == workload["kind"]
    }
    rescales = [e for e in events if e.get("reason") == "SuccessfulRescale" and str(about(e)) in mine]
    for scaling in scalings(workload, history, events, rescales):
        yield scaling_entry(workload, scaling)


def _begun(workload: Json, history: Sequence[Revision]) -> Entry | None:
    """A new pod template of which no revision is there yet: the old pods still have to go."""
    current = next((each for each in history if each.current), None)
    diff = differs(current.template, workload["spec"]["template"]) if current else []
    edit = next((each for each in edits(workload) if each.below("spec.template")), None)
    if workload["kind"] != "Deployment" or not diff or edit is None:
        return None
    address, words = ref(workload), summary(diff)
    where = source(workload, managed=True).locator
    return Entry(
        at=edit.at,
        what=f"{address.kind} {address.name} edited: {words}; its rollout has only begun",
        who=edit.manager,
        about=address,
        signal=signal(
            "rollout.begun",
            address,
            f"{address.name} edited at {clock_time(edit.at)}: {words}; its rollout has only begun",
            edit.at,
            [Quote(locator=where, text=edit.entry)],
            {"at": rfc3339(edit.at), "by": edit.manager, "diff": [each.data() for each in diff]},
        ),
        read=(workload,),
    )


def rollout_entry(workload: Json, rollout: Rollout, at: datetime) -> Entry:
    """A rollout: the difference it made, who, and why as far as it was noted down."""
    revision, address = rollout.revision, ref(workload)
    told = rollout_words(rollout)
    text = f"{address.name} revision {revision.number} rolled out at {clock_time(at)}: {told}"
    return Entry(
        at=at,
        what=f"{address.kind} {address.name} revision {revision.number}: {told}",
        who=rollout.by,
        about=address,
        signal=signal(
            "rollout.recent",
            address,
            text,
            at,
            _quotes(workload, rollout),
            {
                "revision": revision.number,
                "at": rfc3339(at),
                "by": rollout.by,
                "cause": revision.cause,
                "back_to": rollout.back_to,
                "diff": [each.data() for each in rollout.diff],
                "former": _former(rollout),
                "lowered": lowered(rollout.diff),
                "container": sorted({each.container for each in rollout.diff if each.container}),
            },
        ),
        read=(workload, revision.keeper, *((rollout.before.keeper,) if rollout.before else ())),
        data=rollout_data(rollout),
    )


def _former(rollout: Rollout) -> Json:
    """What the rollout of what runs now can be set back to without a rollback."""
    if rollout.before is None or not rollout.revision.current:
        return {}
    return of_template(rollout.before.template, rollout.revision.template)


def rollout_data(rollout: Rollout) -> Json:
    """A rollout as it stands in a result's data."""
    revision = rollout.revision
    return {
        "workload": str(revision.workload),
        "revision": revision.number,
        "at": rfc3339(revision.at) if revision.at else "",
        "by": rollout.by,
        "cause": revision.cause,
        "diff": [each.data() for each in rollout.diff],
    }


def rollout_words(rollout: Rollout) -> str:
    """What a rollout changed: `image v1 -> v2`, `back to revision 2 (image v3 -> v2)`, `created`."""
    if rollout.before is None:
        return "created" if rollout.revision.number == 1 else "the revision before is no longer kept"
    words = summary(rollout.diff)
    if rollout.back_to:
        words = f"back to the template of revision {rollout.back_to} ({words})"
    if rollout.lost and not only_restart(rollout.diff):
        words += f" (against revision {rollout.before.number}; those between are no longer kept)"
    return words


def _quotes(workload: Json, rollout: Rollout) -> Iterator[Quote]:
    """Number and time from the ReplicaSet; the new values from the workload itself where they stand there."""
    revision = rollout.revision
    keeper = source(revision.keeper, managed=True)
    number = f"{compact(NUMBER)}:{compact(str(revision.number))}"
    yield from (Quote(locator=keeper.locator, text=number) for _ in range(number in keeper.text))
    yield quote_at(revision.keeper, "metadata", "creationTimestamp")
    live = source(workload, managed=True)
    for each in rollout.diff:
        new = live if revision.current and each.new in live.text else keeper
        if each.new and each.new in new.text:
            yield Quote(locator=new.locator, text=each.new)
        if rollout.before and each.old:
            old = source(rollout.before.keeper, managed=True)
            yield from (Quote(locator=old.locator, text=each.old) for _ in range(each.old in old.text))


def scaling_entry(workload: Json, scaling: Scaling) -> Entry:
    """A change of the replica count."""
    address = ref(workload)
    before = "?" if scaling.before is None else str(scaling.before)
    who = scaling.by or "somebody; the API keeps no name for it"
    quotes = [quote_at(workload, "spec", "replicas")] if dig(workload, "spec", "replicas") is not None else []
    events = (scaling.event,) if scaling.event else ()
    return Entry(
        at=scaling.at,
        what=f"{address.kind} {address.name} scaled from {before} to {scaling.after}",
        who=scaling.by,
        about=address,
        signal=signal(
            "scale.changed",
            address,
            f"{address.name} scaled from {before} to {scaling.after} at {clock_time(scaling.at)} by {who}",
            scaling.at,
            [*quotes, *(event_source(each) for each in events)],
            {"from": scaling.before, "to": scaling.after, "at": rfc3339(scaling.at), "by": scaling.by},
        ),
        read=(workload,),
        events=events,
    )


def history_of(workload: Json, keepers: Sequence[Json], events: Sequence[Json]) -> list[Rollout]:
    """The rollouts of a workload, newest first."""
    found: list[Revision] = revisions(workload, keepers, events)
    return rollouts(workload, found)
