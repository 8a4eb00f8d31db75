"""The tool `errors` against recorded clusters, over HTTP."""

from tools.errors import errors

from opssquad import Cluster, Result
from tests.tools.test_changes import cluster_of


async def run(recording: str, **args: object) -> Result:
    async with cluster_of(recording) as cluster:
        return await errors.run(args, {Cluster: cluster})


async def test_who_complains_is_told_by_workload_and_who_does_not_in_a_line() -> None:
    result = await run("shop-0709", namespace="shop")
    assert "Deployment shop/checkout" in result.text
    refused = [each for each in result.signals if each.id == "log.connect_refused"]
    assert {each.owner.name for each in refused} >= {"checkout"}
    assert {str(each.data["workload"]) for each in refused} == {"Deployment/shop/inventory"}
    assert "Without complaint: " in result.text
    assert max(map(len, result.text.splitlines())) <= 80
    told = {each.locator for each in result.sources}
    assert all(quote.locator in told for each in result.signals for quote in each.quotes)


async def test_all_namespaces_are_read_where_none_is_named_those_of_the_system_last() -> None:
    result = await run("shop-0709")
    assert result.text.startswith("In all namespaces")
    assert {each.owner.namespace for each in result.signals} >= {"shop"}


async def test_a_namespace_without_pods_is_no_failure() -> None:
    assert (await run("shop-0709", namespace="nowhere")).text == (
        "There is no pod in namespace nowhere that could have a log."
    )
