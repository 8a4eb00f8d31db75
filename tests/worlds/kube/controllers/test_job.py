"""Jobs that are created in a recorded world run to their end."""

from typing import Any

from opssquad.worlds.kube.recording.fates import Fate
from tests.worlds.kube.living import Living

Json = dict[str, Any]


def made(living: Living, **spec: Any) -> Json:
    container = {"name": "task", "image": "registry.example.com/tools/task:1"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "task"},
        "spec": {**spec, "template": template},
    }
    return living.call("POST", "/apis/batch/v1/namespaces/shop/jobs", body)


def test_a_job_completes_and_its_pod_stays() -> None:
    living = Living("shop-0412")
    made(living)
    living.wait(15)
    job = living.get("Job/shop/task")
    assert job["status"]["succeeded"] == 1
    assert [c["type"] for c in job["status"]["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    [pod] = living.owned("Pod", job)
    assert pod["status"]["phase"] == "Succeeded"


def test_as_many_pods_as_completions_run_and_no_more_than_parallelism_at_once() -> None:
    living = Living("shop-0412")
    made(living, completions=3, parallelism=2)
    living.wait(1)
    assert len(living.owned("Pod", living.get("Job/shop/task"))) == 2
    living.wait(25)
    assert living.get("Job/shop/task")["status"]["succeeded"] == 3


def test_a_job_whose_pods_fail_gives_up_at_its_limit() -> None:
    living = Living("shop-0412")
    crash = Fate.model_validate({"crash": {"exit_code": 1, "reason": "Error"}})
    rules = living.recording.rules
    object.__setattr__(rules.default, "pods", crash)
    made(living, backoffLimit=1)
    living.wait(30)
    job = living.get("Job/shop/task")
    assert job["status"]["failed"] == 2
    assert [c["reason"] for c in job["status"]["conditions"]] == ["BackoffLimitExceeded"] * 2


def test_a_failed_pod_is_replaced_after_a_pause_that_doubles() -> None:
    living = Living("shop-0412")
    crash = Fate.model_validate({"crash": {"exit_code": 1, "reason": "Error"}})
    object.__setattr__(living.recording.rules.default, "pods", crash)
    made(living, backoffLimit=5)
    counts = []
    for _ in range(45):
        living.wait(1)
        job = living.stored("Job/shop/task")
        assert job is not None
        counts.append(job["status"].get("failed", 0))
    moments = [counts.index(n) for n in (1, 2, 3)]
    first, second = moments[1] - moments[0], moments[2] - moments[1]
    assert 10 <= first <= 16
    assert 20 <= second <= 26


def test_a_pod_that_is_deleted_counts_as_failed_and_is_replaced() -> None:
    living = Living("shop-0412")
    made(living, backoffLimit=3)
    [pod] = living.owned("Pod", living.get("Job/shop/task"))
    living.delete(f"Pod/shop/{pod['metadata']['name']}")
    living.wait(30)
    job = living.get("Job/shop/task")
    assert (job["status"]["failed"], job["status"]["succeeded"]) == (1, 1)
    assert [p["status"]["phase"] for p in living.owned("Pod", job)] == ["Succeeded"]


def test_no_pod_stays_behind_when_a_job_is_deleted_while_it_runs() -> None:
    living = Living("shop-0412")
    job = made(living)
    assert len(living.owned("Pod", job)) == 1
    living.delete("Job/shop/task", propagationPolicy="Background")
    living.wait(10)
    assert living.owned("Pod", job) == []


def test_the_pods_of_a_job_that_was_replaced_by_one_of_its_name_go() -> None:
    living = Living("shop-0412")
    old = made(living)
    living.delete("Job/shop/task", propagationPolicy="Background")
    new = made(living)
    living.wait(20)
    assert living.owned("Pod", old) == []
    assert living.get("Job/shop/task")["status"]["succeeded"] == 1
    assert len(living.owned("Pod", new)) == 1


def test_a_quota_holds_a_job_back_until_there_is_room() -> None:
    living = Living("shop-0412")
    quota = {"metadata": {"name": "tight"}, "spec": {"hard": {"pods": "0"}}}
    living.call("POST", "/api/v1/namespaces/shop/resourcequotas", quota)
    job = made(living)
    living.wait(15)
    assert living.owned("Pod", job) == []
    [said] = {e["message"].split(": ", 2)[-1] for e in living.listed("Event", "shop") if _refused(e)}
    assert said.startswith("exceeded quota: tight, requested: pods=1, used: pods=")
    living.patch("ResourceQuota/shop/tight", {"spec": {"hard": {"pods": "100"}}})
    living.wait(30)
    assert living.get("Job/shop/task")["status"]["succeeded"] == 1


def _refused(event: Json) -> bool:
    return event["reason"] == "FailedCreate" and event["involvedObject"]["kind"] == "Job"
