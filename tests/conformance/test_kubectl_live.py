"""The real `kubectl`, where it is installed, changes a served recording and sees what follows."""

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from opssquad.worlds.kube.serve import open_recording
from tests.conformance.kubectl import installed, run

pytestmark = installed
RECORDING = Path(__file__).parents[2] / "evals" / "recordings" / "auth-0308"
WEB = "-n authentication"
Kubectl = Callable[[str], Awaitable[str]]


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    """Runs a command line against a recording whose clock goes at ten times the pace; gives what it
    printed.
    """
    async with open_recording(RECORDING, speed=10) as served:

        async def command(line: str) -> str:
            code, out, err = await run(shlex.split(line), tmp_path, served.kubeconfig)
            return out if code == 0 else f"{code}: {err}"

        yield command


async def test_an_undo_brings_the_pods_back_and_numbers_the_revision_anew(kubectl: Kubectl) -> None:
    assert "CrashLoopBackOff" in await kubectl(f"get pods {WEB} -l app=auth-service")
    assert (
        await kubectl(f"rollout undo deploy/auth-service {WEB}")
        == "deployment.apps/auth-service rolled back\n"
    )
    said = await kubectl(f"rollout status deploy/auth-service {WEB} --timeout=50s")
    assert said.endswith('deployment "auth-service" successfully rolled out\n')
    pods = (await kubectl(f"get pods {WEB} -l app=auth-service --no-headers")).splitlines()
    assert [line.split()[1:4] for line in pods] == [["1/1", "Running", "0"]] * 3
    history = await kubectl(f"rollout history deploy/auth-service {WEB}")
    assert [line.split()[0] for line in history.splitlines()[2:] if line] == ["1", "3", "4"]
    assert "v2.4.0" in await kubectl(f"logs deploy/auth-service {WEB} --tail=5")
    assert "Scaled up replica set" in await kubectl(f"events --for deploy/auth-service {WEB}")


async def test_an_image_is_set_and_taken_back(kubectl: Kubectl) -> None:
    before = await kubectl(f"get deploy login-ui {WEB} -o jsonpath={{..image}}")
    await kubectl(f"set image deploy/login-ui {WEB} *=registry.example.com/web:2")
    assert await kubectl(f"get deploy login-ui {WEB} -o jsonpath={{..image}}") == "registry.example.com/web:2"
    await kubectl(f"rollout undo deploy/login-ui {WEB}")
    await kubectl(f"rollout status deploy/login-ui {WEB} --timeout=50s")
    assert await kubectl(f"get deploy login-ui {WEB} -o jsonpath={{..image}}") == before


async def test_scale_env_patches_and_restart_are_rolled_out(kubectl: Kubectl) -> None:
    deployment = f"deploy/token-service {WEB}"
    assert "scaled" in await kubectl(f"scale {deployment} --replicas=3")
    assert "env updated" in await kubectl(f"set env {deployment} LOG_LEVEL=debug")
    for kind, patch in (
        ("strategic", {"spec": {"minReadySeconds": 1}}),
        ("merge", {"metadata": {"labels": {"checked": "yes"}}}),
        ("json", [{"op": "replace", "path": "/spec/replicas", "value": 2}]),
    ):
        assert "patched" in await kubectl(f"patch {deployment} --type={kind} -p '{json.dumps(patch)}'")
    dry = await kubectl(f'patch {deployment} --dry-run=server -p \'{{"spec":{{"replicas":9}}}}\' -o json')
    assert json.loads(dry)["spec"]["replicas"] == 9
    assert "restarted" in await kubectl(f"rollout restart {deployment}")
    assert "successfully rolled out" in await kubectl(f"rollout status {deployment} --timeout=50s")
    live = json.loads(await kubectl(f"get {deployment} -o json"))
    assert (live["spec"]["replicas"], live["status"]["availableReplicas"]) == (2, 2)
    assert live["metadata"]["labels"]["checked"] == "yes"


async def test_a_deleted_pod_comes_back_under_another_name_and_a_watch_sees_it(kubectl: Kubectl) -> None:
    pods = (await kubectl(f"get pods {WEB} -l app=login-ui -o name")).split()
    watching = asyncio.create_task(kubectl(f"get pods {WEB} -l app=login-ui -w -o name --request-timeout=4s"))
    await asyncio.sleep(0.5)
    assert "deleted" in await kubectl(f"delete {pods[0]} {WEB}")
    seen = set((await watching).split())
    after = (await kubectl(f"get pods {WEB} -l app=login-ui -o name")).split()
    assert len(after) == len(pods)
    assert pods[0] not in after
    assert set(after) <= seen


async def test_a_cordoned_node_takes_no_pods(kubectl: Kubectl) -> None:
    node = (await kubectl("get nodes -o name")).split()[0]
    assert "cordoned" in await kubectl(f"cordon {node}")
    assert "SchedulingDisabled" in await kubectl(f"get {node}")
    await kubectl(f"scale deploy/login-ui {WEB} --replicas=6")
    await kubectl(f"rollout status deploy/login-ui {WEB} --timeout=50s")
    placed = await kubectl(
        f"get pods {WEB} --sort-by=.metadata.creationTimestamp -o custom-columns=N:.spec.nodeName"
    )
    assert node.removeprefix("node/") not in placed.split()[-4:]
    assert "uncordoned" in await kubectl(f"uncordon {node}")


async def test_what_cannot_be_done_is_refused_as_the_server_refuses_it(kubectl: Kubectl) -> None:
    assert await kubectl("auth can-i delete pods") == "yes\n"
    assert await kubectl(f"get pod none {WEB}") == '1: Error from server (NotFound): pods "none" not found\n'
    wrong = await kubectl(f'patch deploy/login-ui {WEB} -p \'{{"spec":{{"replicas":-1}}}}\'')
    assert 'The Deployment "login-ui" is invalid: spec.replicas: Invalid value: -1' in wrong
    gone = await kubectl("get --raw /api/v1/pods?limit=1&resourceVersion=1")
    assert "The resourceVersion for the provided list is too old" in gone
    assert "cannot list resource" in await kubectl(f"get secrets {WEB} --as=nobody")


async def test_a_namespace_is_made_worked_in_and_taken_away(kubectl: Kubectl) -> None:
    await kubectl("create namespace lab")
    await kubectl("create deployment x --image=registry.example.com/x:1 -n lab")
    said = await kubectl("rollout status deploy/x -n lab --timeout=50s")
    assert said.endswith('deployment "x" successfully rolled out\n')
    assert await kubectl("delete namespace lab --timeout=50s") == 'namespace "lab" deleted\n'
    assert "NotFound" in await kubectl("get namespace lab")


async def test_rights_of_others_can_be_asked_for_and_given(kubectl: Kubectl) -> None:
    asked = f"auth can-i list pods {WEB} --as=system:serviceaccount:authentication:default"
    assert await kubectl(asked) == "1: "
    given = "--clusterrole=view --serviceaccount=authentication:default"
    await kubectl(f"create rolebinding looks {given} {WEB}")
    assert await kubectl(asked) == "yes\n"
    assert (await kubectl(f"create token default {WEB}")).count(".") == 2


async def test_what_needs_a_container_fails_with_one_line_that_says_why(kubectl: Kubectl) -> None:
    for line in (
        "exec session-store-0 -- ls",
        "attach session-store-0",
        "port-forward session-store-0 :6379",
    ):
        said = await kubectl(f"{WEB} {line}")
        assert said.startswith("1: ")
        assert said.count("recorded cluster: no container runs there") == 1
