"""Jobs that are created in a recorded world run to their end."""

from typing import Any

from opssquad.worlds.kube.recording.spec import Fate
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
