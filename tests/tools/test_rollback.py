"""Checking and doing rollbacks in recorded clusters: card, act, check, and all that may stop them."""

import re

import pytest
from tools._checks import Finding, verdict
from tools._plan import plan
from tools.rollback import rollback, rollback_check
from tools.workloads import restart, scale

from opssquad import Result, ToolError
from tests.tools.stage import stage

AUTH = {"deployment": "auth-service", "namespace": "authentication"}


def outcomes(result: Result) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in result.data["checks"]}


async def test_a_rollback_whose_target_has_no_pods_left_is_never_called_safe() -> None:
    async with stage("auth-0308") as s:
        result = await s.run(rollback_check, **AUTH)
    assert result.data["verdict"] == "unknown"
    assert result.data["revision"] == 2
    found = outcomes(result)
    assert found["stability"] == found["migrations"] == "unknown"
    assert {found[each] for each in ("revision", "rights", "dry run", "references", "configuration")} == {
        "ok"
    }
    assert "image v2.4.1 -> v2.4.0, DB_POOL_SIZE 20 -> 50, DB_TIMEOUT 5000 -> 10000" in result.text
    assert result.commands[1].endswith("--to-revision=2 --dry-run=server")


async def test_pods_of_the_old_revision_that_still_serve_prove_it() -> None:
    async with stage("shop-0412") as s:
        result = await s.run(rollback_check, deployment="checkout", namespace="shop")
    assert outcomes(result)["stability"] == "ok"
    assert outcomes(result)["migrations"] == "ok"


async def test_configuration_edited_since_makes_a_rollback_risky() -> None:
    async with stage("shop-0618") as s:
        result = await s.run(rollback_check, deployment="payments", namespace="shop")
    assert result.data["verdict"] == "risky"
    assert outcomes(result)["configuration"] == "risk"
    assert "ConfigMap payments-config (PSP_TIMEOUT_MS) 2026-06-18 08:07" in result.text


async def test_a_missing_secret_of_the_old_template_blocks_it() -> None:
    async with stage("auth-0308") as s:
        await s.cluster.delete("Secret", "auth-db", "authentication")
        result = await s.run(rollback_check, **AUTH)
    assert outcomes(result)["references"] == "blocked"
    assert "Secret auth-db key username" in result.text
    assert result.data["verdict"] == "risky"


async def test_an_owner_that_would_put_the_release_back_is_named() -> None:
    note = {"metadata": {"labels": {"argocd.argoproj.io/instance": "identity"}}}
    async with stage("auth-0308") as s:
        await s.cluster.patch("Deployment", "auth-service", "authentication", note, how="merge")
        result = await s.run(rollback_check, **AUTH)
        assert outcomes(result)["owner"] == "risk"
        assert "Argo CD (identity)" in result.text
        preview, _ = await s.foresee(rollback, **AUTH)
    assert (preview.risk, preview.risk_rule) == ("high", "a rollback check speaks against it: owner")


async def test_a_migration_job_since_then_makes_it_risky() -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "auth-migrate-42", "namespace": "authentication"},
        "spec": {
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{"name": "m", "image": "auth:1", "command": ["x"]}],
                }
            }
        },
    }
    async with stage("auth-0308") as s:
        await s.cluster.create("Job", job, "authentication")
        result = await s.run(rollback_check, **AUTH)
    assert outcomes(result)["migrations"] == "risk"
    assert "Job auth-migrate-42" in result.text


async def test_the_golden_rollback_brings_all_pods_back_and_says_so_in_numbers() -> None:
    async with stage("auth-0308", speed=5) as s:
        preview, undo, check = await s.carry_out(rollback, **AUTH)
        deployment = await s.get("Deployment", "auth-service", "authentication")
    assert preview.command == "kubectl -n authentication rollout undo deployment/auth-service --to-revision=2"
    assert "all 3 pods are stopped before new ones start (Recreate); 0 of 3 are ready now" in preview.impact
    assert preview.diff.splitlines()[-4:] == [
        *("-DB_POOL_SIZE: 20", "+DB_POOL_SIZE: 50"),
        *("-DB_TIMEOUT: 5000", "+DB_TIMEOUT: 10000"),
    ]
    assert preview.binding["Deployment/authentication/auth-service"] == "uid=e88a9f9b generation=3 revision=3"
    assert (undo.tool, undo.args) == ("rollback", {**AUTH, "revision": 3})
    assert check.outcome == "better"
    assert "ready 0 of 3 before, 3 of 3 now; restarts of the pods with the newest template: 0" in check.text
    assert [each.id for each in check.signals] == ["workload.recovered"]
    assert s.said[-1].endswith("3 of 3 ready, 3 with the newest template")
    notes = deployment["metadata"]["annotations"]
    assert (notes["deployment.kubernetes.io/revision"], notes["kubernetes.io/change-cause"]) == (
        "4",
        "release v2.4.0",
    )
    assert "v2.4.1" in notes["kubectl.kubernetes.io/last-applied-configuration"]


async def test_the_undo_that_was_stored_takes_the_rollback_back() -> None:
    async with stage("auth-0308", speed=10) as s:
        _, undo, _ = await s.carry_out(rollback, **AUTH)
        _, _, check = await s.carry_out(rollback, **undo.args)
        deployment = await s.get("Deployment", "auth-service", "authentication")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v2.4.1")
    assert check.outcome == "worse"
    assert "does not become ready" in check.text
    # A pod that crashes in a loop is seen between two starts or right after one.
    assert re.search(r"container auth-service: (CrashLoopBackOff|exit code 1 \(Error\))", check.text)


async def test_a_change_of_the_deployment_voids_the_binding_and_a_change_of_its_status_does_not() -> None:
    async with stage("auth-0308") as s:
        preview, _ = await s.foresee(rollback, **AUTH)
        status = {"status": {"unavailableReplicas": 2}}
        await s.cluster.patch(
            "Deployment", "auth-service", "authentication", status, how="merge", subresource="status"
        )
        assert await rollback.observed(AUTH, s.handles) == preview.binding
        await s.run(scale, name="auth-service", namespace="authentication", replicas=4)
        assert await rollback.observed(AUTH, s.handles) != preview.binding


async def test_a_revision_that_is_not_kept_is_refused_with_those_that_are() -> None:
    async with stage("auth-0308") as s:
        with pytest.raises(ToolError, match="no revision 9 of 'auth-service'.*there is: 1, 2, 3"):
            await s.run(rollback, **AUTH, revision=9)
        with pytest.raises(ToolError, match="revision 3 of 'auth-service' is what runs now"):
            await s.run(rollback_check, **AUTH, revision=3)
        with pytest.raises(ToolError, match="no earlier revision of 'audit-worker'"):
            await s.run(rollback, deployment="audit-worker", namespace="authentication")


async def test_a_paused_deployment_is_refused_with_the_line_that_resumes_it() -> None:
    async with stage("auth-0308") as s:
        body = {"spec": {"paused": True}}
        await s.cluster.patch("Deployment", "auth-service", "authentication", body, how="merge")
        with pytest.raises(ToolError, match="rollout resume deployment/auth-service"):
            await s.foresee(rollback, **AUTH)
        with pytest.raises(ToolError, match="is paused"):
            await s.run(rollback, **AUTH)
        with pytest.raises(ToolError, match="is paused"):
            await s.run(restart, name="auth-service", namespace="authentication")
        assert outcomes(await s.run(rollback_check, **AUTH))["paused"] == "blocked"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["ok", "ok"], "safe"),
        (["ok", "unknown"], "unknown"),
        (["unknown", "risk"], "risky"),
        (["ok", "blocked"], "risky"),
    ],
)
def test_a_verdict_is_safe_only_when_every_check_is_well(found: list[str], expected: str) -> None:
    findings = [Finding("x", each, "") for each in found]  # type: ignore[arg-type]
    assert verdict(findings) == expected


async def test_a_change_between_the_last_look_and_the_act_is_refused_by_the_server_itself() -> None:
    async with stage("auth-0308") as s:
        thought = await plan(s.cluster, "auth-service", "authentication", 0)
        await s.run(scale, name="auth-service", namespace="authentication", replicas=4)
        with pytest.raises(ToolError, match="the server"):
            await s.cluster.patch("Deployment", "auth-service", "authentication", thought.patch(), how="json")
        now = await s.get("Deployment", "auth-service", "authentication")
    assert now["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v2.4.1")
