"""Jobs that failed and CronJobs that do not run."""

from collections.abc import Iterator
from datetime import datetime

from opssquad import Json, Quote, Signal, ago

from .._kube import condition, created, dig, event_text, moment, quote_at, ref
from ._scene import STALE, Scene, event_quotes, make

MISSED = ("MissSchedule", "TooManyMissedTimes", "FailedNeedsStart", "InvalidSchedule", "UnparseableSchedule")


def job_signals(job: Json, scene: Scene) -> Iterator[Signal]:
    """`job.failed` for a Job that gave up, or fails and tries again."""
    failed = condition(job, "Failed")
    count = int(dig(job, "status", "failed", default=0))
    gave_up = failed.get("status") == "True"
    if not gave_up and (not count or condition(job, "Complete").get("status") == "True"):
        return
    at = moment(failed.get("lastTransitionTime")) if gave_up else created(job)
    later = _later_success(job, scene, at)
    quotes: list[Quote] = [quote_at(job, "status", "failed")] if count else []
    quotes += [_condition_quote(job)] if gave_up else []
    how = f"failed ({failed.get('reason', '')})" if gave_up else "fails and is tried again"
    yield make(
        "job.failed",
        job,
        scene.owner(job),
        f"Job {job['metadata']['name']}: {how}"
        + (f" {ago(at, scene.now)}" if at and gave_up else "")
        + f", {count} pods failed"
        + ("; a later run succeeded" if later else ""),
        [*quotes, *event_quotes(scene.about(ref(job), "BackoffLimitExceeded", "DeadlineExceeded"))],
        severity="info" if later else "warning" if scene.is_recent(at, STALE) else "info",
        at=at,
        until=at if later else None,
        data={"reason": failed.get("reason", ""), "message": failed.get("message", ""), "failed": count},
    )


def _condition_quote(job: Json) -> Quote:
    conditions = job["status"]["conditions"]
    index = next(i for i, each in enumerate(conditions) if each.get("type") == "Failed")
    return quote_at(job, "status", "conditions", index)


def _later_success(job: Json, scene: Scene, at: datetime | None) -> bool:
    siblings = (each for each in scene.of("Job") if scene.owner(each) == scene.owner(job) != ref(job))
    done = (moment(dig(each, "status", "completionTime")) for each in siblings)
    return at is not None and any(each is not None and each > at for each in done)


def cron_signals(cron: Json, scene: Scene) -> Iterator[Signal]:
    """`cronjob.suspended` and `cronjob.missed`."""
    if dig(cron, "spec", "suspend"):
        yield make(
            "cronjob.suspended",
            cron,
            ref(cron),
            f"CronJob {cron['metadata']['name']}: suspended",
            [quote_at(cron, "spec", "suspend")],
            severity="info",
        )
    if events := scene.about(ref(cron), *MISSED):
        yield make(
            "cronjob.missed",
            cron,
            ref(cron),
            f"CronJob {cron['metadata']['name']}: {event_text(events[0])[:200]}",
            event_quotes(events),
            data={"message": event_text(events[0])},
        )
