"""Init containers that hold up a pod, and the fault of it."""

import pytest

from opssquad import Json
from tests.tools.signals.objects import ago, deployment, faults, logged, obj, pod, ranked, told

KINDS = frozenset({"Service", "EndpointSlice"})
READY = {"addresses": ["10.0.0.1"], "conditions": {"ready": True}}


def waits(script: str, minutes: float = 20, **env: str) -> Json:
    """A pod whose init container `wait` has been running a shell script for so long."""
    state = {"running": {"startedAt": ago(minutes)}}
    init = {"name": "wait", "ready": False, "restartCount": 0, "started": True, "state": state}
    main = {
        "name": "app",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": "PodInitializing"}},
    }
    each = pod(phase="Pending", initContainerStatuses=[init], containerStatuses=[main])
    listed = [{"name": key, "value": value} for key, value in env.items()]
    each["spec"]["initContainers"] = [{"name": "wait", "command": ["sh", "-c", script], "env": listed}]
    return each


def service(name: str) -> Json:
    return obj("Service", name, {"selector": {"app": name}, "ports": [{"port": 5432}]})


def ends(name: str, *endpoints: Json) -> Json:
    made = obj("EndpointSlice", f"{name}-x", labels={"kubernetes.io/service-name": name})
    return {**made, "endpoints": list(endpoints)}


@pytest.mark.parametrize(
    "script",
    [
        "until nslookup db; do echo waiting for db; sleep 2; done",
        "until nslookup db.n.svc.cluster.local >/dev/null 2>&1; do sleep 2; done",
        "until nslookup $DB_HOST; do sleep 2; done",
        "until getent hosts db; do sleep 2; done",
        "until nc -z db.n.svc 5432; do sleep 2; done",
    ],
)
def test_an_init_container_that_waits_for_a_service_that_is_gone_says_so(script: str) -> None:
    each = waits(script, DB_HOST="db")
    found = told(each, deployment(), complete=KINDS)["init.waiting"]
    assert (found.data["why"], found.data["container"]) == ("service_missing", "wait")
    assert str(found.data["asks"]).startswith("db")


def test_a_service_that_is_there_is_told_by_whether_anybody_answers() -> None:
    each = waits("until nc -z db 5432; do sleep 2; done")
    alone = told(each, service("db"), ends("db"), complete=KINDS)["init.waiting"]
    assert (alone.data["why"], alone.data["service"]) == ("no_endpoints", "Service/n/db")
    assert told(each, service("db"), ends("db", READY))["init.waiting"].data["why"] == "answers"


def test_what_is_not_known_to_be_a_name_of_this_namespace_is_not_called_missing() -> None:
    for script in ("nslookup db.other.svc", "curl example.com", "nc -z 10.0.0.1 80", "sleep 600"):
        assert told(waits(script), complete=KINDS)["init.waiting"].data["why"] == ""
    assert told(waits("nslookup db"), complete=frozenset())["init.waiting"].data["why"] == ""


def test_a_migration_that_takes_a_few_minutes_is_no_alarm() -> None:
    found = told(waits("migrate up", minutes=3))
    assert "init.waiting" not in found
    assert "init container wait has been running for 3 min" in found["pod.not_ready"].text


def test_a_sidecar_that_is_not_ready_yet_is_not_waited_for_to_end() -> None:
    each = waits("serve")
    each["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    assert "init.waiting" not in told(each)


def test_a_pod_that_waits_for_a_deleted_service_has_that_fault_and_no_other_before_it() -> None:
    best = ranked(deployment(), waits("until nslookup db; do sleep 2; done"), service("web"))[0]
    assert (best.fault, str(best.component)) == ("K10", "Service/n/db")
    assert "wait" in best.root_cause
    assert "rollback" not in [each.action for each in best.options]


def test_an_init_container_that_crashes_is_no_release_that_crashes_at_start() -> None:
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    last = {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": ago(2), "finishedAt": ago(1)}}
    init = {"name": "wait", "ready": False, "restartCount": 5, "state": state, "lastState": last}
    each = pod(phase="Pending", initContainerStatuses=[init])
    said = logged(each, "ERROR cannot parse /conf/app.yaml", name="wait", code=1)
    found = faults(deployment(), each, more=said)
    assert (found[0], "K01" in found) == ("K10", False)


def test_an_init_container_that_has_done_its_work_is_none() -> None:
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": ago(49), "finishedAt": ago(48)}}
    init = {"name": "wait", "ready": True, "restartCount": 3, "state": done}
    main = {"name": "app", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": ago(48)}}}
    each = pod(ready=True, initContainerStatuses=[init], containerStatuses=[main])
    assert "K10" not in faults(deployment(1, 1), each)


def test_of_a_node_that_does_not_answer_nobody_knows_what_its_init_containers_do() -> None:
    silent = {"type": "Ready", "status": "Unknown", "lastTransitionTime": ago(15)}
    node = obj(
        "Node", "n1", {}, {"conditions": [{**silent, "message": "Kubelet stopped posting node status."}]}
    )
    node["metadata"].pop("namespace")
    each = waits("until nslookup db; do sleep 2; done")
    assert "init.waiting" not in told(each, node, complete=KINDS)
    found = faults(deployment(), each, node)
    assert (found[0], "K10" in found) == ("K25", False)
