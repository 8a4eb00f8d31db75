"""The handle against a recorded cluster served over HTTP: the same class as against a live one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opssquad.errors import Refused, ToolError
from opssquad.times import parse_time
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.serve import open_recording
from opssquad.worlds.kube.trouble import ApiError

RECORDING = Path(__file__).resolve().parents[3] / "evals" / "recordings" / "auth-0308"
SPACE = "authentication"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with open_recording(RECORDING) as served:
        handle = await Cluster.connect(served.kubeconfig)
        yield handle
        await handle.close()


async def test_the_clock_is_the_recordings(cluster: Cluster) -> None:
    await cluster.version()
    clock = datetime(2026, 3, 8, 14, 37, tzinfo=UTC)
    assert clock <= cluster.now() < clock + timedelta(seconds=10)


async def test_objects_lists_and_tables_agree(cluster: Cluster) -> None:
    listed = await cluster.list("pods", SPACE)
    table = await cluster.table("pods", SPACE)
    single = [await cluster.get("pod", pod["metadata"]["name"], SPACE) for pod in listed]
    assert [p["metadata"]["uid"] for p in single] == [p["metadata"]["uid"] for p in listed]
    assert [(row.namespace, row.name) for row in table.rows] == [
        (SPACE, p["metadata"]["name"]) for p in listed
    ]
    assert all("managedFields" not in row.metadata for row in table.rows)


async def test_a_bare_table_has_metadata_only_where_it_was_asked_for(cluster: Cluster) -> None:
    whole = await cluster.table("pods")
    bare = await cluster.table("pods", detail=lambda headings, cells: False)
    asked = await cluster.table(
        "pods", detail=lambda headings, cells: cells[headings.index("Ready")] == "0/1"
    )
    assert [row.cells for row in bare.rows] == [row.cells for row in whole.rows]
    assert {row.name for row in bare.rows} == {""}
    assert [row.name for row in asked.rows] == [row.name for row in whole.rows]


async def test_what_is_not_there_is_told_with_what_is(cluster: Cluster) -> None:
    with pytest.raises(
        ToolError, match=r"^no deployment 'auth-servic' in 'authentication'; nearest: auth-service,"
    ):
        await cluster.get("deploy", "auth-servic", SPACE)
    with pytest.raises(ToolError, match=r"^no namespace 'authentcation'; nearest: authentication"):
        await cluster.get("deploy", "auth-service", "authentcation")


async def test_logs_begin_every_line_with_its_time(cluster: Cluster) -> None:
    pods = await cluster.list("pods", SPACE, labels="app=auth-service")
    logs = await cluster.logs(pods[0]["metadata"]["name"], SPACE, previous=True, tail=5)
    assert len(logs.splitlines()) == 5
    assert all(parse_time(line.split(" ", 1)[0]) for line in logs.splitlines())


async def test_secrets_come_without_values(cluster: Cluster) -> None:
    for secret in await cluster.list("secrets"):
        assert set(secret["data"].values()) <= {"«redacted»"}


async def test_a_dry_run_changes_nothing_and_a_patch_is_seen_by_a_watch(cluster: Cluster) -> None:
    before = await cluster.get("deploy", "login-ui", SPACE)
    wanted = before["spec"]["replicas"] + 1
    body = {"spec": {"replicas": wanted}}
    reader = cluster.limited("read")
    dry = await reader.patch("deploy", "login-ui", SPACE, body, how="merge", dry_run=True)
    assert dry["spec"]["replicas"] == wanted
    assert (await cluster.get("deploy", "login-ui", SPACE))["spec"] == before["spec"]
    with pytest.raises(Refused):
        await reader.patch("deploy", "login-ui", SPACE, body, how="merge")

    async def seen() -> int:
        changes = cluster.watch("deploy", SPACE, fields="metadata.name=login-ui")
        async with aclosing(changes):
            async for kind, obj in changes:
                if kind == "MODIFIED":
                    return int(obj["spec"]["replicas"])
        return 0

    watching = asyncio.create_task(seen())
    await asyncio.sleep(0.3)
    await cluster.patch("deploy", "login-ui", SPACE, body, how="strategic")
    async with asyncio.timeout(5):
        assert await watching == wanted


async def test_a_patch_of_an_object_that_moved_on_is_refused_by_the_server(cluster: Cluster) -> None:
    stale = [{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}]
    with pytest.raises(ApiError) as caught:
        await cluster.patch("deploy", "login-ui", SPACE, stale, how="json")
    assert caught.value.status == 422


async def test_the_on_call_engineer_may_roll_back_here(cluster: Cluster) -> None:
    assert await cluster.can_i("patch", "deployments.apps", SPACE)
    assert {"Deployment", "Pod", "PodMetrics"} <= {resource.kind for resource in await cluster.kinds()}


async def test_the_clock_does_not_run_backwards_at_an_answer_cut_to_seconds() -> None:
    started = datetime.now(UTC) - timedelta(seconds=0.9)
    async with open_recording(RECORDING, started_at=started) as served:
        handle = await Cluster.connect(served.kubeconfig, clock=served.world.store.now)
        before = handle.now()
        await handle.version()
        assert handle.now() >= before
        await handle.close()
