"""Changes in recorded clusters: what the card says, what is done, how it is taken back, whether it helped."""

import pytest
from tools.cordon import cordon, uncordon
from tools.deleting import delete_pod
from tools.objects import patch
from tools.templates import set_env, set_image
from tools.workloads import restart, scale

from opssquad import Toolbox, ToolError
from opssquad.content import all_tools
from tests.tools.stage import stage

AUTH = {"name": "auth-service", "namespace": "authentication"}
STORE = {"name": "session-store", "namespace": "authentication", "kind": "StatefulSet"}


def test_every_tool_that_changes_something_has_all_its_roles() -> None:
    changing = [each.name for each in Toolbox(all_tools().values()) if each.effect == "mutate"]
    assert {"rollback", "restart", "scale", "set_image", "set_env", "patch", "delete_pod", "cordon"} <= {
        *changing
    }


async def test_a_restart_of_pods_that_crash_does_not_help_and_the_check_says_why() -> None:
    async with stage("auth-0308", speed=10) as s:
        preview, undo, check = await s.carry_out(restart, **AUTH)
    assert preview.command == "kubectl -n authentication rollout restart deployment/auth-service"
    assert "+kubectl.kubernetes.io/restartedAt: 2026-03-08T14:37" in preview.diff
    assert not undo.tool
    assert check.outcome == "same"
    assert "does not become ready" in check.text
    assert "exit code 1" in check.text
    assert [each.id for each in check.signals] == ["rollout.stuck"]
    assert check.quotes


async def test_scaling_up_from_zero_brings_the_service_back() -> None:
    async with stage("media-0702", speed=5) as s:
        preview, undo, check = await s.carry_out(scale, name="cdn-signer", namespace="streaming", replicas=2)
    assert preview.command == "kubectl -n streaming scale deployment/cdn-signer --replicas=2"
    assert preview.diff.splitlines()[-2:] == ["-replicas: 0", "+replicas: 2"]
    assert (preview.risk, undo.args["replicas"]) == ("low", 0)
    assert check.outcome == "better"
    assert "ready 0 of 0 before, 2 of 2 now" in check.text


async def test_scaling_says_what_is_at_stake() -> None:
    async with stage("auth-0308") as s:
        down, _ = await s.foresee(scale, name="login-ui", namespace="authentication", replicas=1)
        zero, _ = await s.foresee(scale, name="login-ui", namespace="authentication", replicas=0)
        assert (down.risk, zero.risk) == ("medium", "high")
        assert "autoscaler login-ui may set another number" in down.impact
        with pytest.raises(ToolError, match="has 2 replicas already"):
            await s.foresee(scale, name="login-ui", namespace="authentication", replicas=2)
        with pytest.raises(ToolError, match="0 or more"):
            await s.run(scale, name="login-ui", namespace="authentication", replicas=-1)


async def test_a_stateful_set_restarts_and_scales() -> None:
    async with stage("auth-0308", speed=5) as s:
        preview, _, check = await s.carry_out(restart, **STORE)
        assert "statefulset/session-store" in preview.command
        assert check.outcome == "same"
        _, undo, check = await s.carry_out(scale, **STORE, replicas=2)
        assert (undo.args["kind"], undo.args["replicas"]) == ("StatefulSet", 1)
    assert "2 of 2 now" in check.text


async def test_an_image_is_set_watched_and_can_be_put_back() -> None:
    async with stage("auth-0308", speed=10) as s:
        image = "registry.example.com/platform/login-ui:v6"
        args = {"name": "login-ui", "namespace": "authentication", "image": image}
        preview, undo, check = await s.carry_out(set_image, **args)
        assert "+image: registry.example.com/platform/login-ui:v6" in preview.diff
        assert str(undo.args["image"]).endswith(":v5.0.9")
        assert check.outcome == "same"
        with pytest.raises(ToolError, match="has image .* already"):
            await s.foresee(set_image, **args)
        with pytest.raises(ToolError, match="no container 'web'.*there is: login-ui"):
            await s.foresee(set_image, **args, container="web")


async def test_a_variable_is_set_over_a_reference_and_removed() -> None:
    async with stage("auth-0308") as s:
        over, undo = await s.foresee(set_env, **AUTH, env="DB_USER=app")
        assert "+DB_USER: app" in over.diff
        assert (undo.tool, undo.args["revision"]) == ("rollback", 3)
        gone, _ = await s.foresee(set_env, **AUTH, env="LOG_LEVEL-")
        assert gone.diff.splitlines()[-1] == "-LOG_LEVEL: info"
        await s.run(set_env, **AUTH, env="DB_USER=app")
        workload = await s.get("Deployment", "auth-service", "authentication")
        env = workload["spec"]["template"]["spec"]["containers"][0]["env"]
        assert {"name": "DB_USER", "value": "app"} in env


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("DB_PASSWORD=hunter2", "looks like a secret"),
        ("what", "neither NAME=VALUE nor NAME-"),
        ("NOT_THERE-", "has no variable NOT_THERE"),
    ],
)
async def test_variables_that_cannot_be_set_are_refused(env: str, said: str) -> None:
    async with stage("auth-0308") as s:
        with pytest.raises(ToolError, match=said) as error:
            await s.foresee(set_env, **AUTH, env=env)
    assert "hunter2" not in str(error.value)


async def test_a_patch_shows_its_diff_and_its_undo_restores_the_object() -> None:
    where = {"kind": "ConfigMap", "name": "payments-config", "namespace": "shop"}
    async with stage("shop-0618") as s:
        before = (await s.get("ConfigMap", "payments-config", "shop"))["data"]
        body = {"data": {"PSP_TIMEOUT_MS": "4000", "new.key": "x"}}
        preview, undo, check = await s.carry_out(patch, **where, body=body, how="merge")
        assert "-PSP_TIMEOUT_MS: 6s\n+PSP_TIMEOUT_MS: 4000" in preview.diff
        assert preview.risk == "high"
        assert check.outcome == "unknown"
        assert (await s.get("ConfigMap", "payments-config", "shop"))["data"]["PSP_TIMEOUT_MS"] == "4000"
        await s.run(patch, **undo.args)
        assert (await s.get("ConfigMap", "payments-config", "shop"))["data"] == before


async def test_a_secret_is_not_patched_and_nonsense_is_said() -> None:
    async with stage("auth-0308") as s:
        secret = {"kind": "Secret", "name": "auth-db", "namespace": "authentication"}
        with pytest.raises(ToolError, match="a Secret is not patched from here"):
            await s.foresee(patch, **secret, body={"data": {"password": "eA=="}})
        with pytest.raises(ToolError, match="is a list of operations"):
            await s.foresee(patch, kind="Node", name="prod-worker-1", body={}, how="json")
        with pytest.raises(ToolError, match="changes nothing"):
            await s.foresee(patch, kind="Node", name="prod-worker-1", body={"metadata": {}})


async def test_deleting_a_pod_is_bound_to_that_very_pod_and_foreseeing_deletes_nothing() -> None:
    async with stage("auth-0308", speed=5) as s:
        args = {"pod": "session-store-0", "namespace": "authentication"}
        preview, undo, check = await s.carry_out(delete_pod, **args)
        assert (preview.risk, preview.risk_rule) == ("medium", "it is the only ready pod")
        assert undo.note == "none: StatefulSet session-store makes a new one"
        assert check.outcome == "same"
        assert await delete_pod.observed(args, s.handles) != preview.binding


async def test_a_node_is_cordoned_and_opened_again() -> None:
    async with stage("auth-0308") as s:
        preview, undo, check = await s.carry_out(cordon, node="prod-worker-1")
        assert preview.diff.splitlines()[-1] == "+unschedulable: true"
        assert (undo.tool, check.outcome) == ("uncordon", "better")
        with pytest.raises(ToolError, match="cordoned already"):
            await s.foresee(cordon, node="prod-worker-1")
        _, _, check = await s.carry_out(uncordon, node="prod-worker-1")
        assert check.text == "node prod-worker-1 takes pods again"
