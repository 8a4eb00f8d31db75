"""The tool `nodes` against the recorded clusters."""

import pytest
from tools.nodes import nodes, status, summary

from opssquad import Cluster, Json, Result
from tests.tools.recorded import IDS, of_kind
from tests.tools.test_changes import cluster_of


async def run(recording: str) -> Result:
    async with cluster_of(recording) as cluster:
        return await nodes.run({}, {Cluster: cluster})


async def test_a_node_that_does_not_answer_leads_with_since_when_and_whose_pods_are_on_it() -> None:
    result = await run("media-0728")
    assert result.text.splitlines()[0] == "3 nodes: 2 Ready, 1 NotReady."
    (signal,) = result.signals
    assert signal.id == "node.not_ready"
    assert signal.data["message"] == "Kubelet stopped posting node status."
    assert "StatefulSet streaming/postgres" in result.text
    assert result.data["nodes"][0] == str(signal.entity)


async def test_a_cordoned_node_is_told_with_who_cordoned_it() -> None:
    result = await run("shop-0709")
    assert "Ready,SchedulingDisabled" in result.text
    assert "node.cordoned: Node acme-k8s-w3: cordoned by kubectl 57 min ago" in result.text


@pytest.mark.parametrize("recording", IDS)
async def test_every_node_is_shown_and_every_quote_stands(recording: str) -> None:
    result = await run(recording)
    texts = {each.locator: each.text for each in result.sources}
    for node in of_kind(recording, "Node"):
        assert node["metadata"]["name"] in result.text
        assert f"Node//{node['metadata']['name']}" in texts
    for signal in result.signals:
        assert all(quote.text in texts[quote.locator] for quote in signal.quotes)


def _node(ready: str, cordoned: bool = False) -> Json:
    conditions = [{"type": "Ready", "status": ready}] if ready else []
    return {"spec": {"unschedulable": cordoned}, "status": {"conditions": conditions}}


def test_the_status_is_the_column_of_kubectl() -> None:
    states = [_node("True"), _node("False"), _node("Unknown", cordoned=True), _node("")]
    assert list(map(status, states)) == ["Ready", "NotReady", "NotReady,SchedulingDisabled", "Unknown"]
    assert summary(states[:1]) == "1 node: 1 Ready."
