"""What a kind is called, where its API lives, and kinds that only the server knows; and watching them."""

from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from opssquad.errors import ToolError
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.kinds import KNOWN, match
from tests.worlds.kube.stub_api import pod, serving, status

GATEWAY = {
    "resource": "gateways",
    "responseKind": {"kind": "Gateway"},
    "scope": "Namespaced",
    "shortNames": ["gtw"],
}
PODS = {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "singularResource": "pod"}


def group(name: str, version: str, *resources: Any) -> dict[str, Any]:
    metadata = {"name": name} if name else {}
    return {"metadata": metadata, "versions": [{"version": version, "resources": list(resources)}]}


async def aggregated(request: web.Request) -> web.StreamResponse:
    items = (
        [group("", "v1", PODS)]
        if request.path == "/api"
        else [group("gateway.example.org", "v1beta1", GATEWAY)]
    )
    if request.path in {"/api", "/apis"}:
        return web.json_response({"kind": "APIGroupDiscoveryList", "items": items})
    return web.json_response({"kind": "Gateway"})


async def one_by_one(request: web.Request) -> web.StreamResponse:
    answers: dict[str, Any] = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "groups": [
                {
                    "name": "gateway.example.org",
                    "preferredVersion": {"groupVersion": "gateway.example.org/v1beta1"},
                }
            ],
        },
        "/api/v1": {"groupVersion": "v1", "resources": [{"name": "pods", "kind": "Pod", "namespaced": True}]},
        "/apis/gateway.example.org/v1beta1": {
            "groupVersion": "gateway.example.org/v1beta1",
            "resources": [
                {"name": "gateways", "kind": "Gateway", "namespaced": True, "singularName": "gateway"},
                {"name": "gateways/status", "kind": "Gateway", "namespaced": True},
            ],
        },
    }
    return web.json_response(answers.get(request.path, {"kind": "Gateway"}))


@pytest.mark.parametrize("handler", [aggregated, one_by_one])
async def test_a_custom_kind_is_found_by_discovery_of_new_and_old_servers(
    tmp_path: Path, handler: Any
) -> None:
    async with serving(handler, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        for kind in ("Gateway", "gateways", "gateway.gateway.example.org"):
            assert (await cluster.get(kind, "front"))["kind"] == "Gateway"
        with pytest.raises(ToolError, match="serves no kind 'Gatewey'; nearest: Gateway"):
            await cluster.get("Gatewey", "front")
        await cluster.close()
    paths = [r.path for r in stub.seen if r.path.endswith("/front")]
    assert set(paths) == {"/apis/gateway.example.org/v1beta1/namespaces/shop/gateways/front"}


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("pod", "/api/v1/namespaces/a/pods/x"),
        ("events", "/api/v1/namespaces/a/events/x"),
        ("events.events.k8s.io", "/apis/events.k8s.io/v1/namespaces/a/events/x"),
        ("hpa", "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers/x"),
        ("pods.metrics.k8s.io", "/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/x"),
        ("no", "/api/v1/nodes/x"),
        ("clusterrole", "/apis/rbac.authorization.k8s.io/v1/clusterroles/x"),
    ],
)
def test_built_in_kinds_need_no_question_to_the_server(said: str, path: str) -> None:
    resource = match(said, "", KNOWN)
    assert resource is not None
    assert resource.path("a" if resource.namespaced else "", "x") == path


def test_names_are_quoted_in_paths() -> None:
    resource = match("pod", "", KNOWN)
    assert resource is not None
    assert resource.path("a b", "x?y") == "/api/v1/namespaces/a%20b/pods/x%3Fy"


def line(kind: str, name: str, version: str) -> bytes:
    obj = pod(name)
    obj["metadata"]["resourceVersion"] = version
    return (web.json_response({"type": kind, "object": obj}).text or "").encode() + b"\n"


async def test_a_watch_goes_on_where_the_connection_ended_and_begins_anew_when_forgotten(
    tmp_path: Path,
) -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        since = request.query.get("resourceVersion", "")
        seen.append(since)
        if since == "9":
            return status(410, "Expired", "too old resource version")
        response = web.StreamResponse()
        await response.prepare(request)
        if since == "5":
            await response.write(line("MODIFIED", "a", "6") + line("BOOKMARK", "", "9"))
        else:
            await response.write(line("ADDED", "b", "12"))
        return response

    async with serving(handler, tmp_path) as stub:
        cluster = await Cluster.connect(stub.kubeconfig())
        got = []
        async with aclosing(cluster.watch("pods", "shop", since="5")) as changes:
            async for kind, obj in changes:
                got.append((kind, obj["metadata"]["name"]))
                if len(got) == 2:
                    break
        await cluster.close()
    assert got == [("MODIFIED", "a"), ("ADDED", "b")]
    assert seen == ["5", "9", ""]
