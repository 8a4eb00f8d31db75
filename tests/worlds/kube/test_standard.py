"""The roles that every API server makes are there in a recorded cluster, too."""

from typing import Any

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply
from opssquad.worlds.kube.standard import missing_roles
from opssquad.worlds.kube.world import ONCALL
from tests.worlds.kube.living import Living

Json = dict[str, Any]
ACCOUNT = "system:serviceaccount:shop:default"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def may(living: Living, verb: str, resource: str) -> bool:
    """`kubectl auth can-i VERB RESOURCE --as=ACCOUNT`."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": verb, "resource": resource, "namespace": "shop"}},
    }
    headers = {"content-type": "application/json", "impersonate-user": ACCOUNT}
    reply = answer(living.world, Call("POST", REVIEW, ONCALL, headers, living.sent(review)))
    assert isinstance(reply, Reply)
    assert isinstance(reply.body, dict)
    assert reply.status == 201, reply.body
    return bool(reply.body["status"]["allowed"])


def test_an_account_may_ask_what_it_may_and_gets_what_a_binding_gives() -> None:
    living = Living("shop-0412")
    assert not may(living, "list", "pods")
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "shop"}
    body: Json = {"metadata": {"name": "looks"}, "roleRef": role, "subjects": [subject]}
    living.call("POST", f"{RBAC}/rolebindings", body)
    assert may(living, "list", "pods")
    assert not may(living, "delete", "pods")
    assert not may(living, "get", "secrets")


def test_a_binding_to_the_accounts_of_a_namespace_counts() -> None:
    living = Living("shop-0412")
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts:shop"}
    body: Json = {"metadata": {"name": "all"}, "roleRef": role, "subjects": [group]}
    living.call("POST", f"{RBAC}/rolebindings", body)
    assert may(living, "delete", "pods")


def test_nothing_is_added_where_the_servers_own_roles_were_recorded() -> None:
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    metadata = {"name": "view", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": labels}
    assert list(missing_roles([{"kind": "ClusterRole", "metadata": metadata}], "a")) == []


def test_the_servers_own_roles_are_added_to_those_that_somebody_made() -> None:
    metadata = {"name": "team-view", "creationTimestamp": "2026-01-01T00:00:00Z"}
    added = missing_roles([{"kind": "ClusterRole", "metadata": metadata}], "a")
    assert {"cluster-admin", "view"} <= {obj["metadata"]["name"] for _, obj in added}


def test_the_roles_are_as_old_as_the_cluster_and_their_uids_are_its_own() -> None:
    namespaces = [
        {"kind": "Namespace", "metadata": {"name": name, "creationTimestamp": f"{year}-01-01T00:00:00Z"}}
        for name, year in (("young", 2026), ("old", 2024))
    ]
    one, other = (dict(_by_name(missing_roles(namespaces, seed))) for seed in ("a", "b"))
    assert {meta["creationTimestamp"] for meta in one.values()} == {"2024-01-01T00:00:00Z"}
    assert one["cluster-admin"]["uid"] != other["cluster-admin"]["uid"]


def _by_name(found: Any) -> Any:
    return ((obj["metadata"]["name"], obj["metadata"]) for _, obj in found)
