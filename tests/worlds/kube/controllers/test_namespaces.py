"""Namespaces that are created in a recorded world can be worked in, and go when they are deleted."""

from typing import Any

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply
from opssquad.worlds.kube.world import ONCALL
from tests.worlds.kube.living import Living

Json = dict[str, Any]


def filled() -> Living:
    """A world with a namespace `lab` in which a Deployment runs two pods."""
    living = Living("shop-0412")
    living.call("POST", "/api/v1/namespaces", {"metadata": {"name": "lab"}})
    labels = {"app": "x"}
    container = {"name": "x", "image": "registry.example.com/x:1"}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    living.call("POST", "/apis/apps/v1/namespaces/lab/deployments", {"metadata": {"name": "x"}, "spec": spec})
    living.wait(10)
    return living


def test_a_new_namespace_gets_its_service_account_and_certificate_and_pods_run_in_it() -> None:
    living = filled()
    assert [o["metadata"]["name"] for o in living.listed("ServiceAccount", "lab")] == ["default"]
    [root] = living.listed("ConfigMap", "lab")
    [other] = [o for o in living.listed("ConfigMap", "shop") if o["metadata"]["name"] == "kube-root-ca.crt"]
    assert (root["metadata"]["name"], root["data"]) == ("kube-root-ca.crt", other["data"])
    assert living.healthy("Deployment/lab/x")


def test_a_deleted_namespace_is_emptied_and_goes() -> None:
    living = filled()
    living.delete("Namespace//lab")
    assert living.get("Namespace//lab")["status"]["phase"] == "Terminating"
    living.wait(10)
    assert living.stored("Namespace//lab") is None
    left = [key for key in living.world.store.resources() if living.world.store.list(key, "lab")]
    assert left == []


def test_other_namespaces_stay_as_they_are() -> None:
    living = filled()
    before = {o["metadata"]["name"] for o in living.listed("Pod", "shop")}
    living.delete("Namespace//lab")
    living.wait(10)
    assert {o["metadata"]["name"] for o in living.listed("Pod", "shop")} == before


def test_a_namespace_of_the_system_cannot_be_deleted() -> None:
    living = Living("shop-0412")
    reply = answer(living.world, Call("DELETE", "/api/v1/namespaces/kube-system", ONCALL))
    assert isinstance(reply, Reply)
    assert isinstance(reply.body, dict)
    said = 'namespaces "kube-system" is forbidden: this namespace may not be deleted'
    assert (reply.status, reply.body["message"]) == (403, said)
