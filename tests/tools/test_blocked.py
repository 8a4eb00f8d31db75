"""NetworkPolicies between a caller that waits in vain and what it calls, as `logs` and `health` read them."""

from tools.health import health
from tools.logs import logs

from opssquad import Json, Result, Signal
from opssquad.worlds.kube.apiserver.request import User
from tests.tools.stage import Stage, stage
from tests.tools.test_rights import BINDING, READS

CALLER: Json = {"podSelector": {"matchLabels": {"app": "title-api"}}}
LOG_READER: Json = {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}


def policy(*rules: Json) -> Json:
    """A policy of the database that lets in what these rules name."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "postgres-clients", "namespace": "streaming"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "postgres"}},
            "policyTypes": ["Ingress"],
            "ingress": list(rules),
        },
    }


async def title_api(s: Stage, *policies: Json) -> Result:
    for each in policies:
        await s.cluster.create("NetworkPolicy", each, "streaming")
    return await s.run(logs, pod="title-api", namespace="streaming")


def denials(result: Result) -> list[Signal]:
    return [each for each in result.signals if each.id == "policy.denies"]


async def test_a_policy_that_keeps_a_caller_out_is_told_beside_its_timeouts() -> None:
    async with stage("media-0728") as s:
        result = await title_api(s, policy())
    (found,) = denials(result)
    assert found.entity.name == "postgres-clients"
    assert found.data["used_by"] == ["Deployment/streaming/title-api"]
    assert found.data["service"] == ["Service/streaming/postgres"]
    sources = {each.locator: each.text for each in result.sources}
    assert all(quote.text in sources[quote.locator] for quote in found.quotes)


async def test_a_policy_that_lets_the_caller_in_is_not_told() -> None:
    allowed = policy({"from": [CALLER], "ports": [{"protocol": "TCP", "port": 5432}]})
    async with stage("media-0728") as s:
        assert denials(await title_api(s, allowed)) == []


async def test_where_policies_may_not_be_read_that_is_told_and_nothing_claimed() -> None:
    rights = {**READS, "rules": [*READS["rules"], LOG_READER]}
    async with stage("media-0728") as s:
        await s.cluster.create("NetworkPolicy", policy(), "streaming")
        await s.cluster.create("ClusterRole", rights)
        await s.cluster.create("ClusterRoleBinding", BINDING)
        viewer = User("viewer", ("system:authenticated",))
        s.served.world.authenticate = lambda authorization: viewer  # type: ignore[method-assign]
        result = await title_api(s)
        seen = await s.run(health, namespace="streaming")
    assert denials(result) == []
    assert "NetworkPolicy" in {each["what"] for each in result.data["unread"]}
    unread = {each["what"] for each in seen.data["unread"]}
    assert unread >= {"NetworkPolicy", "IngressClass", "ValidatingWebhookConfiguration", "LimitRange"}


async def test_health_tells_of_a_policy_also_where_it_is_asked_for_one_that_suffers_from_it() -> None:
    async with stage("media-0728") as s:
        await s.cluster.create("NetworkPolicy", policy(), "streaming")
        whole = await s.run(health, namespace="streaming")
        victim = await s.run(health, namespace="streaming", workload="title-api")
        other = await s.run(health, namespace="streaming", workload="redis")
    (found,) = denials(whole)
    assert "Deployment/streaming/title-api" in found.data["used_by"]
    # Its age in words goes on while the calls are made.
    assert [(e.entity, e.data) for e in denials(victim)] == [(found.entity, found.data)]
    assert denials(other) == []
