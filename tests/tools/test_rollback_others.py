"""Rolling back StatefulSets and DaemonSets in recorded clusters, and pods that hold up their StatefulSet."""

import asyncio
import copy

import pytest
from tools.deleting import delete_pod
from tools.rollback import rollback, rollback_check
from tools.templates import set_env

from opssquad import Json, ToolError
from tests.tools.stage import Stage, stage

CACHE = {"deployment": "lab-cache", "namespace": "diagnostics", "kind": "StatefulSet"}


async def test_a_stateful_set_rolls_back_to_its_controller_revision_and_forward_again() -> None:
    async with stage("ward-0330", speed=10) as s:
        checked = await s.run(rollback_check, **{**CACHE, "kind": "sts"})
        assert "Rollback of StatefulSet/diagnostics/lab-cache to revision 1" in checked.text
        preview, undo, check = await s.carry_out(rollback, **CACHE)
        after = await s.get("StatefulSet", "lab-cache", "diagnostics")
        assert preview.command.endswith("rollout undo statefulset/lab-cache --to-revision=1")
        assert list(preview.binding)[0] == "StatefulSet/diagnostics/lab-cache"
        assert "768mb" in after["spec"]["template"]["spec"]["containers"][0]["args"]
        assert (check.outcome, undo.args) == ("better", {**CACHE, "revision": 2})
        _, _, check = await s.carry_out(rollback, **undo.args)
    assert check.outcome == "worse"


async def test_a_kind_without_revisions_is_said_to_have_none() -> None:
    async with stage("ward-0330") as s:
        with pytest.raises(ToolError, match="CronJob has no revisions"):
            await s.foresee(rollback, deployment="x", namespace="diagnostics", kind="CronJob")
        with pytest.raises(ToolError, match="no earlier revision of 'queue' is kept"):
            await s.foresee(rollback, deployment="queue", namespace="clinical", kind="StatefulSet")


async def test_a_daemon_set_goes_back_to_the_template_that_its_controller_revision_keeps() -> None:
    where = {"namespace": "authentication", "name": "agent"}
    pods: Json = {"containers": [{"name": "agent", "image": "agent:1"}]}
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": pods}
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
    newer = {"spec": {"template": {"spec": {"containers": [{"name": "agent", "image": "agent:2"}]}}}}
    args = {"deployment": "agent", "namespace": "authentication", "kind": "DaemonSet"}
    async with stage("auth-0308", speed=10) as s:
        body = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": where, "spec": spec}
        await s.cluster.create("DaemonSet", body, "authentication")
        await _until(s, 1)
        await s.cluster.patch("DaemonSet", "agent", "authentication", newer, how="strategic")
        await _until(s, 2)
        preview, undo, check = await s.carry_out(rollback, **{**args, "kind": "ds"})
        after = await s.get("DaemonSet", "agent", "authentication")
    assert preview.command.endswith("rollout undo daemonset/agent --to-revision=1")
    assert "-image: agent:2" in preview.diff.splitlines()
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "agent:1"
    assert undo.args == {**args, "revision": 2}
    assert check.outcome in ("same", "better")


async def _until(s: Stage, count: int) -> None:
    """Wait until the controller has kept so many revisions of the DaemonSet."""
    async with asyncio.timeout(20):
        while True:
            kept = await s.cluster.list("ControllerRevision", "authentication")
            if sum(each["metadata"]["name"].startswith("agent-") for each in kept) == count:
                return
            await asyncio.sleep(0.05)


async def ordered_and_broken(s: Stage) -> None:
    """The recorded cache as a StatefulSet in order, with a good first revision and a second that crashes."""
    old = await s.get("StatefulSet", "lab-cache", "diagnostics")
    spec: Json = {**copy.deepcopy(old["spec"]), "podManagementPolicy": "OrderedReady"}
    container = spec["template"]["spec"]["containers"][0]
    bad = list(container["args"])
    container["args"] = [each.replace("768Mi", "768mb") for each in bad]
    meta = {"name": "lab-cache", "namespace": "diagnostics"}
    await s.cluster.delete("StatefulSet", "lab-cache", "diagnostics")
    await gone(s, "lab-cache-0")
    made = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec}
    await s.cluster.create("StatefulSet", made, "diagnostics")
    await until(s, "True")
    patch = {"spec": {"template": {"spec": {"containers": [{"name": container["name"], "args": bad}]}}}}
    await s.cluster.patch("StatefulSet", "lab-cache", "diagnostics", patch, how="strategic")
    await until(s, "False")


async def gone(s: Stage, pod: str) -> None:
    async with asyncio.timeout(30):
        while await s.cluster.find("Pod", pod, "diagnostics"):
            await asyncio.sleep(0.1)


async def until(s: Stage, ready: str) -> None:
    """Wait until the cache's pod has a container that was started and is, or is not, ready."""
    async with asyncio.timeout(60):
        while True:
            pod = await s.cluster.find("Pod", "lab-cache-0", "diagnostics")
            status = (pod or {}).get("status", {})
            told = {each["type"]: each["status"] for each in status.get("conditions", ())}
            began = any(each["restartCount"] for each in status.get("containerStatuses", ()))
            if told.get("Ready") == ready and (ready == "True" or began):
                return
            await asyncio.sleep(0.1)


async def test_a_broken_pod_in_order_holds_up_its_rollback_until_it_is_deleted() -> None:
    async with stage("ward-0330", speed=10) as s:
        await ordered_and_broken(s)
        where = {"name": "lab-cache", "namespace": "diagnostics", "kind": "StatefulSet"}
        card, _ = await s.foresee(set_env, **where, env="LEVEL=debug")
        assert "delete lab-cache-0, or it stays as it is" in card.impact
        preview, _, check = await s.carry_out(rollback, **CACHE)
        assert "delete lab-cache-0, or it stays as it is" in preview.impact
        assert preview.risk == "high"
        assert check.outcome == "same"
        assert "does not reach the pods" in check.text
        (way,) = check.next
        assert (way.tool, way.args) == ("delete_pod", {"pod": "lab-cache-0", "namespace": "diagnostics"})
        _, _, check = await s.carry_out(delete_pod, **way.args)
    assert check.outcome == "better"
