"""What admission adds to new objects."""

from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.admit.admission import qos_class
from tests.worlds.kube.apiserver.driver import SHOP, Driver

FULL = {"cpu": "1", "memory": "1Gi"}


def created(collection: str, **body: Any) -> dict[str, Any]:
    status, answer = Driver().say("POST", collection, {"metadata": {"name": "x"}, **body})
    assert status == 201, answer
    return answer


def test_services_get_an_address_of_the_cluster_that_nobody_has() -> None:
    client = Driver()
    taken = {s["spec"]["clusterIP"] for s in client.get(f"{SHOP}/services")["items"]}
    address = created(f"{SHOP}/services", spec={"ports": [{"port": 80}]})["spec"]["clusterIP"]
    assert address not in taken
    assert address.startswith("10.96.")


def test_node_ports_are_given_out_and_kept_if_asked_for() -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81, "nodePort": 31000}]
    spec = created(f"{SHOP}/services", spec={"type": "NodePort", "ports": ports})["spec"]
    assert 30000 <= spec["ports"][0]["nodePort"] < 32768
    assert spec["ports"][1]["nodePort"] == 31000
    assert spec["externalTrafficPolicy"] == "Cluster"


def test_external_names_have_no_address() -> None:
    assert (
        "clusterIP"
        not in created(f"{SHOP}/services", spec={"type": "ExternalName", "externalName": "a.b"})["spec"]
    )


def test_a_pod_without_a_token_has_no_volume_for_it() -> None:
    spec = {"automountServiceAccountToken": False, "containers": [{"name": "c", "image": "i:1"}]}
    assert "volumes" not in created(f"{SHOP}/pods", spec=spec)["spec"]


def test_host_ports_follow_container_ports_on_the_host_network() -> None:
    containers = [{"name": "c", "image": "i:1", "ports": [{"containerPort": 80}]}]
    spec = created(f"{SHOP}/pods", spec={"hostNetwork": True, "containers": containers})["spec"]
    assert spec["containers"][0]["ports"][0]["hostPort"] == 80


def test_a_priority_class_gives_its_value_and_must_exist() -> None:
    spec = {"priorityClassName": "system-node-critical", "containers": [{"name": "c", "image": "i:1"}]}
    assert created(f"{SHOP}/pods", spec=spec)["spec"]["priority"] == 2000001000
    body = {"metadata": {"name": "x"}, "spec": {**spec, "priorityClassName": "none"}}
    status, answer = Driver().say("POST", f"{SHOP}/pods", body)
    assert (status, "no PriorityClass with name none was found" in answer["message"]) == (403, True)


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": FULL}, "Guaranteed"),
        ({"limits": FULL, "requests": FULL}, "Guaranteed"),
        ({"limits": FULL, "requests": {"cpu": "500m", "memory": "1Gi"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
    ],
)
def test_quality_follows_from_resources(resources: dict[str, Any], quality: str) -> None:
    assert qos_class({"containers": [{"resources": resources}]}) == quality
