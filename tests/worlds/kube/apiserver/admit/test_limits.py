"""LimitRanges give new containers what they do not name, and refuse what they may not."""

from typing import Any

import pytest

from tests.worlds.kube.apiserver.driver import SHOP, Driver

Json = dict[str, Any]


def client(**item: Any) -> Driver:
    """A client of a world with one LimitRange for containers."""
    driver = Driver()
    body = {"metadata": {"name": "range"}, "spec": {"limits": [{"type": "Container", **item}]}}
    assert driver.say("POST", f"{SHOP}/limitranges", body)[0] == 201
    return driver


def pod(**resources: Json) -> Json:
    container = {"name": "c", "image": "x:1", "resources": resources}
    return {"metadata": {"name": "p"}, "spec": {"containers": [container]}}


def test_a_container_gets_what_it_does_not_name() -> None:
    driver = client(default={"cpu": "1"}, defaultRequest={"cpu": "100m"})
    amounts = {"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}}
    status, body = driver.say("POST", f"{SHOP}/pods", pod(**amounts))
    assert status == 201
    assert body["spec"]["containers"][0]["resources"] == {
        "requests": {"memory": "64Mi", "cpu": "100m"},
        "limits": {"memory": "128Mi", "cpu": "1"},
    }
    note = body["metadata"]["annotations"]["kubernetes.io/limit-ranger"]
    assert note == "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    assert body["status"]["qosClass"] == "Burstable"


def test_a_range_with_a_largest_amount_has_defaults() -> None:
    driver = client(max={"cpu": "2", "memory": "1Gi"}, min={"cpu": "50m"})
    [item] = driver.get(f"{SHOP}/limitranges/range")["spec"]["limits"]
    assert item["default"] == item["defaultRequest"] == {"cpu": "2", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("bounds", "amounts", "why"),
    [
        (
            {"max": {"memory": "1Gi"}},
            {"limits": {"memory": "2Gi"}, "requests": {"memory": "1Gi"}},
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            {"min": {"cpu": "200m"}},
            {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}},
            "minimum cpu usage per Container is 200m, but request is 100m",
        ),
    ],
)
def test_what_a_range_forbids_is_refused_with_the_bound(bounds: Json, amounts: Json, why: str) -> None:
    status, body = client(**bounds).say("POST", f"{SHOP}/pods", pod(**amounts))
    assert (status, body["message"]) == (403, f'pods "p" is forbidden: {why}')


def test_what_lies_on_the_bound_is_allowed() -> None:
    amounts = {"limits": {"memory": "1024Mi", "cpu": "1"}, "requests": {"memory": "1Gi", "cpu": "100m"}}
    driver = client(max={"memory": "1Gi"}, min={"cpu": "100m"})
    assert driver.say("POST", f"{SHOP}/pods", pod(**amounts))[0] == 201
