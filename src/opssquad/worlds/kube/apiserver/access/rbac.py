"""RBAC: decisions and rules from Role, ClusterRole and binding objects. Knows nothing of replies."""

from collections.abc import Iterator
from dataclasses import dataclass

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.request import Request, User
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.apiserver.store import Store

GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"
EVERYTHING = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)


@dataclass(frozen=True)
class Act:
    """What somebody wants to do: with a resource, or with a `path` that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @classmethod
    def of(cls, request: Request) -> "Act":
        """The act of a request."""
        resource = request.resource
        return cls(
            request.verb,
            resource.group,
            resource.plural,
            request.subresource,
            request.namespace,
            request.name,
        )


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed, and the binding that says so, in the server's words."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True)
class Granted:
    """Rules that a binding gives, and how the server describes the binding."""

    rules: tuple[Json, ...]
    why: str


def authorize(store: Store, user: User, act: Act) -> Decision:
    """The decision for a user; members of `system:masters` may do everything."""
    if MASTERS in user.groups:
        return Decision(allowed=True)
    for granted in grants(store, user, act.namespace):
        if any(_matches(rule, act) for rule in granted.rules):
            return Decision(True, f"RBAC: allowed by {granted.why}")
    return Decision(allowed=False)


def grants(store: Store, user: User, namespace: str) -> Iterator[Granted]:
    """What each binding gives a user: cluster-wide ones first, then those of the namespace."""
    for binding in store.list(ResourceKey(GROUP, "clusterrolebindings")):
        yield from _granted(store, user, binding, "")
    if namespace:
        for binding in store.list(ResourceKey(GROUP, "rolebindings"), namespace):
            yield from _granted(store, user, binding, namespace)


def rules_for(store: Store, user: User, namespace: str) -> list[Json]:
    """Every rule that holds for a user in a namespace, in the order of the bindings."""
    found = [rule for granted in grants(store, user, namespace) for rule in granted.rules]
    return found or (list(EVERYTHING) if MASTERS in user.groups else [])


def _granted(store: Store, user: User, binding: Json, namespace: str) -> Iterator[Granted]:
    subject = next((s for s in binding.get("subjects") or [] if _is_subject(user, s, namespace)), None)
    if subject is None:
        return
    role = binding["roleRef"]
    kind, name = role["kind"], role["name"]
    plural, where = ("clusterroles", "") if kind == "ClusterRole" else ("roles", namespace)
    found = store.get(ResourceKey(GROUP, plural), where, name)
    if found is None:
        return
    label = f"{binding['metadata']['name']}/{namespace}" if namespace else binding["metadata"]["name"]
    why = f'{binding["kind"]} "{label}" of {kind} "{name}" to {_described(subject)}'
    yield Granted(tuple(found.get("rules") or ()), why)


def _is_subject(user: User, subject: Json, namespace: str) -> bool:
    match subject["kind"]:
        case "User":
            return bool(user.name == subject["name"])
        case "Group":
            return subject["name"] in user.groups
        case _:
            account = f"system:serviceaccount:{subject.get('namespace') or namespace}:{subject['name']}"
            return user.name == account


def _described(subject: Json) -> str:
    place = f"/{subject['namespace']}" if subject.get("namespace") else ""
    return f'{subject["kind"]} "{subject["name"]}{place}"'


def _matches(rule: Json, act: Act) -> bool:
    if not _has(rule.get("verbs"), act.verb):
        return False
    if act.path:
        return any(_path_matches(pattern, act.path) for pattern in rule.get("nonResourceURLs") or [])
    names = rule.get("resourceNames") or []
    return (
        _has(rule.get("apiGroups"), act.group)
        and _has_resource(rule.get("resources") or [], act)
        and (not names or act.name in names)
    )


def _has(values: list[str] | None, wanted: str) -> bool:
    return bool(values) and ("*" in (values or ()) or wanted in (values or ()))


def _has_resource(resources: list[str], act: Act) -> bool:
    full = f"{act.resource}/{act.subresource}" if act.subresource else act.resource
    wildcard = f"*/{act.subresource}" if act.subresource else "*"
    return "*" in resources or full in resources or wildcard in resources


def _path_matches(pattern: str, path: str) -> bool:
    if pattern == "*":
        return True
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
