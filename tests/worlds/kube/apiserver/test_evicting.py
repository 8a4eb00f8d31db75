"""Evictions and the budgets that stand in their way."""

from typing import Any

from tests.worlds.kube.apiserver.driver import SHOP, Driver

BUDGETS = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
POD = f"{SHOP}/pods/web-79bf75b64d-9lkxd"


def spent() -> Driver:
    """A cluster whose budget allows no disruption of web."""
    client = Driver()
    assert client.patch(f"{BUDGETS}/web/status", {"status": {"disruptionsAllowed": 0}})[0] == 200
    return client


def evict(client: Driver) -> tuple[int, dict[str, Any]]:
    return client.say("POST", f"{POD}/eviction", {})


def unready(client: Driver) -> None:
    status = client.get(POD)["status"]
    conditions = [{**c, "status": "False"} if c["type"] == "Ready" else c for c in status["conditions"]]
    assert client.patch(f"{POD}/status", {"status": {"conditions": conditions}})[0] == 200


def test_a_spent_budget_keeps_a_healthy_pod() -> None:
    client = spent()
    assert evict(client)[0] == 429
    assert "deletionTimestamp" not in client.get(POD)["metadata"]


def test_a_pod_that_is_not_ready_may_go_while_enough_others_are() -> None:
    client = spent()
    unready(client)
    assert evict(client)[0] == 201


def test_a_pod_that_is_not_ready_stays_when_others_are_missing_unless_the_budget_lets_it() -> None:
    client = spent()
    unready(client)
    assert client.patch(f"{BUDGETS}/web/status", {"status": {"currentHealthy": 1}})[0] == 200
    assert evict(client)[0] == 429
    assert client.patch(f"{BUDGETS}/web", {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}})[0] == 200
    assert evict(client)[0] == 201


def test_two_budgets_over_one_pod_are_an_error() -> None:
    client = Driver()
    second = {"metadata": {"name": "second"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}}
    assert client.say("POST", BUDGETS, second)[0] == 201
    status, answer = evict(client)
    assert status == 500
    assert "more than one PodDisruptionBudget" in answer["message"]


def test_the_budget_remembers_whom_it_let_go() -> None:
    client = Driver()
    assert evict(client)[0] == 201
    status = client.get(f"{BUDGETS}/web")["status"]
    assert list(status["disruptedPods"]) == ["web-79bf75b64d-9lkxd"]
    assert status["conditions"][0]["reason"] == "InsufficientPods"


def test_a_finished_pod_needs_no_budget() -> None:
    client = spent()
    assert client.patch(f"{POD}/status", {"status": {"phase": "Succeeded"}})[0] == 200
    assert evict(client)[0] == 201
    assert client.say("GET", POD)[0] == 404
