"""Who calls a workload that is gone: its name stands in the environment of workloads that want pods."""

import pytest
from tools._depends import elsewhere
from tools.signals._scene import Scene

from opssquad import Json
from tests.tools.signals.objects import NOW, ago, deployment, obj, told


def caller(name: str, value: str, replicas: int = 1) -> Json:
    found = deployment(replicas, replicas)
    found["metadata"] = {**found["metadata"], "name": name}
    found["spec"]["template"]["metadata"]["labels"] = {"app": name}
    found["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "WEB_URL", "value": value}]
    return found


SERVICE = obj("Service", "web", {"selector": {"app": "web"}, "ports": [{"port": 80}]})
SLICE = obj("EndpointSlice", "web-x", labels={"kubernetes.io/service-name": "web"})


@pytest.mark.parametrize("value", ["http://web/", "web.n.svc:80", "http://web.n.svc.cluster.local:80/v1"])
def test_a_workload_without_pods_names_who_calls_it(value: str) -> None:
    found = told(deployment(0, 0), SERVICE, SLICE, caller("shop", value))
    for signal in ("workload.scaled_to_zero", "service.no_endpoints"):
        named = found[signal].data
        assert (named["caller"], named["caller_namespace"]) == ("shop", "n")


@pytest.mark.parametrize(
    ("name", "value", "replicas"),
    [
        ("shop", "http://other.n.svc:80", 1),
        ("shop", "http://web.elsewhere.svc:80", 1),
        ("shop", "http://web", 0),
    ],
)
def test_who_calls_another_or_is_gone_itself_is_no_caller(name: str, value: str, replicas: int) -> None:
    found = told(deployment(0, 0), SERVICE, SLICE, caller(name, value, replicas))
    assert "caller" not in found["service.no_endpoints"].data


def test_of_several_callers_the_one_whose_pods_started_last_is_asked_first() -> None:
    def started(name: str, minutes: float) -> Json:
        up = {"kind": "Deployment", "name": name, "controller": True}
        return obj("Pod", f"{name}-1", {}, {"startTime": ago(minutes)}, ownerReferences=[up])

    long, late = started("shop", 900), started("mail", 5)
    found = told(
        deployment(0, 0), SERVICE, SLICE, caller("shop", "web:80"), caller("mail", "web:80"), long, late
    )
    data = found["service.no_endpoints"].data
    assert (data["caller"], data["callers"]) == ("mail", ["Deployment/n/mail", "Deployment/n/shop"])


def test_calls_into_a_namespace_that_was_not_read_are_told_with_who_makes_them() -> None:
    here = (
        caller("shop", "http://db.stores.svc:80"),
        caller("mail", "db.stores:80"),
        caller("web", "api.example:80"),
    )
    spaces = [obj("Namespace", each, namespace="") for each in ("n", "stores")]
    scene = Scene(NOW, (*here, *spaces), frozenset({"Service"}), frozenset({"n"}))
    assert {space: [each.name for each in who] for space, who in elsewhere(scene).items()} == {
        "stores": ["shop", "mail"]
    }
    everywhere = Scene(NOW, (*here, *spaces), frozenset({"Service"}), None)
    assert elsewhere(everywhere) == {}
