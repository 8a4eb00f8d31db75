"""In the worlds of the railway's incidents the right change heals; the one that suggests itself does not."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.worlds.kube.living import Living

Json = dict[str, Any]
Change = Callable[[Living], object]
SETTLED = 90

LOKPOOL = "Deployment/trafik/lokpool"
RESEKORT = "Deployment/kundyta/resekort"
KASSA = "Deployment/kundyta/biljettkassa"
TIDTABELL = "Deployment/trafik/tidtabell"
VAXELSTYR = "Deployment/trafik/vaxelstyr"
FORSENING = "Deployment/kundyta/forsening"
SKYLTVAGG = "Deployment/kundyta/skyltvagg"
MINNE = "StatefulSet/kundyta/kortminne"
ACCOUNT = "ServiceAccount/trafik/lokpool"
WEBHOOK = "ValidatingWebhookConfiguration//bildvakt"
SAVING = "MutatingWebhookConfiguration//sparlaget"


def name_again(living: Living) -> Json:
    spec = {"selector": {"app": "kortminne"}, "ports": [{"name": "main", "port": 6379}]}
    body = {"metadata": {"name": "kassalas"}, "spec": spec}
    return living.call("POST", "/api/v1/namespaces/kundyta/services", body)


def bind_again(living: Living) -> Json:
    group = "rbac.authorization.k8s.io"
    body = {
        "metadata": {"name": "vaxelstyr-ledning"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "vaxelstyr-ledning"},
        "subjects": [{"kind": "ServiceAccount", "name": "vaxelstyr", "namespace": "trafik"}],
    }
    return living.call("POST", f"/apis/{group}/v1/namespaces/trafik/rolebindings", body)


def class_again(living: Living) -> Json:
    body = {"metadata": {"name": "lvm-snabb"}, "provisioner": "topolvm.io"}
    return living.call("POST", "/apis/storage.k8s.io/v1/storageclasses", body)


def let_pass(living: Living) -> Json:
    return living.patch(
        WEBHOOK, [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}], "json"
    )


def own_files(living: Living) -> Json:
    done = living.patch(MINNE, {"spec": {"template": {"spec": {"securityContext": {"fsGroup": 999}}}}})
    # A StatefulSet does not replace a pod that never became ready: somebody has to take it away.
    living.delete("Pod/kundyta/kortminne-0")
    return done


def pull_again(living: Living) -> Json:
    return living.patch(ACCOUNT, {"imagePullSecrets": [{"name": "registret-hamta"}]})


RIGHT: list[tuple[str, str, Change]] = [
    ("rail-0107", LOKPOOL, pull_again),
    ("rail-0128", KASSA, name_again),
    ("rail-0211", TIDTABELL, let_pass),
    ("rail-0211", FORSENING, let_pass),
    ("rail-0218", RESEKORT, lambda w: w.delete(SAVING)),
    ("rail-0225", VAXELSTYR, bind_again),
    ("rail-0304", FORSENING, class_again),
    ("rail-0304", FORSENING, lambda w: w.rollback(FORSENING)),
    ("rail-0311", MINNE, own_files),
    ("rail-0325", SKYLTVAGG, lambda w: w.rollback(SKYLTVAGG)),
]
WRONG: list[tuple[str, str, Change]] = [
    ("rail-0107", LOKPOOL, lambda w: w.rollback(LOKPOOL)),
    ("rail-0107", LOKPOOL, lambda w: w.restart(LOKPOOL)),
    ("rail-0128", KASSA, lambda w: w.rollback(KASSA) and w.restart(KASSA)),
    ("rail-0211", TIDTABELL, lambda w: w.restart(TIDTABELL)),
    ("rail-0218", RESEKORT, lambda w: w.restart(RESEKORT)),
    ("rail-0225", VAXELSTYR, lambda w: w.restart(VAXELSTYR)),
    ("rail-0304", FORSENING, lambda w: w.restart(FORSENING)),
    ("rail-0311", MINNE, lambda w: w.restart(MINNE)),
    ("rail-0325", SKYLTVAGG, lambda w: w.restart(SKYLTVAGG)),
]


def whole(living: Living, target: str) -> bool:
    """Whether every replica is there, of the current template, and ready."""
    workload = living.get(target)
    status, wanted = workload["status"], workload["spec"]["replicas"]
    return bool(
        wanted == status.get("readyReplicas") == status.get("updatedReplicas") == status.get("replicas")
    )


@pytest.mark.parametrize(("recording", "target", "change"), RIGHT)
def test_the_right_change_heals(recording: str, target: str, change: Change) -> None:
    living = Living(recording)
    assert not whole(living, target)
    change(living)
    # A container that waits after many crashes is started again within five minutes.
    living.wait(330)
    assert whole(living, target)


@pytest.mark.parametrize(("recording", "target", "change"), WRONG)
def test_a_change_that_suggests_itself_does_not(recording: str, target: str, change: Change) -> None:
    living = Living(recording)
    change(living)
    living.wait(SETTLED)
    assert not whole(living, target)


def test_an_autoscaler_is_active_once_every_container_requests_what_it_measures() -> None:
    living = Living("rail-0204")
    small = {"name": "loggskopa", "resources": {"requests": {"cpu": "10m"}}}
    living.patch(KASSA, {"spec": {"template": {"spec": {"containers": [small]}}}})
    living.wait(SETTLED)
    scaler = living.get("HorizontalPodAutoscaler/kundyta/biljettkassa")
    assert {c["type"]: c["status"] for c in scaler["status"]["conditions"]}["ScalingActive"] == "True"


def test_a_leak_is_over_with_the_version_before_and_not_with_a_restart() -> None:
    living = Living("rail-0121")
    target = "Deployment/trafik/sparlage"
    living.rollback(target)
    living.wait(SETTLED)
    assert living.healthy(target)
    fates = {living.world._controllers.fate(pod).kind for pod in living.pods(target)}
    assert fates == {"ready"}
