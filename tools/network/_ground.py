"""The hops under a connection: the nodes of both ends, and what makes the network of pods on them."""

from collections.abc import Sequence

from opssquad import Json, Ref, Signal

from .._pods import is_ready
from .._text import many, some
from ..signals._scene import Scene
from ..signals.agents import PLUGIN, PROXY, agent_signals, agents
from ..signals.nodes import node_signals
from ._hops import Client, Hop, first_of, where

MOST = 4


def ground_hops(client: Client, pods: Sequence[Json], by_service: bool, scene: Scene) -> list[Hop]:
    """The nodes of the client's pods and of the ready pods that are called; a Service is translated by the
    client's."""
    near = where(client.pods)
    far = where(each for each in pods if is_ready(each))
    names = list(dict.fromkeys([*near, *far]))
    return [_agents(near if by_service else [], names, scene), _nodes(names, scene)] if names else []


def _agents(near: list[str], names: list[str], scene: Scene) -> Hop:
    what = "kube-proxy and plug-in"
    known = {node: mine for node, mine in agents(scene).items() if node in names}
    told = [each for each in agent_signals(scene, known) if _matters(each, near, names)]
    if told:
        down = [str(each.data["node"]) for each in told]
        said = f"{told[0].text}; {len(set(down))} of {many(len(names), 'node')} of this path"
        return Hop(what, "broken", said, told[0].entity, tuple(told))
    seen = [each for each in names if each in known]
    if not seen:
        return Hop(what, "not checked", "no pod of kube-proxy or of a known plug-in was seen on these nodes")
    lacking = [each for each in names if each not in seen]
    if lacking:
        return Hop(
            what, "unknown", f"none was seen on {some(lacking, MOST)}, though on {some(seen, MOST)} there is"
        )
    roles = sorted({role for each in seen for role, _ in known[each]})
    return Hop(what, "ok", f"{' and '.join(roles)} ready on {some(names, MOST)}")


def _matters(signal: Signal, near: list[str], names: list[str]) -> bool:
    """kube-proxy matters on the nodes of clients, the plug-in's agent on all."""
    node = signal.data["node"]
    return node in near if signal.data["role"] == PROXY else signal.data["role"] == PLUGIN and node in names


def _nodes(names: list[str], scene: Scene) -> Hop:
    what = "nodes"
    read = [node for each in names if (node := scene.get(Ref(kind="Node", name=each)))]
    if not read:
        return Hop(what, "unknown", "the nodes could not be read")
    told = [signal for node in read for signal in node_signals(node, scene)]
    lost = first_of(told, "node.not_ready") or first_of(told, "node.pressure", type="NetworkUnavailable")
    lost = lost or first_of(told, "net.table_full")
    if lost:
        return Hop(what, "broken", lost.text, lost.entity, (lost,))
    return Hop(
        what, "ok", f"{some([each['metadata']['name'] for each in read], MOST)} ready, network available"
    )
