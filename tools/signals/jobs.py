"""Jobs that failed or cannot end, and CronJobs that do not run."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from opssquad import Json, Quote, Ref, Signal, ago, clock_time, duration

from .._cron import last_due, readable
from .._edits import last_edit
from .._kube import condition, controller, created, dig, event_text, last_seen, moment, quote, quote_at, ref
from .._pods import Container, Past, containers, is_finished
from ._scene import STALE, Scene, event_quotes, make

MISSED = ("MissSchedule", "TooManyMissedTimes", "FailedNeedsStart", "InvalidSchedule", "UnparseableSchedule")
WRONG = ("InvalidSchedule", "UnparseableSchedule", "UnknownTimeZone")
"""Reasons that say that the schedule can never be kept."""
LINGERS = timedelta(minutes=5)
LOOKS = 10
"""Seconds between two looks of the controller at a CronJob."""
LATE = timedelta(minutes=5)
"""The controller looks every ten seconds, and a Job's objects take their time."""


def job_signals(job: Json, scene: Scene) -> Iterator[Signal]:
    """`job.failed` for a Job that gave up, or fails and tries again; `job.suspended`."""
    if dig(job, "spec", "suspend"):
        yield make(
            "job.suspended",
            job,
            scene.owner(job),
            f"Job {job['metadata']['name']}: suspended, so it has no pods",
            [quote_at(job, "spec", "suspend")],
            severity="info",
            at=moment(condition(job, "Suspended").get("lastTransitionTime")),
        )
    failed = condition(job, "Failed")
    count = int(dig(job, "status", "failed", default=0))
    gave_up = failed.get("status") == "True"
    if not gave_up and (not count or condition(job, "Complete").get("status") == "True"):
        return
    at = moment(failed.get("lastTransitionTime")) if gave_up else created(job)
    later = _later_success(job, scene, at)
    pod, end = _last_end(job, scene)
    quotes: list[Quote] = [quote_at(job, "status", "failed")] if count else []
    quotes += [_condition_quote(job)] if gave_up else []
    if pod and end:
        quotes.append(quote_at(pod, "status", *end.where, "state", "terminated"))
    how = f"failed ({failed.get('reason', '')})" if gave_up else "fails and is tried again"
    past = end.final if end else None
    yield make(
        "job.failed",
        job,
        scene.owner(job),
        f"Job {job['metadata']['name']}: {how}"
        + (f" {ago(at, scene.now)}" if at and gave_up else "")
        + f", {count} pods failed"
        + (f", the last with exit code {past.exit_code} ({past.reason})" if past else "")
        + ("; a later run succeeded" if later else ""),
        [*quotes, *event_quotes(scene.about(ref(job), "BackoffLimitExceeded", "DeadlineExceeded"))],
        severity="info" if later else "warning" if scene.is_recent(at, STALE) else "info",
        at=at,
        until=at if later else None,
        data={
            "reason": failed.get("reason", ""),
            "message": failed.get("message", ""),
            "failed": count,
            "fresh": scene.is_recent(at, STALE),
            "exit_code": past.exit_code if past else None,
            "deadline": dig(job, "spec", "activeDeadlineSeconds"),
        },
    )


def _last_end(job: Json, scene: Scene) -> tuple[Json | None, Container | None]:
    """The pod of the Job, and its container, that ended last with an error; twice None where none is kept."""
    ends = [
        (past.finished, pod, each)
        for pod in scene.pods_of(scene.owner(job))
        if controller(pod) == ref(job)
        for each in containers(pod)
        if (past := each.ended) and past.exit_code and past.finished
    ]
    _, pod, each = max(ends, key=lambda end: end[0], default=(None, None, None))
    return pod, each


def _condition_quote(job: Json) -> Quote:
    conditions = job["status"]["conditions"]
    index = next(i for i, each in enumerate(conditions) if each.get("type") == "Failed")
    return quote_at(job, "status", "conditions", index)


def _later_success(job: Json, scene: Scene, at: datetime | None) -> bool:
    siblings = (each for each in scene.of("Job") if scene.owner(each) == scene.owner(job) != ref(job))
    done = (moment(dig(each, "status", "completionTime")) for each in siblings)
    return at is not None and any(each is not None and each > at for each in done)


def held_open(pod: Json, scene: Scene) -> Iterator[Signal]:
    """`job.held_open` for a pod of a Job whose work is done while another container of it runs on."""
    up = controller(pod)
    if up is None or up.kind != "Job" or is_finished(pod):
        return
    main = [each for each in containers(pod) if not each.init]
    done = [(each, each.ended) for each in main if each.ended and each.ended.exit_code == 0]
    runs = [each for each in main if each.running_since]
    last = max((past.finished for _, past in done if past.finished), default=None)
    if last and runs and len(done) + len(runs) == len(main) and scene.now - last >= LINGERS:
        yield _held(pod, up, done, runs, last, scene)


def _held(
    pod: Json,
    job: Ref,
    done: list[tuple[Container, Past]],
    runs: list[Container],
    last: datetime,
    scene: Scene,
) -> Signal:
    ready, busy = (", ".join(each.name for each in some) for some in ((e for e, _ in done), runs))
    quotes = [quote_at(pod, "status", *each.where, "state", "terminated") for each, _ in done]
    quotes += [quote_at(pod, "status", *each.where, "state", "running") for each in runs]
    return make(
        "job.held_open",
        pod,
        scene.owner(pod),
        f"Job {job.name}: container {ready} of its pod {pod['metadata']['name']} completed at "
        f"{clock_time(last)} ({ago(last, scene.now)}), but {busy} runs on, so the Job does not end",
        quotes,
        at=last,
        data={"job": str(job), "done": ready, "runs": busy, "lasts": duration(scene.now - last)},
    )


def cron_signals(cron: Json, scene: Scene) -> Iterator[Signal]:
    """`cronjob.suspended`, `cronjob.missed`, and `cronjob.short_deadline` for runs that must start sooner
    than the controller looks."""
    yield from _short(cron)
    due = last_due(
        dig(cron, "spec", "schedule", default=""), scene.now - LATE, dig(cron, "spec", "timeZone", default="")
    )
    ran = moment(dig(cron, "status", "lastScheduleTime")) or created(cron)
    change = last_edit(cron, "spec")
    owed = due if due and ran and ran < due and not (change and change.at > due) else None
    if dig(cron, "spec", "suspend"):
        yield _suspended(cron, owed, scene)
        return
    events = scene.about(ref(cron), *MISSED, *WRONG)
    schedule, zone = dig(cron, "spec", "schedule", default=""), dig(cron, "spec", "timeZone", default="")
    # No server keeps one without a schedule: where there is none, it was not told.
    if events or owed or (schedule and not readable(schedule, zone)):
        yield _missed(cron, owed, events, scene)


def _short(cron: Json) -> Iterator[Signal]:
    seconds = dig(cron, "spec", "startingDeadlineSeconds")
    if seconds is not None and seconds < LOOKS:
        yield make(
            "cronjob.short_deadline",
            cron,
            ref(cron),
            f"CronJob {cron['metadata']['name']}: a run that cannot start within {seconds} s is dropped, and "
            f"the controller looks every {LOOKS} s only",
            [quote_at(cron, "spec", "startingDeadlineSeconds")],
            severity="info",
            data={"seconds": seconds},
        )


def _suspended(cron: Json, owed: datetime | None, scene: Scene) -> Signal:
    change = last_edit(cron, "spec.suspend")
    by = f" by {change.manager} {ago(change.at, scene.now)}" if change else ""
    lacks = f"; a run was due at {clock_time(owed)}" if owed else ""
    fresh = owed is not None and scene.is_recent(change.at if change else None, timedelta(days=1))
    return make(
        "cronjob.suspended",
        cron,
        ref(cron),
        f"CronJob {cron['metadata']['name']}: suspended{by}{lacks}",
        [
            quote_at(cron, "spec", "suspend"),
            *([quote(cron, change.entry, managed=True)] if change else []),
        ],
        severity="warning" if fresh else "info",
        at=change.at if change else None,
        data={"by": change.manager if change else "", "fresh": fresh, "owed": owed is not None},
    )


def _missed(cron: Json, owed: datetime | None, events: list[Json], scene: Scene) -> Signal:
    told = event_text(events[0]) if events else ""
    at = last_seen(events[0]) if events else owed
    unread = not readable(
        dig(cron, "spec", "schedule", default=""), dig(cron, "spec", "timeZone", default="")
    )
    wrong = unread or (bool(events) and events[0].get("reason") in WRONG)
    told = told or (f"its schedule {dig(cron, 'spec', 'schedule')!r} cannot be kept" if unread else "")
    # A schedule that is kept again has made good what an event of it still tells.
    over = owed is None and not wrong
    active = dig(cron, "status", "active", default=[])
    holds = dig(cron, "spec", "concurrencyPolicy") == "Forbid" and bool(active) and owed is not None
    blocked = f"; its Job {active[0].get('name', '')} is still active, and it forbids two" if holds else ""
    late = f"no run since one was due at {clock_time(owed)}, {ago(owed, scene.now)}" if owed else ""
    quotes = [*event_quotes(events), quote_at(cron, "spec", "schedule")]
    if dig(cron, "status", "lastScheduleTime"):
        quotes.append(quote_at(cron, "status", "lastScheduleTime"))
    return make(
        "cronjob.missed",
        cron,
        ref(cron),
        f"CronJob {cron['metadata']['name']}: {'; '.join(filter(None, (late, told[:200])))}{blocked}",
        quotes,
        severity="info" if over else "warning",
        at=at,
        until=at if over else None,
        data={
            "message": told,
            "schedule": dig(cron, "spec", "schedule", default=""),
            "wrong": wrong,
            "blocked": holds,
        },
    )
