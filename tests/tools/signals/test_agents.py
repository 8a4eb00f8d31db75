"""What makes the network of pods on each node: told where it is not ready on a node that is."""

import pytest

from opssquad import Json
from tests.tools.signals.objects import ago, obj, told


def node(name: str, ready: bool = True) -> Json:
    at = {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(90), "message": "m"}
    made = obj("Node", name, {}, {"conditions": [at]})
    made["metadata"].pop("namespace")
    return made


def agent(labels: dict[str, str], on: str, ready: bool, space: str = "kube-system", **meta: str) -> Json:
    up = [{"kind": "DaemonSet", "name": "agent", "controller": True}]
    at = {"type": "Ready", "status": str(ready), "lastTransitionTime": ago(12)}
    status = {"phase": "Running", "startTime": ago(50), "conditions": [at]}
    spec = {"nodeName": on, "containers": [{"name": "c"}]}
    return obj("Pod", f"agent-{on}", spec, status, namespace=space, labels=labels, ownerReferences=up, **meta)


@pytest.mark.parametrize(
    ("labels", "space", "role"),
    [
        ({"k8s-app": "kube-proxy"}, "kube-system", "kube-proxy"),
        ({"k8s-app": "cilium"}, "kube-system", "network plug-in"),
        ({"k8s-app": "calico-node"}, "calico-system", "network plug-in"),
        ({"app": "flannel"}, "kube-flannel", "network plug-in"),
    ],
)
def test_an_agent_that_is_not_ready_is_told_of_its_node(
    labels: dict[str, str], space: str, role: str
) -> None:
    found = told(node("w1"), node("w2"), agent(labels, "w1", True, space), agent(labels, "w2", False, space))
    down = found["node.proxy_down"]
    assert (str(down.entity), str(down.owner)) == ("Node//w2", f"DaemonSet/{space}/agent")
    assert (down.data["node"], down.data["role"], down.severity) == ("w2", role, "critical")
    assert "since 12 min ago" in down.text


def test_where_the_node_itself_is_away_its_agents_are_no_news() -> None:
    assert "node.proxy_down" not in told(
        node("w1", ready=False), agent({"k8s-app": "kube-proxy"}, "w1", False)
    )


def test_an_agent_that_is_replaced_or_well_is_not_told() -> None:
    labels = {"k8s-app": "kube-proxy"}
    leaving = agent(labels, "w1", False, deletionTimestamp=ago(0))
    assert "node.proxy_down" not in told(node("w1"), leaving)
    assert "node.proxy_down" not in told(node("w1"), agent(labels, "w1", True))


def test_a_pod_that_only_bears_the_label_elsewhere_is_no_agent() -> None:
    assert "node.proxy_down" not in told(node("w1"), agent({"app": "flannel"}, "w1", False, "n"))
