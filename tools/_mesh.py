"""What the policies of an Istio mesh say of a call: AuthorizationPolicies, and PeerAuthentications that ask
for mutual TLS. What a single policy is about is `_mesh_rules`' knowledge.

Pure functions with three answers: yes, no, and None where that cannot be told from what was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from opssquad import Json

from ._extensions import MESH_ROOT
from ._kube import UNDATED, created, dig
from ._mesh_rules import Member, applies, fits, negated
from ._policy_rules import all_of, any_of
from ._selectors import matches
from .signals._scene import Scene

RULES, TLS = "AuthorizationPolicy", "PeerAuthentication"
Why = Literal["deny", "not_allowed", "mtls"]


@dataclass(frozen=True)
class Judgement:
    """Whether the mesh lets a call `pass`; where it does not, why, and the policies that deny it. `policies`
    are all that are about it."""

    passes: bool | None
    why: Why | None = None
    denying: tuple[Json, ...] = ()
    policies: tuple[Json, ...] = ()


def judge(client: Member, target: Member, port: int, service: str, scene: Scene) -> Judgement:
    """What the mesh says of a call to a port of a workload's pods, by way of a Service ("": none).

    Without a proxy before the pods that are called nothing is enforced; whether one is there, and whether the
    caller's identity is known, may be unknown.
    """
    if target.inside is False:
        return Judgement(True)
    enforced = None if str(port) in target.excluded else target.inside
    strict, policy = _strict(target, port, scene)
    unmet = all_of((enforced, strict, negated(client.inside)))
    if unmet and policy:
        return Judgement(False, "mtls", (policy,), (policy,))
    found = _authorized(client, target, port, service, scene)
    if found.passes is False and not enforced:
        return Judgement(None, policies=found.policies)
    passes = all_of((found.passes, negated(unmet)))
    return Judgement(passes, found.why, found.denying, found.policies)


def _authorized(client: Member, target: Member, port: int, service: str, scene: Scene) -> Judgement:
    """In Istio's order: CUSTOM, DENY, then ALLOW. AUDIT lets through."""
    about = [(each, applies(each, target, service)) for each in scene.of(RULES)]
    mine = [(each, said) for each, said in about if said is not False]
    policies = tuple(each for each, _ in mine)
    matched = {
        action: [(each, all_of((said, fits(each, client, port)))) for each, said in mine if _is(each, action)]
        for action in ("CUSTOM", "DENY", "ALLOW")
    }
    denying = tuple(each for each, said in matched["DENY"] if said)
    allowing = [(each, said) for each, said in mine if _is(each, "ALLOW")]
    allowed = _allowed(allowing, [said for _, said in matched["ALLOW"]], target, scene)
    lacking = tuple(each for each, said in allowing if said) if allowed is False else ()
    if denying or lacking:
        return Judgement(False, "deny" if denying else "not_allowed", (*denying, *lacking), policies)
    custom = None if any(said is not False for _, said in matched["CUSTOM"]) else True
    whole = True if scene.covers(RULES, target.namespace) else None
    denied = any_of(said for _, said in matched["DENY"])
    return Judgement(all_of((custom, negated(denied), allowed, whole)), policies=policies)


def _is(policy: Json, action: str) -> bool:
    return bool(dig(policy, "spec", "action", default="ALLOW") == action)


def _allowed(
    about: Sequence[tuple[Json, bool | None]], matched: list[bool | None], target: Member, scene: Scene
) -> bool | None:
    """Whether one policy lets it through, or there is none that would have to."""
    found = any_of(matched)
    if not about or found:
        return True
    surely = any(said for _, said in about) and scene.covers(RULES, target.namespace)
    return False if surely and found is False else None


def _strict(target: Member, port: int, scene: Scene) -> tuple[bool | None, Json | None]:
    """Whether what is called takes mutual TLS alone, and the policy that says so: the narrowest that does."""
    if scene.of(TLS) and not scene.covers(TLS, target.namespace):
        return None, None
    for policy in _by_width(target, scene):
        ports = dig(policy, "spec", "portLevelMtls", default={}) if _selects(policy) else {}
        for mode in (dig(ports, str(port), "mode"), dig(policy, "spec", "mtls", "mode")):
            if mode and mode != "UNSET":
                return mode == "STRICT", policy
    return False, None


def _by_width(target: Member, scene: Scene) -> list[Json]:
    """PeerAuthentications about a workload: for its pods, its namespace, the mesh; of each the oldest.

    One for certain pods is not heeded in the root namespace."""
    near, root = scene.within(TLS, target.namespace), scene.within(TLS, MESH_ROOT)
    pods = [each for each in near if _selects(each) and matches(dig(each, "spec", "selector"), target.labels)]
    levels = (
        pods if target.namespace != MESH_ROOT else [],
        [each for each in near if not _selects(each)],
        [each for each in root if not _selects(each)],
    )
    return [min(level, key=lambda each: created(each) or UNDATED) for level in levels if level]


def _selects(policy: Json) -> bool:
    return bool(dig(policy, "spec", "selector", "matchLabels"))
