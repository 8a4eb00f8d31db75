"""`find`: the words of tired engineers, resolved against recorded clusters over HTTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools._match import Candidate, understand
from tools.find import find

from opssquad import Ref, Result
from opssquad.worlds.kube.cluster import Cluster
from tests.tools.served import cluster_of


async def ask(recording: str, what: str, **args: str) -> Result:
    async with cluster_of(recording) as cluster:
        return await find.run({"what": what, **args}, {Cluster: cluster})


@pytest.mark.parametrize(
    ("recording", "words", "meant"),
    [
        (
            "auth-0308",
            "high error rates on the authentication service in the production namespace",
            "auth-service",
        ),
        ("auth-0308", "auth-service keeps restarting, can you find out why", "auth-service"),
        ("auth-0308", "what is wrong with the api gateway?", "api-gateway"),
        ("media-0519", "title-api is full of errors after today's release", "title-api"),
        ("media-0728", "postgres-0 does not come back, is the database broken?", "postgres"),
        ("shop-0709", "orders are down since 12:54, inventory pods hang in Pending", "inventory"),
        ("shop-0427", "paymnts is restarting", "payments"),
        ("shop-0427", "payment pods are killed", "payments"),
    ],
)
async def test_the_words_mean_one_workload(recording: str, words: str, meant: str) -> None:
    result = await ask(recording, words)
    assert [each.split("/")[-1] for each in result.data["matches"]] == [meant]
    assert "1 match" in result.text


async def test_the_clusters_name_is_told_from_a_namespace() -> None:
    result = await ask("auth-0308", "the authentication service in the production namespace")
    assert '"production" is the cluster\'s name' in result.text
    assert result.data["matches"] == ["Deployment/authentication/auth-service"]
    assert result.text.startswith("Cluster production, all namespaces")


async def test_several_matches_are_all_listed_so_that_one_can_ask() -> None:
    result = await ask("shop-0427", "cart or checkout is broken")
    assert {each.split("/")[-1] for each in result.data["matches"]} == {"cart", "checkout"}
    assert "2 match: ask which one is meant" in result.text


async def test_words_that_name_nothing_match_nothing() -> None:
    result = await ask("shop-0427", "everything is slow, please have a look")
    assert result.data["matches"] == []
    assert "No workload is meant" in result.text


async def test_another_kind_can_be_looked_for() -> None:
    result = await ask("shop-0618", "payments config", kind="ConfigMap")
    assert result.data["matches"] == ["ConfigMap/shop/payments-config"]


def candidate(name: str, space: str, *services: str) -> Candidate:
    return Candidate(Ref(kind="Deployment", namespace=space, name=name), (), services)


def test_a_workload_is_known_by_its_service_too() -> None:
    listed = [candidate("blue", "a", "billing"), candidate("green", "a")]
    meaning = understand("is billing up?", listed, ["a"], "c")
    assert [each.candidate.ref.name for each in meaning.matches] == ["blue"]


def test_a_named_namespace_chooses_among_workloads_of_one_name() -> None:
    listed = [candidate("web", "staging"), candidate("web", "live")]
    assert len(understand("web is down", listed, ["staging", "live"], "c").matches) == 2
    one = understand("web in staging is down", listed, ["staging", "live"], "c")
    assert [each.candidate.ref.namespace for each in one.matches] == ["staging"]


def test_a_near_miss_is_answered_with_the_nearest_names() -> None:
    meaning = understand("recomendr", [candidate("recommender", "a"), candidate("web", "a")], ["a"], "c")
    assert "recommender" in meaning.nearest or meaning.matches


@given(st.text(max_size=200))
def test_any_words_are_answered(text: str) -> None:
    meaning = understand(text, [candidate("web", "a"), candidate("api", "b")], ["a", "b"], "c")
    assert all(each.score > 0 for each in meaning.matches)
