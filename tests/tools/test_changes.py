"""`changes` and `history` against the recorded clusters, over HTTP."""

import re

import pytest
from tools.changes import changes, history

from opssquad import Cluster, Result, ToolError
from tests.tools.recorded import IDS, truth
from tests.tools.served import cluster_of
from tests.tools.stage import stage


async def run(recording: str, **args: object) -> Result:
    async with cluster_of(recording) as cluster:
        return await changes.run(args, {Cluster: cluster})


async def test_the_release_at_a_quarter_to_two_leads_the_timeline_with_its_true_age() -> None:
    result = await run("auth-0308", namespace="authentication")
    first = result.text.splitlines()[1]
    # The world's clock runs on while it is asked: the minute may be over.
    told = r"13:45 \(5[12] min ago\) Deployment auth-service revision 3: image v2\.4\.0 -> v2\.4\.1"
    assert re.match(told, first)
    assert "DB_POOL_SIZE 50 -> 20, DB_TIMEOUT 10000 -> 5000" in first
    assert {"field": "env.DB_TIMEOUT", "from": "10000", "to": "5000", "container": "auth-service"} in (
        result.data["rollouts"][0]["diff"]
    )


@pytest.mark.parametrize("recording", IDS)
async def test_every_quote_of_every_change_stands_in_the_sources(recording: str) -> None:
    result = await run(recording)
    for signal in result.signals:
        assert signal.quotes
        for quote in signal.quotes:
            assert any(s.locator == quote.locator and quote.text in s.text for s in result.sources)


@pytest.mark.parametrize(
    ("recording", "signal"),
    [
        ("media-0702", "scale.changed"),
        ("media-0715", "quota.changed"),
        ("shop-0618", "config.changed"),
        ("shop-0721", "service.changed"),
        ("shop-0709", "rollout.recent"),
    ],
)
async def test_the_change_behind_an_incident_is_found_at_its_time(recording: str, signal: str) -> None:
    component, since = truth(recording)["component"], truth(recording)["since"]
    result = await run(recording, namespace=component["namespace"])
    found = next(s for s in result.signals if s.id == signal and s.entity.name == component["name"])
    assert str(found.data["at"])[:16] == since[:16]


async def test_an_old_edit_of_configuration_is_told_while_no_rollout_has_followed_it() -> None:
    result = await run("shop-0618", namespace="shop", minutes=30)
    (line,) = [each for each in result.text.splitlines() if "ConfigMap" in each and " -> " in each]
    assert "PSP_TIMEOUT_MS 4000 -> 6s; used by payments, by kubectl-edit" in line


async def test_a_cordon_is_told_with_who_did_it() -> None:
    result = await run("shop-0709", namespace="shop")
    assert any(
        "Node acme-k8s-w3 edited: unschedulable (now true), by kubectl" in e for e in result.text.splitlines()
    )


async def test_a_quiet_window_says_so() -> None:
    result = await run("auth-0308", namespace="authentication", minutes=10)
    assert "none that the API tells of" in result.text
    assert result.data["rollouts"] == []


async def test_one_workload_sees_only_what_touches_it() -> None:
    result = await run("shop-0805", namespace="shop", workload="payments")
    assert {entry["workload"] for entry in result.data["rollouts"]} == {"Deployment/shop/payments"}


async def test_history_lists_each_revision_with_what_it_changed() -> None:
    async with cluster_of("auth-0308") as cluster:
        handles = {Cluster: cluster}
        result = await history.run({"deployment": "auth-service", "namespace": "authentication"}, handles)
        lines = result.text.splitlines()
        assert lines[1].startswith(
            "  3 [current] 2026-03-08 13:45 (51 min ago), by kubectl-client-side-apply"
        )
        assert lines[3].endswith('created ("release v2.3.7")')
        stateful = {"deployment": "session-store", "namespace": "authentication", "kind": "StatefulSet"}
        assert "1 [current]" in (await history.run(stateful, handles)).text
        with pytest.raises(ToolError, match="nearest: auth-service"):
            await history.run({"deployment": "auth-servce", "namespace": "authentication"}, handles)


async def test_an_edit_whose_pods_are_still_to_come_is_told_and_is_no_scaling() -> None:
    container = {"name": "auth-service", "env": [{"name": "DB_POOL_SIZE", "value": "30"}]}
    edit = {"spec": {"template": {"spec": {"containers": [container]}}}}
    async with cluster_of("auth-0308") as cluster:
        await cluster.patch("Deployment", "auth-service", "authentication", edit, how="strategic")
        result = await changes.run({"namespace": "authentication", "minutes": 5}, {Cluster: cluster})
    lines = [line for line in result.text.splitlines() if " ago) " in line]
    assert len(lines) == 1
    assert "Deployment auth-service edited: DB_POOL_SIZE 20 -> 30; its rollout has only begun" in lines[0]
    quote = next(s for s in result.signals if s.id == "rollout.begun").quotes[0]
    assert any(s.locator == quote.locator and quote.text in s.text for s in result.sources)


@pytest.mark.parametrize(
    ("recording", "before"),
    [
        ("auth-0308", "Deployment/"),
        ("media-0728", "Node/"),
        ("shop-0412", "Deployment/"),
        ("shop-0618", "ConfigMap/"),
    ],
)
async def test_the_onset_of_the_trouble_names_the_change_before_it(recording: str, before: str) -> None:
    said = truth(recording)
    result = await run(recording, namespace="" if before == "Node/" else said["component"]["namespace"])
    onsets = [each for each in result.signals if each.id == "symptom.onset"]
    assert onsets
    named = {each["ref"] for onset in onsets for each in onset.data["before"]}
    blamed = said["component"]
    assert f"{blamed['kind']}/{blamed.get('namespace', '')}/{blamed['name']}" in named
    assert all(each["seconds_before"] >= -5 for onset in onsets for each in onset.data["before"])
    assert "trouble began at" in result.text
    assert any(each.startswith(before) for each in named)


async def test_a_change_after_the_onset_is_told_as_no_cause() -> None:
    quota = {"metadata": {"name": "caps"}, "spec": {"hard": {"pods": "99"}}}
    async with stage("shop-0412") as s:
        await s.cluster.create(
            "ResourceQuota", {"apiVersion": "v1", "kind": "ResourceQuota", **quota}, "shop"
        )
        result = await s.run(changes, namespace="shop")
    (onset,) = [each for each in result.signals if each.id == "symptom.onset"]
    assert "ResourceQuota/shop/caps" in [each["ref"] for each in onset.data["after"]]
    assert "after it, so no cause of it: ResourceQuota caps created" in onset.text


async def test_where_all_is_ready_there_is_no_onset() -> None:
    result = await run("media-0811", namespace="streaming")
    assert [each for each in result.signals if each.id == "symptom.onset"] == []
