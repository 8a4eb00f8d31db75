"""The tool `path` on served clusters: what is broken there by a real change, what recordings were broken by,
and what it says to what it does not understand."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tools.network.path import path

from opssquad import Cluster, Json, Result, ToolError
from opssquad.worlds.kube.serve import open_recording
from tests.tools.recorded import RECORDINGS, truth
from tests.tools.served import cluster_of
from tests.tools.stage import Stage, stage
from tests.tools.test_extensions import cluster_with, custom, definition

WELL, CLIENT, TO = "haul-1214", "Deployment/haul/edge", "pricing"
SYSTEM = {"kube-system", "kube-public", "kube-node-lease"}


async def walked(
    cluster: Cluster, client: str = "", to: str = "", namespace: str = "", port: int = 0
) -> Result:
    """One call of the tool; every quote must stand in a source."""
    args = {"client": client, "to": to, "namespace": namespace, "port": port}
    result = await path.run(args, {Cluster: cluster})
    sources = {each.locator: each.text for each in result.sources}
    assert all(quote.text in sources[quote.locator] for each in result.signals for quote in each.quotes)
    return result


@pytest.fixture
async def set_up() -> AsyncIterator[Stage]:
    async with stage(WELL) as found:
        yield found


async def first(set_up: Stage) -> Json:
    result = await walked(set_up.cluster, CLIENT, TO, "haul")
    found: Json = result.data["first_broken"]
    return found


async def test_a_path_that_is_well_says_that_nothing_was_sent(set_up: Stage) -> None:
    result = await walked(set_up.cluster, CLIENT, TO, "haul")
    assert result.data["first_broken"] == {}
    assert "from API data alone; nothing was sent" in result.text
    numbers = [int(each[1]) for each in re.finditer(r"^(\d+)\. ", result.text, re.MULTILINE)]
    assert numbers == list(range(1, len(result.data["hops"]) + 1))


async def test_a_selector_that_is_changed_breaks_the_hop_of_the_endpoints(set_up: Stage) -> None:
    body = {"spec": {"selector": {"version": "none"}}}
    await set_up.cluster.patch("Service", TO, "haul", body, how="merge")
    found = await first(set_up)
    assert (found["what"], found["object"]) == ("endpoints", f"Service/haul/{TO}")


async def test_a_port_that_is_changed_breaks_the_hop_of_the_port(set_up: Stage) -> None:
    service = await set_up.get("Service", TO, "haul")
    ports = [{**each, "targetPort": 9999} for each in service["spec"]["ports"]]
    await set_up.cluster.patch("Service", TO, "haul", {"spec": {"ports": ports}}, how="merge")
    assert ((await first(set_up))["what"]) == "port"


async def test_a_service_that_is_deleted_breaks_the_hop_of_the_name(set_up: Stage) -> None:
    await set_up.cluster.delete("Service", TO, "haul")
    result = await walked(set_up.cluster, CLIENT, f"{TO}.haul.svc.cluster.local", "haul")
    assert result.text.startswith("broken at hop 2: name: ")
    assert result.data["first_broken"]["object"] == f"Service/haul/{TO}"


@pytest.mark.parametrize(
    ("types", "hop"), [(["Ingress"], "ingress policies"), (["Egress"], "egress policies")]
)
async def test_a_policy_that_is_made_breaks_its_hop(set_up: Stage, types: list[str], hop: str) -> None:
    meta = {"name": "shut", "namespace": "haul"}
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta}
    await set_up.cluster.create(
        "NetworkPolicy", {**body, "spec": {"podSelector": {}, "policyTypes": types}}, "haul"
    )
    result = await walked(set_up.cluster, CLIENT, TO, "haul")
    broken = [each["what"] for each in result.data["hops"] if each["verdict"] == "broken"]
    assert hop in broken
    assert result.data["first_broken"]["object"] == "NetworkPolicy/haul/shut"
    assert "policy.denies" in [each.id for each in result.signals]


async def test_a_workload_without_pods_breaks_the_path_to_it(set_up: Stage) -> None:
    await set_up.cluster.patch("Deployment", TO, "haul", {"spec": {"replicas": 0}}, how="merge")
    found = await first(set_up)
    assert found["object"] == f"Deployment/haul/{TO}"


BROKEN = {
    **{"brew-0111": "N02", "brew-0118": "N02", "brew-0125": "N03", "brew-0201": "N04", "brew-0208": "N05"},
    **{"brew-0215": "N05", "brew-0222": "N06", "brew-0301": "N06", "brew-0308": "N07", "brew-0315": "N09"},
    **{"brew-0322": "N10", "brew-0329": "N08", "haul-1116": "N01", "ward-0316": "N01", "ward-0323": "N02"},
    **{"shop-0721": "N01", "gipfel-0205": "N12", "gipfel-0122": "N05", "saari-0110": "N04"},
}


async def every_call(recording: str) -> tuple[list[Json], list[str]]:
    """The broken paths of all namespaces of a recording, and the texts."""
    async with cluster_of(recording) as cluster:
        spaces = sorted({each["metadata"]["name"] for each in await cluster.list("Namespace")} - SYSTEM)
        results = [await walked(cluster, namespace=each) for each in spaces]
    return [path for each in results for path in each.data["broken"]], [each.text for each in results]


@pytest.mark.parametrize("recording", BROKEN)
async def test_the_first_broken_hop_of_a_recording_is_at_the_object_that_was_to_blame(recording: str) -> None:
    told = truth(recording)
    where = told["component"]
    assert told["fault"] == BROKEN[recording]
    broken, texts = await every_call(recording)
    blamed = f"{where['kind']}/{where['namespace']}/{where['name']}"
    assert {each["object"] for each in broken} == {blamed}
    assert any(" broken (from API data alone; nothing was sent):" in each for each in texts)


@pytest.mark.parametrize("recording", ["haul-1214", "ward-0406", "ward-0413"])
async def test_a_cluster_that_is_well_has_no_broken_hop(recording: str) -> None:
    assert truth(recording)["fault"].startswith("Z")
    broken, texts = await every_call(recording)
    assert broken == []
    assert any(re.match(r"[1-9]\d* calls looked at, 0 broken", each) for each in texts)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"client": "edg"}, "nearest: edge"),
        ({"client": CLIENT, "to": "Service/haul/pricin"}, "nearest: pricing"),
        ({"client": "a/b/c/d"}, "is no Kind/namespace/name"),
        ({"to": "http://user:word@pricing/"}, "holds a user or a password"),
        ({"to": "pricing:99999"}, "99999 is no port"),
        ({"to": "pricing:http"}, "'http' is no port"),
        ({"to": "pricing", "port": 70000}, "70000 is no port"),
        ({"to": "http://[::1"}, "this is no URL"),
        ({"to": "https:///x"}, "names no host"),
        ({"client": "internet"}, "say what is called from outside"),
        ({"namespace": "hual"}, "haul"),
    ],
)
async def test_what_is_not_understood_is_refused_in_one_line(set_up: Stage, args: Json, said: str) -> None:
    with pytest.raises(ToolError) as refused:
        await walked(set_up.cluster, **{"namespace": "haul", **args})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "word" not in str(refused.value).replace("password", "")


async def test_two_of_a_name_are_listed(set_up: Stage) -> None:
    service = await set_up.get("Service", TO, "haul")
    meta = {"name": TO, "namespace": "default"}
    spec = {key: service["spec"][key] for key in ("selector", "ports")}
    await set_up.cluster.create(
        "Service", {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}, "default"
    )
    with pytest.raises(ToolError, match=f"2 Services are called '{TO}': .*Service/haul/{TO}"):
        await walked(set_up.cluster, to=TO)


async def test_names_without_a_namespace_are_looked_for_everywhere(set_up: Stage) -> None:
    result = await walked(set_up.cluster, "edge", TO)
    assert result.data["first_broken"] == {}
    assert result.data["hops"][0]["fact"].startswith("Deployment edge: ")


class Noting(Cluster):
    """A handle that notes the namespaces of which pods are asked."""

    def __init__(self, http: Any) -> None:
        super().__init__(http)
        self.asked: set[str] = set()

    async def list(self, kind: str, namespace: str = "", **more: Any) -> list[Any]:
        self.asked.update({namespace} if kind == "Pod" else ())
        return await super().list(kind, namespace, **more)


async def test_only_the_namespaces_of_both_ends_and_of_the_system_are_read() -> None:
    async with open_recording(RECORDINGS / "brew-0111") as served:
        cluster = await Noting.connect(served.kubeconfig)
        await walked(cluster, "stock.trade", "orders.trade")
        await cluster.close()
        assert cluster.asked == {"trade", "kube-system"}


async def test_policies_of_other_kinds_are_told_of_and_not_evaluated(tmp_path: Path) -> None:
    kind = definition("cilium.io", "CiliumNetworkPolicy", "ciliumnetworkpolicies")
    more = [kind, custom("cilium.io", "CiliumNetworkPolicy", "shut", {"endpointSelector": {}})]
    async with cluster_with(tmp_path, *more) as (cluster, _):
        one = await walked(cluster, "checkout", "cart", "shop")
        whole = await walked(cluster, namespace="shop")
    last = one.data["hops"][-1]
    assert (last["what"], last["verdict"]) == ("other policies", "not checked")
    assert last["fact"] == "1 CiliumNetworkPolicy: there, and not evaluated"
    assert "not evaluated: 1 CiliumNetworkPolicy." in whole.text


async def test_without_policies_of_other_kinds_there_is_no_such_hop(set_up: Stage) -> None:
    result = await walked(set_up.cluster, CLIENT, TO, "haul")
    assert "other policies" not in [each["what"] for each in result.data["hops"]]
