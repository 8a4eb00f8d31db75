"""Jobs and CronJobs that do not do their work, and the fault of it."""

from typing import Any

from opssquad import Json
from tests.tools.signals.objects import ago, event, faults, logged, obj, ranked, told

FIRST = "nightly-29454360"
"""Due at 10:00, by the minutes since 1970."""
UP = [{"kind": "CronJob", "name": "nightly", "controller": True}]


def cron(schedule: str = "0 * * * *", **spec: Any) -> Json:
    """A CronJob two days old that ran last an hour and a minute ago; it is 12:00."""
    made = obj("CronJob", "nightly", {"schedule": schedule, **spec}, {"lastScheduleTime": ago(120)})
    made["metadata"]["creationTimestamp"] = ago(2 * 24 * 60)
    return made


def job(**status: Any) -> Json:
    return obj("Job", FIRST, {}, status, ownerReferences=UP)


def failed(reason: str, minutes: float = 10) -> Json:
    told_ = {"type": "Failed", "status": "True", "reason": reason, "message": "Job has reached its limit"}
    return {**told_, "lastTransitionTime": ago(minutes)}


def worker(**containers: Json) -> Json:
    """A pod of the Job with the states of its containers."""
    listed = [
        {"name": name, "ready": "running" in state, "restartCount": 0, "state": state}
        for name, state in containers.items()
    ]
    up = [{"kind": "Job", "name": FIRST, "controller": True}]
    spec = {"containers": [{"name": name} for name in containers]}
    status = {"phase": "Running", "startTime": ago(50), "containerStatuses": listed}
    return obj("Pod", f"{FIRST}-x", spec, status, ownerReferences=up)


def done(code: int = 0, minutes: float = 30) -> Json:
    reason = "Error" if code else "Completed"
    times = {"startedAt": ago(minutes + 5), "finishedAt": ago(minutes)}
    return {"terminated": {"exitCode": code, "reason": reason, **times}}


RUNS = {"running": {"startedAt": ago(50)}}


def test_a_job_that_gave_up_tells_how_its_last_pod_ended() -> None:
    pod = worker(app=done(3, 11))
    pod["status"]["phase"] = "Failed"
    scene = (cron(), job(failed=4, conditions=[failed("BackoffLimitExceeded")]), pod)
    found = told(*scene)["job.failed"]
    assert (found.data["exit_code"], found.data["reason"]) == (3, "BackoffLimitExceeded")
    assert any('"exitCode":3' in quote.text for quote in found.quotes)
    said = logged(pod, "ERROR no such table: orders", code=3)
    best = ranked(*scene, more=said)[0]
    assert (best.fault, str(best.component)) == ("K26", "CronJob/n/nightly")
    assert "no such table" in best.root_cause


def test_a_job_past_its_deadline_is_told_so() -> None:
    late = job(conditions=[failed("DeadlineExceeded")])
    late["spec"]["activeDeadlineSeconds"] = 600
    found = told(late)["job.failed"]
    assert (found.data["reason"], found.data["deadline"]) == ("DeadlineExceeded", 600)


def test_a_job_that_failed_hours_ago_or_was_made_good_opens_nothing() -> None:
    old = job(failed=4, conditions=[failed("BackoffLimitExceeded", 300)])
    assert "K26" not in faults(old)
    again = obj("Job", "nightly-29454479", {}, {"succeeded": 1, "completionTime": ago(1)}, ownerReferences=UP)
    assert "K26" not in faults(job(failed=4, conditions=[failed("BackoffLimitExceeded")]), again)


def test_a_sidecar_that_runs_on_holds_its_job_open() -> None:
    scene = (cron(), job(active=1), worker(app=done(), proxy=RUNS))
    found = told(*scene)
    assert (found["job.held_open"].data["done"], found["job.held_open"].data["runs"]) == ("app", "proxy")
    assert "pod.not_ready" not in found
    best = ranked(*scene)[0]
    assert (best.fault, str(best.component)) == ("K26", "CronJob/n/nightly")
    assert "let proxy end when app has done its work" in best.options[0].label


def test_what_still_works_or_has_just_ended_or_failed_holds_nothing_open() -> None:
    for states in (
        {"app": RUNS, "proxy": RUNS},
        {"app": done(minutes=2), "proxy": RUNS},
        {"app": done(1), "proxy": RUNS},
        {"app": done(), "proxy": done()},
    ):
        assert "job.held_open" not in told(cron(), job(active=1), worker(**states)), states


def test_a_schedule_that_was_not_kept_is_told_without_any_event() -> None:
    found = told(cron("0 * * * *"))["cronjob.missed"]
    # At 12:00 the run of 11:00 is the last that has to have been made by now.
    assert "no run since one was due at 11:00" in found.text
    assert found.until is None
    assert faults(cron())[0] == "K26"


def test_a_schedule_that_is_kept_or_was_just_changed_owes_nothing() -> None:
    assert "cronjob.missed" not in told(cron("0 10 * * *"))
    edit = {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "batch/v1", "time": ago(20)}
    changed = cron()
    changed["metadata"]["managedFields"] = [{**edit, "fieldsV1": {"f:spec": {"f:schedule": {}}}}]
    assert "cronjob.missed" not in told(changed)


def test_a_missed_run_of_a_schedule_that_is_kept_again_is_history() -> None:
    each = cron("0 10 * * *")
    missed = event(each, "MissSchedule", "Missed scheduled time to start a job: 10:00", minutes=50)
    found = told(each, missed)["cronjob.missed"]
    assert (found.severity, found.until is not None) == ("info", True)
    assert "K26" not in faults(each, missed)


def test_a_schedule_that_nobody_can_read_stays_a_fault() -> None:
    each = cron("61 * * * *")
    wrong = event(each, "UnparseableSchedule", 'unparseable schedule: "61 * * * *"', minutes=50)
    found = told(each, wrong)["cronjob.missed"]
    assert (found.data["wrong"], found.until) == (True, None)


def test_a_run_that_is_forbidden_beside_the_one_before_says_which_blocks_it() -> None:
    each = cron(concurrencyPolicy="Forbid")
    each["status"]["active"] = [{"kind": "Job", "name": FIRST}]
    found = told(each)["cronjob.missed"]
    assert (found.data["blocked"], f"its Job {FIRST} is still active" in found.text) == (True, True)


def suspended(minutes: float) -> Json:
    each = cron(suspend=True)
    edit = {"manager": "kubectl-patch", "operation": "Update", "apiVersion": "batch/v1", "time": ago(minutes)}
    each["metadata"]["managedFields"] = [{**edit, "fieldsV1": {"f:spec": {"f:suspend": {}}}}]
    return each


def test_a_cron_job_suspended_lately_that_owes_a_run_is_the_fault_and_an_old_one_is_not() -> None:
    best = ranked(suspended(100))[0]
    assert (best.fault, "suspended by kubectl-patch" in best.root_cause) == ("K26", True)
    assert faults(suspended(30 * 24 * 60)) == []
    assert faults(suspended(5)) == []


def test_a_job_that_is_suspended_is_told_and_is_no_alarm() -> None:
    made = obj("Job", "later", {"suspend": True})
    assert told(made)["job.suspended"].severity == "info"
    assert faults(made) == []


def test_a_run_that_the_api_forbids_is_a_fault_of_its_account() -> None:
    pod = worker(app=done(1, 11))
    pod["status"]["phase"] = "Failed"
    scene = (cron(), job(failed=4, conditions=[failed("BackoffLimitExceeded")]), pod)
    line = (
        'ERROR pods is forbidden: User "system:serviceaccount:n:nightly" cannot list resource "pods" '
        'in API group "" in the namespace "n"'
    )
    best = ranked(*scene, more=logged(pod, line, code=1))[0]
    assert (best.fault, str(best.component)) == ("K21", "CronJob/n/nightly")
    assert "ServiceAccount/n/nightly" in best.root_cause
