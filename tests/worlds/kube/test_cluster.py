"""The cluster handle over real HTTP: what it reads, what it refuses, and what it never lets out."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from opssquad.errors import Refused, ToolError
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.trouble import ApiError
from tests.worlds.kube.stub_api import Handler, items, pod, serving, status

DATE = "Sun, 08 Mar 2026 14:37:00 GMT"


def by_path(**answers: Callable[[web.Request], web.Response]) -> Handler:
    """Answers by the last segment of the path, `_` for anything else."""

    async def handler(request: web.Request) -> web.StreamResponse:
        make = answers.get(request.path.rsplit("/", 1)[-1]) or answers["_"]
        return make(request)

    return handler


def gone(request: web.Request) -> web.Response:
    name = request.path.rsplit("/", 1)[-1]
    return status(404, "NotFound", f'pods "{name}" not found', details={"name": name, "kind": "pods"})


async def test_an_object_is_found_by_any_name_of_its_kind(tmp_path: Path) -> None:
    async with serving(by_path(_=lambda _: web.json_response({"kind": "Deployment"})), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        for kind in (
            "Deployment",
            "deploy",
            "deployments",
            "deployments.apps",
            "apps/v1/Deployment",
            "DEPLOY",
        ):
            assert (await cluster.get(kind, "web"))["kind"] == "Deployment"
        await cluster.close()
    assert {r.path for r in stub.seen} == {"/apis/apps/v1/namespaces/shop/deployments/web"}
    assert {r.headers["Authorization"] for r in stub.seen} == {"Bearer t0"}


async def test_a_missing_object_is_told_with_the_nearest_names(tmp_path: Path) -> None:
    answers = by_path(pods=lambda _: items(pod("web-1"), pod("web-2"), pod("db-0")), _=gone)
    async with serving(answers, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ToolError, match=r"^no pod 'web-3' in 'shop'; nearest: web-2, web-1$"):
            await cluster.get("po", "web-3")
        assert await cluster.find("po", "web-3") is None
        await cluster.close()


async def test_a_missing_namespace_is_told_with_the_nearest_names(tmp_path: Path) -> None:
    answers = by_path(pods=lambda _: items(), namespaces=lambda _: items(pod("shop"), pod("default")), _=gone)
    async with serving(answers, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ToolError, match=r"^no namespace 'shopp'; nearest: shop$"):
            await cluster.get("pod", "web", "shopp")
        await cluster.close()


async def test_an_object_without_any_namespace_chosen_asks_for_one(tmp_path: Path) -> None:
    async with serving(by_path(_=gone), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig(namespace=""))
        with pytest.raises(ToolError, match="Pod 'web' lives in a namespace: say which"):
            await cluster.get("pod", "web")
        await cluster.close()
    assert stub.seen == []


async def test_a_read_left_beside_one_that_failed_opens_no_connection_after_the_close(tmp_path: Path) -> None:
    async with serving(by_path(_=gone), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        await cluster.find("pod", "web")
        await cluster.close()
        asked = len(stub.seen)
        with pytest.raises(ToolError, match="the connection to the cluster was closed"):
            await cluster.find("pod", "web")
    assert len(stub.seen) == asked


def two_pages(request: web.Request) -> web.Response:
    if request.query.get("continue") == "more":
        return items(pod("c"))
    return items(pod("a"), pod("b"), token="more")


async def test_a_list_reads_every_page_and_names_the_kind_of_each_item(tmp_path: Path) -> None:
    async with serving(by_path(_=two_pages), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        found = await cluster.list("pod", labels="app=web", fields="status.phase=Running")
        kept = await cluster.list(
            "pod", keep=lambda p: p["metadata"]["name"] if p["metadata"]["name"] != "b" else None
        )
        await cluster.close()
    assert [(o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in found] == [
        ("v1", "Pod", "a"),
        ("v1", "Pod", "b"),
        ("v1", "Pod", "c"),
    ]
    assert kept == ["a", "c"]
    assert stub.seen[0].path == "/api/v1/pods"
    assert stub.seen[0].query["labelSelector"] == "app=web"
    assert stub.seen[0].query["fieldSelector"] == "status.phase=Running"
    assert stub.seen[0].query["limit"] == "500"


async def test_a_list_that_expires_between_pages_begins_anew_without_doubles(tmp_path: Path) -> None:
    expired = iter([True, False])

    def answer(request: web.Request) -> web.Response:
        if "continue" in request.query and next(expired):
            return status(410, "Expired", "The provided continue parameter is too old")
        return two_pages(request)

    async with serving(by_path(_=answer), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        assert [o["metadata"]["name"] for o in await cluster.list("pod")] == ["a", "b", "c"]
        await cluster.close()
    assert len(stub.seen) == 4


async def test_a_list_that_always_expires_is_given_up_in_the_servers_words(tmp_path: Path) -> None:
    def answer(request: web.Request) -> web.Response:
        if "continue" in request.query:
            return status(410, "Expired", "The provided continue parameter is too old")
        return two_pages(request)

    async with serving(by_path(_=answer), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ToolError, match="continue parameter is too old"):
            await cluster.list("pod")
        await cluster.close()


def secret(_: web.Request) -> web.Response:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"PASSWORD":"aHVudGVyMg=="}}'}
    metadata = {"name": "db", "annotations": {**annotations, "team": "a"}}
    return web.json_response(
        {
            "kind": "Secret",
            "metadata": metadata,
            "data": {"PASSWORD": "aHVudGVyMg=="},
            "stringData": {"x": "hunter2"},
        }
    )


async def test_values_of_a_secret_never_leave_the_handle(tmp_path: Path) -> None:
    async with serving(by_path(_=secret), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        got = await cluster.get("secret", "db")
        patched = await cluster.patch("secret", "db", "", {"stringData": {"x": "hunter2"}}, how="merge")
        await cluster.close()
    for obj in (got, patched):
        assert "hunter2" not in str(obj)
        assert "aHVudGVyMg" not in str(obj)
        assert obj["data"] == {"PASSWORD": "«redacted»"}
        assert obj["metadata"]["annotations"]["team"] == "a"


async def test_values_of_listed_and_tabled_secrets_stay_behind_too(tmp_path: Path) -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "aHVudGVyMg=="}
    full = {"metadata": {"name": "db", "annotations": applied}, "data": {"P": "aHVudGVyMg=="}}
    rows = [{"cells": ["db", "Opaque", 1], "object": {"metadata": full["metadata"]}}]
    columns = [{"name": "Name"}, {"name": "Type"}, {"name": "Data"}]

    def answer(request: web.Request) -> web.Response:
        if "as=Table" in request.headers["Accept"]:
            return web.json_response({"kind": "Table", "columnDefinitions": columns, "rows": rows})
        return items(full)

    async with serving(by_path(_=answer), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        listed = await cluster.list("secrets", "shop")
        table = await cluster.table("secrets", "shop")
        await cluster.close()
    assert "aHVudGVyMg" not in str(listed) + str(table)
    assert table.rows[0].cells[table.column("TYPE")] == "Opaque"
    assert table.rows[0].name == "db"


async def test_a_handle_for_reading_refuses_every_write_but_dry_runs(tmp_path: Path) -> None:
    async with serving(by_path(_=lambda _: web.json_response({"kind": "Pod"})), tmp_path) as stub:
        cluster = (await Cluster.connect(stub.kubeconfig())).limited("read")
        for write in (
            cluster.patch("pod", "a", "shop", {}, how="merge"),
            cluster.delete("pod", "a", "shop"),
            cluster.create("pod", {}, "shop"),
            cluster.replace("pod", "a", "shop", {}),
        ):
            with pytest.raises(Refused, match="a read may not change pods"):
                await write
        assert stub.seen == []
        await cluster.patch("pod", "a", "shop", {"x": 1}, how="merge", dry_run=True)
        assert stub.seen[0].query["dryRun"] == "All"
        with pytest.raises(Refused):
            await cluster.limited("mutate").delete("pod", "a", "shop")
        await cluster.close()


async def test_each_way_to_patch_has_its_media_type(tmp_path: Path) -> None:
    async with serving(by_path(_=lambda _: web.json_response({"kind": "Pod"})), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        operations = [{"op": "test", "path": "/metadata/resourceVersion", "value": "7"}]
        await cluster.patch("deploy", "a", "shop", {"spec": {}}, how="strategic")
        await cluster.patch("deploy", "a", "shop", operations, how="json", subresource="scale")
        await cluster.patch("deploy", "a", "shop", {"spec": {}}, how="apply")
        await cluster.close()
    kinds = [(r.headers["Content-Type"], r.path.rsplit("/", 1)[-1]) for r in stub.seen]
    assert kinds == [
        ("application/strategic-merge-patch+json", "a"),
        ("application/json-patch+json", "scale"),
        ("application/apply-patch+yaml", "a"),
    ]
    assert await stub.seen[1].json() == operations
    assert {r.query["fieldManager"] for r in stub.seen} == {"opssquad"}


async def test_a_delete_binds_the_uid_so_that_a_successor_survives(tmp_path: Path) -> None:
    answer = by_path(_=lambda _: web.json_response({"kind": "Status", "status": "Success"}))
    async with serving(answer, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        await cluster.delete("pod", "a", "shop", uid="u-1", grace=5)
        await cluster.close()
    body = await stub.seen[0].json()
    assert body["preconditions"] == {"uid": "u-1"}
    assert body["gracePeriodSeconds"] == 5


async def test_the_clock_is_the_servers_and_runs_on(tmp_path: Path) -> None:
    async with serving(
        by_path(_=lambda _: web.json_response({"kind": "Pod"}, headers={"Date": DATE})), tmp_path
    ) as stub:
        start = datetime(2026, 3, 8, 14, 0, tzinfo=UTC)
        cluster = await Cluster.connect(stub.kubeconfig(), clock=lambda: start)
        assert cluster.now() == start
        await cluster.get("pod", "a")
        first = cluster.now()
        await asyncio.sleep(0.05)
        second = cluster.now()
        await cluster.close()
    assert datetime(2026, 3, 8, 14, 37, tzinfo=UTC) <= first < datetime(2026, 3, 8, 14, 37, 2, tzinfo=UTC)
    assert 0.04 < (second - first).total_seconds() < 1


async def test_logs_come_with_times_and_all_that_was_asked_for(tmp_path: Path) -> None:
    text = "2026-03-08T14:00:00Z caf\u00e9\n"
    async with serving(by_path(_=lambda _: web.Response(text=text)), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        since = datetime(2026, 3, 8, 13, 30, tzinfo=UTC)
        got = await cluster.logs("web-1", "shop", container="app", previous=True, tail=50, since=since)
        await cluster.close()
    assert got == text
    assert stub.seen[0].path == "/api/v1/namespaces/shop/pods/web-1/log"
    assert dict(stub.seen[0].query) == {
        "timestamps": "true",
        "limitBytes": str(64 * 1024 * 1024),
        "container": "app",
        "previous": "true",
        "tailLines": "50",
        "sinceTime": "2026-03-08T13:30:00Z",
    }


async def test_why_a_log_is_not_there_is_told_in_the_servers_words(tmp_path: Path) -> None:
    words = 'previous terminated container "app" in pod "web-1" not found'
    async with serving(by_path(_=lambda _: status(400, "BadRequest", words)), tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        with pytest.raises(ApiError, match="previous terminated container") as caught:
            await cluster.logs("web-1", "shop", previous=True)
        await cluster.close()
    assert caught.value.status == 400


@pytest.mark.parametrize("allowed", [True, False])
async def test_can_i_asks_the_server_for_the_very_verb(tmp_path: Path, allowed: bool) -> None:
    answer = by_path(_=lambda _: web.json_response({"status": {"allowed": allowed}}, status=201))
    async with serving(answer, tmp_path) as stub:
        cluster = (await Cluster.connect(stub.kubeconfig())).limited("read")
        assert await cluster.can_i("patch", "deploy", "shop", subresource="scale") is allowed
        await cluster.close()
    body = await stub.seen[0].json()
    assert body["spec"]["resourceAttributes"] == {
        "verb": "patch",
        "group": "apps",
        "resource": "deployments",
        "subresource": "scale",
        "namespace": "shop",
    }
