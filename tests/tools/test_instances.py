"""Which container and which instance is read, on the pods of the recordings and on states they lack."""

from datetime import UTC, datetime, timedelta

import pytest
from tools._instances import instance, most_broken
from tools._kube import owner
from tools._logtext import head

from opssquad import Json, ToolError
from tests.tools.recorded import clock, of_kind, one

NOW = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
END = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-03-08T14:36:40Z"}}


def _pod(*statuses: Json, **spec: list[Json]) -> Json:
    listed = spec or {"containers": [{"name": each["name"]} for each in statuses]}
    status = {"phase": "Running", "containerStatuses": list(statuses)}
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": listed, "status": status}


def _running(name: str, age: timedelta, **more: object) -> Json:
    since = (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"name": name, "ready": True, "state": {"running": {"startedAt": since}}, **more}


def test_in_back_off_the_instance_that_failed_is_read_and_said_so() -> None:
    pod = one("auth-0308", "Pod", "auth-service-cff498559-nqd7q")
    chosen = instance(pod, "", "auto", clock("auth-0308"))
    assert (chosen.previous, chosen.container) == (True, "auth-service")
    assert chosen.why == (
        "previous, the instance that ended 20 s ago with exit code 1 (Error); "
        "the container waits in CrashLoopBackOff"
    )
    assert instance(pod, "", "no", clock("auth-0308")).previous is False


def test_just_after_a_restart_the_instance_before_is_read_and_later_the_current_one() -> None:
    for age, previous in ((timedelta(seconds=30), True), (timedelta(minutes=9), False)):
        pod = _pod(_running("a", age, restartCount=1, lastState=END))
        assert instance(pod, "", "auto", NOW).previous is previous


def test_a_container_that_never_started_has_no_log_and_the_reason() -> None:
    pod = next(p for p in of_kind("shop-0412", "Pod") if "656c54f46c" in p["metadata"]["name"])
    chosen = instance(pod, "", "auto", clock("shop-0412"))
    assert not chosen.started
    assert "ImagePullBackOff" in chosen.why
    pending = _pod()
    pending["spec"] = {"containers": [{"name": "a"}]}
    assert not instance(pending, "", "auto", NOW).started


def test_of_several_containers_the_one_in_trouble_is_read_else_the_default_one() -> None:
    good, bad = _running("a", timedelta(hours=1)), {"name": "b", "state": END, "restartCount": 3}
    assert instance(_pod(good, bad), "", "auto", NOW).container == "b"
    fine = _pod(good, _running("b", timedelta(hours=1)))
    assert instance(fine, "", "auto", NOW).container == "a"
    fine["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "b"}
    assert instance(fine, "", "auto", NOW).container == "b"


def test_the_containers_that_were_not_read_are_named() -> None:
    pod = _pod(_running("a", timedelta(hours=1)), _running("b", timedelta(hours=1)))
    told = head(instance(pod, "", "auto", NOW), "2026-03-08T14:36:40Z up")
    assert told == "Log of pod p, container a. 1 line, 14:36:40 to 14:36:40 UTC. Not read: container b."


def test_an_unknown_container_is_refused_with_those_there_are() -> None:
    with pytest.raises(ToolError, match="no container 'x'; it has: a"):
        instance(_pod(_running("a", timedelta(hours=1))), "x", "auto", NOW)


def test_the_most_broken_pod_is_the_failing_one_and_none_where_all_run() -> None:
    pods = [p for p in of_kind("shop-0618", "Pod") if owner(p).name == "payments"]
    broken = most_broken(pods)
    assert broken is not None
    assert broken["metadata"]["name"] == "payments-65dccd66fc-jxhg4"
    assert most_broken(p for p in of_kind("shop-0618", "Pod") if owner(p).name == "checkout") is None
