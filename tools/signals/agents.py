"""What makes the network of pods on each node: kube-proxy and the network plug-in's agent.

They are known by the labels that their own manifests give them, and by running on the node in a namespace of
the system.
"""

from collections.abc import Iterator
from datetime import timedelta

from opssquad import Json, Quote, Ref, Signal, ago

from .._kube import condition, dig, moment, quote_at, ref
from .._pods import is_finished, is_ready, is_terminating, restarts, state
from ._scene import Scene, event_quotes, make

SPACES = (
    *("kube-system", "calico-system", "kube-flannel", "cilium", "tigera-operator"),
    *("openshift-ovn-kubernetes", "openshift-sdn"),
)
PASSING = timedelta(minutes=1)
"""As long may a pod that is replaced be away."""
PROXY, PLUGIN = "kube-proxy", "network plug-in"
LABELS = {
    ("k8s-app", "kube-proxy"): PROXY,
    ("component", "kube-proxy"): PROXY,
    **{
        ("k8s-app", name): PLUGIN
        for name in (
            "calico-node",
            "canal",
            "cilium",
            "flannel",
            "aws-node",
            "kindnet",
            "kube-router",
            "azure-cni",
        )
    },
    **{
        ("app", name): PLUGIN for name in ("flannel", "kindnet", "ovnkube-node", "sdn", "multus", "weave-net")
    },
    ("name", "weave-net"): PLUGIN,
    ("component", "antrea-agent"): PLUGIN,
}


def role_of(pod: Json) -> str:
    """`kube-proxy`, `network plug-in`, or nothing."""
    labels = dig(pod, "metadata", "labels", default={})
    return next((role for (key, value), role in LABELS.items() if labels.get(key) == value), "")


def agents(scene: Scene) -> dict[str, list[tuple[str, Json]]]:
    """The agents that were read by their nodes, with their roles; those on their way out left out."""
    found: dict[str, list[tuple[str, Json]]] = {}
    for space in SPACES:
        for pod in scene.within("Pod", space):
            if (role := role_of(pod)) and not is_finished(pod) and not is_terminating(pod):
                found.setdefault(dig(pod, "spec", "nodeName", default=""), []).append((role, pod))
    return found


def agent_signals(scene: Scene, known: dict[str, list[tuple[str, Json]]] | None = None) -> Iterator[Signal]:
    """`node.proxy_down` for every node that is ready while kube-proxy or the plug-in's agent on it is not."""
    for name, mine in (agents(scene) if known is None else known).items():
        node = scene.get(Ref(kind="Node", name=name)) if name else None
        if name and (node is None or is_ready(node)):
            for role, pod in mine:
                if not is_ready(pod):
                    yield _down(name, node, role, pod, scene)


def _down(name: str, node: Json | None, role: str, pod: Json, scene: Scene) -> Signal:
    said = condition(pod, "Ready")
    since = moment(said.get("lastTransitionTime"))
    quotes: list[Quote] = [quote_at(pod, "status", "conditions")]
    again = f", {restarts(pod)} restarts" if restarts(pod) else ""
    return make(
        "node.proxy_down",
        node or Ref(kind="Node", name=name),
        scene.owner(pod),
        f"Node {name}: its {role} is not ready: pod {pod['metadata']['name']} is {state(pod)}{again}"
        + (f" since {ago(since, scene.now)}" if since else ""),
        [*quotes, *event_quotes(scene.about(ref(pod)))],
        severity="critical" if not since or not scene.is_recent(since, PASSING) else "warning",
        at=since,
        data={
            "node": name,
            "role": role,
            "pod": str(ref(pod)),
            "agent": str(scene.owner(pod)),
            "since": since.isoformat() if since else "",
        },
    )
