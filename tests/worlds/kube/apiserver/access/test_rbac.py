"""RBAC decides from the cluster's own roles and bindings."""

from datetime import UTC, datetime
from typing import Any

import pytest

from opssquad.worlds.kube.apiserver.access.rbac import Act, Decision, authorize, rules_for
from opssquad.worlds.kube.apiserver.request import User
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.apiserver.store import Store
from tests.conformance.world import USERS, pristine

GROUP = "rbac.authorization.k8s.io"
BOT = User("system:serviceaccount:ci:bot", ("system:serviceaccounts",))


def cluster(*rules: dict[str, Any], subject: dict[str, Any] | None = None, namespace: str = "shop") -> Store:
    """A store with one role and one binding to a service account."""
    store = Store(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    role = {"kind": "Role", "metadata": {"name": "r", "namespace": namespace}, "rules": list(rules)}
    binding = {
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": namespace},
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [subject or {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}],
    }
    store.load(ResourceKey(GROUP, "roles"), role)
    store.load(ResourceKey(GROUP, "rolebindings"), binding)
    return store


def rule(verbs: str = "get", resources: str = "pods", **more: Any) -> dict[str, Any]:
    return {"verbs": verbs.split(), "apiGroups": [""], "resources": resources.split(), **more}


def test_members_of_masters_may_do_everything_without_a_reason() -> None:
    act = Act("delete", "apps", "deployments", namespace="shop", name="web")
    assert authorize(pristine(), USERS["admin"], act) == Decision(allowed=True)


@pytest.mark.parametrize(
    ("act", "allowed"),
    [
        (Act("list", "", "pods", namespace="shop"), True),
        (Act("get", "", "pods", "log", "shop", "web-1"), True),
        (Act("delete", "", "pods", namespace="shop"), False),
        (Act("get", "", "secrets", namespace="shop"), False),
        (Act("get", "", "nodes"), True),
        (Act("patch", "apps", "deployments", "scale", "shop", "web"), False),
        (Act("get", path="/version"), True),
        (Act("get", path="/apis/apps"), True),
        (Act("get", path="/metrics"), False),
    ],
)
def test_a_viewer_may_look_and_not_touch(act: Act, allowed: bool) -> None:
    assert authorize(pristine(), USERS["viewer"], act).allowed is allowed


def test_the_reason_names_binding_role_and_subject() -> None:
    decision = authorize(pristine(), USERS["viewer"], Act("get", "", "pods", "log", "shop"))
    assert (
        decision.reason
        == 'RBAC: allowed by ClusterRoleBinding "viewer" of ClusterRole "view" to User "viewer"'
    )


def test_a_role_holds_in_its_own_namespace_only() -> None:
    store = cluster(rule())
    assert authorize(store, BOT, Act("get", "", "pods", namespace="shop")).allowed
    assert not authorize(store, BOT, Act("get", "", "pods", namespace="other")).allowed
    assert not authorize(store, BOT, Act("get", "", "pods")).allowed


def test_a_service_account_is_a_subject_by_namespace_and_name() -> None:
    store = cluster(rule())
    assert not authorize(store, User("bot"), Act("get", "", "pods", namespace="shop")).allowed
    decision = authorize(store, BOT, Act("get", "", "pods", namespace="shop"))
    assert decision.reason == 'RBAC: allowed by RoleBinding "b/shop" of Role "r" to ServiceAccount "bot/ci"'


def test_named_objects_are_allowed_by_name() -> None:
    store = cluster(rule(resourceNames=["web"]))
    assert authorize(store, BOT, Act("get", "", "pods", namespace="shop", name="web")).allowed
    assert not authorize(store, BOT, Act("get", "", "pods", namespace="shop", name="db")).allowed


@pytest.mark.parametrize(
    ("resources", "subresource", "allowed"),
    [
        ("pods", "log", False),
        ("pods/log", "log", True),
        ("*/log", "log", True),
        ("*", "log", True),
        ("pods/*", "", False),
    ],
)
def test_subresources_are_allowed_apart_from_their_resource(
    resources: str, subresource: str, allowed: bool
) -> None:
    act = Act("get", "", "pods", subresource, "shop")
    assert authorize(cluster(rule(resources=resources)), BOT, act).allowed is allowed


def test_groups_are_subjects() -> None:
    store = cluster(rule(), subject={"kind": "Group", "name": "system:serviceaccounts"})
    assert authorize(store, BOT, Act("get", "", "pods", namespace="shop")).allowed
    assert not authorize(store, User("system:anonymous"), Act("get", "", "pods", namespace="shop")).allowed


def test_a_binding_to_a_missing_role_gives_nothing() -> None:
    store = cluster(rule())
    store.remove(ResourceKey(GROUP, "roles"), "shop", "r")
    assert not authorize(store, BOT, Act("get", "", "pods", namespace="shop")).allowed


def test_rules_are_listed_and_masters_have_all_of_them_even_without_bindings() -> None:
    assert rules_for(cluster(rule()), BOT, "shop") == [rule()]
    everything = rules_for(cluster(), USERS["admin"], "shop")
    assert everything[0] == {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
