"""The hop of the mesh: whether Istio's policies let the client call what it calls."""

from collections.abc import Sequence

from opssquad import Json, Ref

from .._kube import ref
from .._mesh import RULES, TLS, Judgement, judge
from .._mesh_rules import Member, member
from .._policy_rules import pod_side, side
from .._text import some
from ..signals._scene import Scene
from ..signals.mesh import SAYS, mesh_denies
from ..signals.policies import Call, newest
from ._hops import Client, Goal, Hop
from ._policing import PortOf

WHAT = "mesh"
KINDS = (RULES, TLS)


def mesh_hops(client: Client, goal: Goal, service: Json | None, port: PortOf, scene: Scene) -> list[Hop]:
    """Istio's policies about the pods that are called; no hop where the cluster serves no such kind."""
    unread = [each for each in KINDS if each not in scene.complete]
    if not goal.pods or (len(unread) == len(KINDS) and not scene.of(*KINDS)):
        return []
    if client.who is None:
        return [Hop(WHAT, "not checked", "it goes by who calls, which is not told here")]
    space = goal.pods[0]["metadata"].get("namespace", "")
    name = ref(service).name if service else ""
    caller, found = _caller(client, scene), []
    for pod in goal.pods:
        target, to = member(scene.owner(pod), pod, [pod], scene), port(pod_side(pod))
        found.append(judge(caller, target, to.number, name, scene) if to else Judgement(None))
    stopped = [each for each in found if each.passes is False]
    if stopped:
        return [_broken(client, goal, service, stopped, len(found), scene)]
    if any(each.passes is None for each in found):
        lost = f"; {' and '.join(unread)} of {space} could not be read" if unread else ""
        return [Hop(WHAT, "unknown", f"it cannot be told whether this passes: {_names(found)}{lost}")]
    names = _names(found)
    return [Hop(WHAT, "ok", f"{names} lets this pass" if names else "no policy of the mesh is about this")]


def _caller(client: Client, scene: Scene) -> Member:
    if client.outside or client.who is None:
        return Member(Ref(kind="Host", name="outside"), {}, "", False)
    return member(client.who, client.template, client.pods, scene)


def _names(found: Sequence[Judgement]) -> str:
    policies = dict.fromkeys(each["metadata"]["name"] for said in found for each in said.policies)
    return some(list(policies), 4)


def _broken(
    client: Client, goal: Goal, service: Json | None, stopped: list[Judgement], pods: int, scene: Scene
) -> Hop:
    said = stopped[0]
    policy, why = newest(said.denying), said.why or "deny"
    part = "" if len(stopped) == pods else f" for {len(stopped)} of {pods} pods"
    fact = f"{ref(policy).kind} {ref(policy).name}: {SAYS[why].format(calls=client.words())}{part}"
    if service is None or client.who is None or client.outside:
        return Hop(WHAT, "broken", fact, ref(policy))
    owner = scene.owner(goal.pods[0])
    call = Call(side(client.who, client.template), service, goal.port)
    signal = mesh_denies(policy, why, [owner], [call], scene)
    return Hop(WHAT, "broken", fact, ref(policy), (signal,))
