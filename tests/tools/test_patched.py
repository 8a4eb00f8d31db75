"""Whether a patch of what stands between callers and pods helped, on a served cluster."""

from collections.abc import AsyncIterator

import pytest
from tools.health import health
from tools.objects import patch

from opssquad import Cluster, Json
from tests.tools.stage import Stage, stage

SPACE, LABEL = "haul", "app.kubernetes.io/name"
CALLER, CALLED = "order-intake", "pricing"
SHUT: Json = {"podSelector": {"matchLabels": {LABEL: CALLED}}, "policyTypes": ["Ingress"]}
NOTHING: Json = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": []}


@pytest.fixture
async def set_up() -> AsyncIterator[Stage]:
    async with stage("haul-1214") as found:
        yield found


async def shut(set_up: Stage, name: str, spec: Json) -> None:
    meta = {"name": name, "namespace": SPACE}
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}
    await set_up.cluster.create("NetworkPolicy", body, SPACE)


async def denial(set_up: Stage) -> Json:
    result = await health.run({"namespace": SPACE}, {Cluster: set_up.cluster})
    return next(each.data for each in result.signals if each.id == "policy.denies")


def of(name: str, body: object, kind: str = "NetworkPolicy", how: str = "json") -> Json:
    return {"kind": kind, "name": name, "namespace": SPACE, "body": body, "how": how}


async def test_a_policy_that_is_mended_by_its_own_fix_is_better_and_its_signals_end(set_up: Stage) -> None:
    await shut(set_up, "lock", SHUT)
    fix = (await denial(set_up))["fix"]
    _, _, check = await set_up.carry_out(patch, **of("lock", fix))
    assert check.outcome == "better"
    assert f"no more: {CALLER} cannot call {CALLED}:80 (ingress)" in check.text
    assert [each.id for each in check.signals] == ["object.mended"]


async def test_one_of_two_policies_that_deny_is_not_enough(set_up: Stage) -> None:
    await shut(set_up, "lock", SHUT)
    await shut(set_up, "wall", NOTHING)
    body = [{"op": "replace", "path": "/spec/podSelector", "value": {"matchLabels": {LABEL: "nobody"}}}]
    _, _, check = await set_up.carry_out(patch, **of("lock", body))
    assert check.outcome == "same"
    assert "; still: " in check.text


async def test_a_part_that_is_mended_is_better_and_the_rest_is_told(set_up: Stage) -> None:
    await shut(set_up, "wall", NOTHING)
    body = [{"op": "replace", "path": "/spec/policyTypes", "value": ["Egress"]}]
    _, _, check = await set_up.carry_out(patch, **of("wall", body))
    assert check.outcome == "better"
    mended, *rest = check.signals
    assert mended.id == "object.mended"
    assert [(each.id, each.data["direction"]) for each in rest] == [("policy.denies", "egress")]
    assert "; still: " in check.text


async def test_a_policy_that_denies_more_than_before_is_worse(set_up: Stage) -> None:
    await shut(set_up, "lock", {**SHUT, "podSelector": {"matchLabels": {LABEL: "nobody"}}})
    body = [{"op": "replace", "path": "/spec/podSelector", "value": SHUT["podSelector"]}]
    _, _, check = await set_up.carry_out(patch, **of("lock", body))
    assert check.outcome == "worse"
    assert f"new: {CALLER} cannot call {CALLED}:80 (ingress)" in check.text


async def test_of_what_nothing_was_told_it_is_not_known_whether_it_helped(set_up: Stage) -> None:
    body = {"metadata": {"labels": {"owner": "freight"}}}
    _, _, check = await set_up.carry_out(patch, **of(CALLED, body, "Service", "merge"))
    assert check.outcome == "unknown"


async def test_a_service_that_gets_its_selector_back_is_better(set_up: Stage) -> None:
    lost = {"spec": {"selector": {"version": "none"}}}
    await set_up.cluster.patch("Service", CALLED, SPACE, lost, how="merge")
    body = {"spec": {"selector": {"version": None}}}
    _, _, check = await set_up.carry_out(patch, **of(CALLED, body, "Service", "merge"))
    assert check.outcome == "better"
    assert check.signals[0].owner.name == CALLED
