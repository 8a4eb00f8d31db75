"""One policy of an Istio mesh: whom it is about, and whether a call matches its rules.

Pure functions with three answers: yes, no, and None where that cannot be told from what was read, as paths,
methods and conditions of a request. By Istio's reference of AuthorizationPolicy.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from opssquad import Json, Ref

from ._extensions import MESH_ROOT
from ._kube import dig
from ._pods import is_finished
from ._policy_rules import all_of, any_of, within
from ._selectors import matches
from .signals._scene import Scene

DOMAIN = "cluster.local"
"""In a policy it stands for the mesh's own trust domain, whatever that is called."""
PROXY = "istio-proxy"
AMBIENT, REDIRECTED = "istio.io/dataplane-mode", "ambient.istio.io/redirection"
EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts"
GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
OF_REQUESTS = ("hosts", "notHosts", "methods", "notMethods", "paths", "notPaths")
"""What only a request tells."""


@dataclass(frozen=True)
class Member:
    """A workload as the mesh sees it. `inside`: whether its pods have the mesh's proxy before them, which
    leaves the `excluded` ports alone."""

    who: Ref
    labels: dict[str, str]
    account: str
    inside: bool | None
    addresses: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """Where its pods are."""
        return self.who.namespace

    @property
    def principal(self) -> str:
        """Its identity, as policies name it: `cluster.local/ns/shop/sa/web`."""
        return f"{DOMAIN}/{self._suffix}"

    @property
    def _suffix(self) -> str:
        return f"ns/{self.namespace}/sa/{self.account}"


def member(who: Ref, template: Json, pods: Collection[Json], scene: Scene) -> Member:
    """A workload by its live pods; by its template where none was read, which does not tell what is put
    beside its containers."""
    live = [each for each in pods if not is_finished(each)]
    first = live[0] if live else template
    space = scene.get(Ref(kind="Namespace", name=who.namespace))
    return Member(
        who,
        dict(dig(first, "metadata", "labels", default={})),
        str(dig(first, "spec", "serviceAccountName", default="default")),
        _inside(live, template, space),
        tuple(dict.fromkeys(ip for each in live if (ip := dig(each, "status", "podIP")))),
        tuple(str(dig(first, "metadata", "annotations", EXCLUDED, default="")).replace(" ", "").split(",")),
    )


def _inside(pods: Collection[Json], template: Json, space: Json | None) -> bool | None:
    """Whether a proxy stands before these pods; None where some have one, and where none was read."""
    if not pods:
        return True if _has_proxy(template) else False if _of_node(template) else None
    ambient = dig(space, "metadata", "labels", AMBIENT)
    answers = {_pod_inside(each, ambient, space is not None) for each in pods}
    return answers.pop() if len(answers) == 1 else None


def _pod_inside(pod: Json, ambient: str | None, space_read: bool) -> bool | None:
    redirected = dig(pod, "metadata", "annotations", REDIRECTED) == "enabled"
    if _has_proxy(pod) or redirected:
        return True
    if _of_node(pod):
        return False
    own = dig(pod, "metadata", "labels", AMBIENT)
    said = own or ambient
    if said is None:
        return False if space_read else None
    return bool(said == "ambient")


def _of_node(template: Json) -> bool:
    """On the network of its node, where no proxy is put before it."""
    return bool(dig(template, "spec", "hostNetwork"))


def _has_proxy(template: Json) -> bool:
    beside = (
        *dig(template, "spec", "containers", default=()),
        *dig(template, "spec", "initContainers", default=()),
    )
    return any(each.get("name") == PROXY for each in beside)


def applies(policy: Json, target: Member, service: str) -> bool | None:
    """Whether a policy is about what is called, by way of that Service."""
    space = policy["metadata"].get("namespace", "")
    if space not in (target.namespace, MESH_ROOT):
        return False
    spec = policy.get("spec") or {}
    listed = spec.get("targetRefs") or ([spec["targetRef"]] if spec.get("targetRef") else [])
    if listed:
        return any_of(_refers(each, space, target, service) for each in listed)
    return matches(spec.get("selector"), target.labels)


def _refers(each: Json, space: str, target: Member, service: str) -> bool | None:
    """A reference is heeded by a gateway's own proxy, or by a waypoint before a Service, if there is one."""
    match each.get("kind"):
        case "Gateway":
            return space == target.namespace and target.labels.get(GATEWAY_LABEL) == each.get("name")
        case "Service":
            return None if space == target.namespace and each.get("name") == service else False
        case _:
            return None


def fits(policy: Json, client: Member, port: int) -> bool | None:
    """Whether a call matches one rule of a policy; it does so of none where there is no rule."""
    space = policy["metadata"].get("namespace", "")
    return any_of(_rule(each or {}, space, client, port) for each in dig(policy, "spec", "rules", default=()))


def _rule(rule: Json, space: str, client: Member, port: int) -> bool | None:
    sources, operations = rule.get("from"), rule.get("to")
    return all_of(
        (
            any_of(_source(each.get("source") or {}, space, client) for each in sources) if sources else True,
            any_of(_operation(each.get("operation") or {}, port) for each in operations)
            if operations
            else True,
            None if rule.get("when") else True,
        )
    )


def _source(source: Json, space: str, client: Member) -> bool | None:
    asked: dict[str, Callable[[str], bool | None]] = {
        "principals": lambda each: _principal(each, client),
        "namespaces": lambda each: _known(client, _like(each, client.namespace)),
        "serviceAccounts": lambda each: _known(client, _account(each, space, client)),
        "ipBlocks": lambda each: within({"cidr": each}, client.addresses),
    }
    answers = [
        answer
        for field, asks in asked.items()
        for answer in (_any(source, field, asks), _none(source, f"not{field[0].upper()}{field[1:]}", asks))
    ]
    other = set(source) - {key for field in asked for key in (field, f"not{field[0].upper()}{field[1:]}")}
    return all_of([*answers, None if other else True])


def _any(given: Json, field: str, asks: Callable[[str], bool | None]) -> bool | None:
    return any_of(asks(str(each)) for each in given[field]) if given.get(field) else True


def _none(given: Json, field: str, asks: Callable[[str], bool | None]) -> bool | None:
    return negated(any_of(asks(str(each)) for each in given[field])) if given.get(field) else True


def negated(answer: bool | None) -> bool | None:
    """The other answer; None stays None."""
    return None if answer is None else not answer


def _known(client: Member, alike: bool) -> bool | None:
    """What an identity is compared with: a client without a proxy shows none."""
    return all_of((client.inside, alike))


def _principal(pattern: str, client: Member) -> bool | None:
    if _like(pattern, client.principal):
        return _known(client, True)
    # The name of another trust domain may be the mesh's own.
    _, _, rest = pattern.partition("/")
    foreign = not pattern.startswith(("*", f"{DOMAIN}/")) and _like(rest, client.principal.partition("/")[2])
    return all_of((client.inside, None)) if foreign else False


def _account(named: str, space: str, client: Member) -> bool:
    where, _, name = named.rpartition("/")
    return (where or space, name) == (client.namespace, client.account)


def _like(pattern: str, value: str) -> bool:
    """By Istio's way of matching: exact, `prefix*`, `*suffix`, or `*` for anything there is."""
    if pattern == "*":
        return bool(value)
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value.endswith(pattern[1:]) if pattern.startswith("*") else value == pattern


def _operation(operation: Json, port: int) -> bool | None:
    told: Iterable[bool | None] = (
        _any(operation, "ports", lambda each: _like(each, str(port))),
        _none(operation, "notPorts", lambda each: _like(each, str(port))),
        None if any(operation.get(each) for each in OF_REQUESTS) else True,
    )
    return all_of(told)
