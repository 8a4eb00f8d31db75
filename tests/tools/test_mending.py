"""Tools that mend a template, a ConfigMap, a Service, a quota, a stuck pod, in recorded clusters: card, act,
way back, check."""

import pytest
from tools.configs import set_config
from tools.deleting import delete_pod
from tools.probes import set_probe
from tools.quotas import set_quota
from tools.resources import set_resources
from tools.services import set_service
from tools.templates import set_env

from opssquad import Json, ToolError
from tests.tools.stage import stage

# Templates


async def test_a_limit_is_raised_watched_and_taken_back_by_revision() -> None:
    where = {"name": "recommender", "namespace": "streaming"}
    async with stage("media-0519", speed=10) as s:
        preview, undo, check = await s.carry_out(set_resources, **where, limits="memory=2Gi")
        assert preview.command.endswith(
            "set resources deployment/recommender --containers=recommender --limits=memory=2Gi"
        )
        assert preview.diff.splitlines()[-2:] == ["-memory: 640Mi", "+memory: 2Gi"]
        assert (check.outcome, undo.tool, undo.args["revision"]) == ("better", "rollback", 3)
        lower, _ = await s.foresee(set_resources, **where, limits="memory=1Gi")
        assert (lower.risk, "goes down" in lower.risk_rule) == ("high", True)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"limits": "memory=640Mi"}, "nothing to do"),
        ({}, "give limits or requests"),
        ({"limits": "memory=lots"}, "is not a quantity"),
        ({"limits": "memory=-1"}, "0 or more"),
        ({"limits": "memory"}, "neither NAME=QUANTITY nor NAME-"),
        ({"limits": "memory=100Mi"}, "must be less than or equal to memory limit"),
    ],
)
async def test_amounts_that_cannot_be_set_are_refused(args: dict[str, str], said: str) -> None:
    async with stage("media-0519") as s:
        with pytest.raises(ToolError, match=said):
            await s.foresee(set_resources, name="recommender", namespace="streaming", **args)


async def test_a_probe_asks_elsewhere_and_only_what_it_can_ask() -> None:
    where = {"name": "imaging-gateway", "namespace": "diagnostics"}
    async with stage("ward-0126", speed=10) as s:
        args = {**where, "probe": "liveness", "path": "/healthz", "port": "8080"}
        preview, undo, check = await s.carry_out(set_probe, **args)
        assert "GET :9464/livez -> GET :8080/healthz" in preview.impact
        assert (check.outcome, undo.tool) == ("better", "rollback")
        with pytest.raises(ToolError, match="is so already"):
            await s.foresee(set_probe, **args)
        with pytest.raises(ToolError, match="no startup probe; to make one, give its port too"):
            await s.foresee(set_probe, **where, probe="startup", path="/x")
        slower, _ = await s.foresee(set_probe, **where, probe="readiness", timeout=5, failures=6)
        assert "timeoutSeconds 1 -> 5" in slower.impact
        with pytest.raises(ToolError, match="probe: Input should be"):
            await s.foresee(set_probe, **where, probe="health")


async def test_the_undo_of_a_variable_of_a_stateful_set_is_its_revision() -> None:
    async with stage("auth-0308") as s:
        store = {"name": "session-store", "namespace": "authentication", "kind": "StatefulSet"}
        _, undo = await s.foresee(set_env, **store, env="LEVEL=debug")
    assert (undo.tool, undo.args["kind"], undo.args["revision"]) == ("rollback", "StatefulSet", 1)


# ConfigMaps


async def test_a_key_is_set_with_a_restart_of_all_that_reads_it_and_put_back_the_same_way() -> None:
    where = {"name": "patients-env", "namespace": "clinical", "key": "DB_CONN_MAX_AGE"}
    async with stage("ward-0216", speed=10) as s:
        preview, undo, check = await s.carry_out(set_config, **where, value="60")
        assert preview.diff.splitlines()[-2:] == ["-DB_CONN_MAX_AGE: 60s", "+DB_CONN_MAX_AGE: 60"]
        assert "restarts Deployment patients (2 of 3 pods ready)" in preview.impact
        assert [*preview.binding] == ["ConfigMap/clinical/patients-env", "Deployment/clinical/patients"]
        assert preview.command.endswith("&& kubectl -n clinical rollout restart deployment/patients")
        assert (check.outcome, undo.args["value"]) == ("better", "60s")
        _, _, check = await s.carry_out(set_config, **undo.args)
        assert check.outcome == "worse"
        assert (await s.get("ConfigMap", "patients-env", "clinical"))["data"]["DB_CONN_MAX_AGE"] == "60s"


async def test_a_key_that_was_not_there_is_removed_again() -> None:
    where = {"name": "patients-env", "namespace": "clinical", "key": "NEW"}
    async with stage("ward-0216", speed=10) as s:
        _, undo = await s.foresee(set_config, **where, value="1")
        await s.run(set_config, **where, value="1")
        assert undo.args["remove"] is True
        await s.run(set_config, **undo.args)
        assert "NEW" not in (await s.get("ConfigMap", "patients-env", "clinical"))["data"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"key": "DB_PASSWORD", "value": "hunter2"}, "looks like a secret"),
        ({"key": "DB_URL", "value": "postgres://app:hunter2@db/x"}, "looks like a secret"),
        ({"key": "app.ini", "value": "a = 1\npassword = hunter2"}, "looks like a secret"),
        ({"key": "NOT_THERE", "remove": True}, "has no key NOT_THERE; there is: DB_CONN_MAX_AGE"),
        ({"key": "DB_CONN_MAX_AGE", "value": "60s"}, "nothing to do"),
    ],
)
async def test_keys_that_cannot_be_set_are_refused(args: Json, said: str) -> None:
    async with stage("ward-0216") as s:
        with pytest.raises(ToolError, match=said) as error:
            await s.foresee(set_config, name="patients-env", namespace="clinical", **args)
    assert "hunter2" not in str(error.value)


# Services


async def test_a_selector_is_set_and_the_check_counts_who_answers_then() -> None:
    where = {"name": "patients", "namespace": "clinical"}
    async with stage("ward-0316", speed=10) as s:
        preview, undo, check = await s.carry_out(set_service, **where, selector="app=patients")
        assert preview.command == "kubectl -n clinical set selector service/patients app=patients"
        assert "Now 0 pods match" in preview.impact
        assert "then 3 pods match, 3 ready, 3 listening (patients)" in preview.impact
        assert (check.outcome, undo.args) == ("better", {**where, "selector": "app=patients-api"})
        back, _, check = await s.carry_out(set_service, **undo.args)
        assert (back.risk, check.outcome) == ("high", "worse")
        service = await s.get("Service", "patients", "clinical")
    assert service["spec"]["selector"] == {"app": "patients-api"}


async def test_a_target_port_is_set_on_the_port_that_is_named() -> None:
    where = {"name": "queue", "namespace": "clinical"}
    async with stage("ward-0323", speed=10) as s:
        with pytest.raises(ToolError, match="say which of its ports; there is: 5672, 15672"):
            await s.foresee(set_service, **where, target_port=5672)
        with pytest.raises(ToolError, match="'app' is not KEY=VALUE"):
            await s.foresee(set_service, **where, selector="app")
        with pytest.raises(ToolError, match="give a selector or a target_port"):
            await s.foresee(set_service, **where)
        before = (await s.get("Service", "queue", "clinical"))["spec"]
        _, undo, check = await s.carry_out(set_service, **where, target_port="5672", port=5672)
        assert check.outcome == "better"
        after = (await s.get("Service", "queue", "clinical"))["spec"]
        assert [each["targetPort"] for each in after["ports"]] == [5672, 15672]
        await s.run(set_service, **undo.args)
        assert (await s.get("Service", "queue", "clinical"))["spec"] == before


# Quotas


async def test_a_quota_is_raised_and_what_lacked_pods_gets_them() -> None:
    where = {"name": "diagnostics-compute", "namespace": "diagnostics"}
    async with stage("ward-0309", speed=10) as s:
        lower, _ = await s.foresee(set_quota, **where, hard="limits.memory=1Gi")
        assert (lower.risk, "less than what is used" in lower.risk_rule) == ("high", True)
        with pytest.raises(ToolError, match="hard: pods.x: it limits limits.memory=8Gi"):
            await s.foresee(set_quota, **where, hard="pods.x=1")
        with pytest.raises(ToolError, match="allows that already"):
            await s.foresee(set_quota, **where, hard="limits.memory=8192Mi")
        preview, undo, check = await s.carry_out(set_quota, **where, hard="limits.memory=24Gi")
        assert "imaging-render (1 of 2 pods ready)" in preview.impact
        assert undo.args == {**where, "hard": "limits.memory=8Gi"}
        assert check.outcome == "better"
        assert "imaging-render: imaging-render is settled" in check.text


# Stuck pods


async def test_a_stuck_pod_goes_by_force_unless_two_of_it_could_harm() -> None:
    async with stage("media-0728", speed=10) as s:
        stuck = {"pod": "cdn-signer-569ff64969-dphlq", "namespace": "streaming"}
        with pytest.raises(ToolError, match="is being deleted already; where it does not go, use force"):
            await s.foresee(delete_pod, **stuck)
        with pytest.raises(ToolError, match="postgres-0 may still run there and write to its volume"):
            await s.foresee(delete_pod, pod="postgres-0", namespace="streaming", force=True)
        with pytest.raises(ToolError, match="is not stuck"):
            await s.foresee(delete_pod, pod="redis-0", namespace="streaming", force=True)
        preview, undo, check = await s.carry_out(delete_pod, **stuck, force=True)
        assert preview.command.endswith("delete pod cdn-signer-569ff64969-dphlq --force --grace-period=0")
        assert preview.risk == "high"
        assert "its node nl-node-02 does not answer" in preview.impact
        assert not undo.tool
        assert check.outcome == "better"
        assert await s.cluster.find("Pod", stuck["pod"], "streaming") is None


async def test_a_pod_that_a_finalizer_holds_goes_by_force_and_the_card_says_what_is_not_done() -> None:
    async with stage("media-0728", speed=10) as s:
        held = {"pod": "cdn-signer-569ff64969-dqzvz", "namespace": "streaming"}
        body = {"metadata": {"finalizers": ["example.com/drain"]}}
        await s.cluster.patch("Pod", held["pod"], "streaming", body, how="merge")
        await s.run(delete_pod, **held)
        preview, _, check = await s.carry_out(delete_pod, **held, force=True)
        assert "finalizers hold it: example.com/drain" in preview.impact
        assert "is not cleaned up" in preview.risk_rule
        assert check.text.startswith("Pod cdn-signer-569ff64969-dqzvz is gone.")
