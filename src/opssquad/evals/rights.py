"""The role of somebody who may not see everything: for cases that cannot be decided from what is left."""

from collections.abc import Collection, Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.access.rbac import GROUP
from opssquad.worlds.kube.apiserver.request import User
from opssquad.worlds.kube.apiserver.resources import Resource, builtin

LIMITED = User("oncall-limited", ("system:authenticated",))
NAME = "limited-by-the-suite"


def known(withheld: str) -> bool:
    """Whether something of that name can be withheld: `pods`, `pods/log`."""
    return any(withheld in (resource.plural, *_parts(resource)) for resource in builtin().all)


def roles(withheld: Collection[str]) -> dict[str, Json]:
    """By the path that it is created at: a role for everything but that, and its binding to `LIMITED`. What
    is withheld as a whole (`pods`) is so with its parts (`pods/log`)."""
    base = f"/apis/{GROUP}/v1"
    ref = {"apiGroup": GROUP, "kind": "ClusterRole", "name": NAME}
    subject = {"apiGroup": GROUP, "kind": "User", "name": LIMITED.name}
    head = {"apiVersion": f"{GROUP}/v1", "metadata": {"name": NAME}}
    rules = list(_rules(withheld))
    return {
        f"{base}/clusterroles": {**head, "kind": "ClusterRole", "rules": rules},
        f"{base}/clusterrolebindings": {
            **head,
            "kind": "ClusterRoleBinding",
            "roleRef": ref,
            "subjects": [subject],
        },
    }


def _rules(withheld: Collection[str]) -> Iterator[Json]:
    left: dict[str, dict[str, None]] = {}
    for resource in builtin().all:
        if resource.plural not in withheld:
            seen = left.setdefault(resource.group, {})
            seen |= {n: None for n in (resource.plural, *_parts(resource)) if n not in withheld}
    for group, names in left.items():
        yield {"verbs": ["*"], "apiGroups": [group], "resources": list(names)}


def _parts(resource: Resource) -> Iterator[str]:
    yield from (f"{resource.plural}/{name}" for name in resource.subresources)
