"""`workload` against the recorded clusters over HTTP, and how an environment tells what a workload calls."""

import pytest
from tools._depends import dependencies
from tools.signals._scene import Scene
from tools.workload import workload

from opssquad import Json, Result, ToolError, parse_time
from opssquad.worlds.kube.cluster import Cluster
from tests.tools.recorded import IDS, clock, objects, truth
from tests.tools.served import cluster_of


async def look(recording: str, **args: str) -> Result:
    async with cluster_of(recording) as cluster:
        return await workload.run(dict(args), {Cluster: cluster})


def plain(result: Result) -> str:
    return " ".join(result.text.split())


async def test_it_shows_what_the_engineer_would_ask_for_next() -> None:
    text = plain(await look("auth-0308", name="auth-service", namespace="authentication"))
    assert "0 of 3 pods ready" in text
    assert "Available=False since 13:45 (52 min ago)" in text
    assert "Service auth-service (8080 -> http): 0 ready endpoints" in text
    assert "SESSION_STORE = session-store:6379: Service session-store, 1 ready endpoint" in text
    assert "DB_HOST = db.internal: outside of the cluster, or an alias" in text
    assert "Secret auth-db: uses username, password" in text


async def test_a_key_that_a_config_map_lacks_is_named() -> None:
    result = await look("shop-0503", name="catalog", namespace="shop")
    assert "ConfigMap catalog-config: no key of it is there; LACKS PRICE_LIST_URL" in plain(result)
    assert {"container.config_error", "config.missing"} <= {each.id for each in result.signals}
    assert result.data["dependencies"] == ["Service/shop/postgres", "Service/shop/redis"]


async def test_a_config_map_newer_than_some_pods_is_told_with_how_many() -> None:
    text = plain(await look("shop-0618", name="payments", namespace="shop"))
    assert "last edited 3 h 19 min ago by kubectl-edit; 1 of its pods started before, 1 after" in text


async def test_a_stateful_set_is_found_whatever_kind_was_said() -> None:
    result = await look("media-0728", name="postgres", namespace="streaming")
    assert result.data["workloads"] == ["StatefulSet/streaming/postgres"]
    assert {"pod.terminating_long", "node.not_ready"} <= {each.id for each in result.signals}


async def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(ToolError, match="no workload 'checkot' here; nearest: checkout"):
        await look("shop-0805", name="checkot", namespace="shop")


WORKLOADS = [each for each in IDS if truth(each)["component"]["kind"] in {"Deployment", "StatefulSet"}]


@pytest.mark.parametrize("recording", WORKLOADS)
async def test_the_view_is_short_and_cites_the_workload_itself(recording: str) -> None:
    said = truth(recording)["component"]
    result = await look(recording, name=said["name"], namespace=said["namespace"])
    assert len(result.text) / 3.5 < 1500
    assert max(map(len, result.text.splitlines())) <= 84
    assert f"{said['kind']}/{said['namespace']}/{said['name']}" in {each.locator for each in result.sources}


def template(**env: str) -> Json:
    return {"spec": {"containers": [{"env": [{"name": k, "value": v} for k, v in env.items()]}]}}


def test_a_word_that_happens_to_be_a_service_is_no_dependency() -> None:
    scene = Scene(clock("shop-0503"), objects("shop-0503"))
    found = dependencies(template(SEARCH_BACKEND="postgres", DB_HOST="postgres", LEVEL="info"), "shop", scene)
    assert [(each.variable, each.service and each.service.name) for each in found] == [
        ("DB_HOST", "postgres")
    ]


@pytest.mark.parametrize(
    ("value", "service"),
    [
        ("http://payments:8080/v2", "payments"),
        ("payments.shop.svc.cluster.local:8080", "payments"),
        ("payments.shop:8080", "payments"),
        ("redis://:secret@redis:6379/0", "redis"),
        ("http://nowhere:8080", None),
        ("https://api.example.com", None),
    ],
)
def test_a_host_is_resolved_to_its_service(value: str, service: str | None) -> None:
    scene = Scene(parse_time("2026-01-01T00:00:00Z"), objects("shop-0503"))
    (found,) = dependencies(template(TARGET_URL=value), "shop", scene)
    assert (found.service.name if found.service else None) == service
