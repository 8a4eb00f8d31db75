"""Policies of an Istio mesh that deny what the environment of a workload names."""

import pytest

from opssquad import Json, Ref, Signal
from tests.tools.signals.network import app, running, service, workload
from tests.tools.signals.objects import NOW, ago, logged, obj, ranked, told

DENY_ALL: Json = {"action": "DENY", "rules": [{}]}
STRICT: Json = {"mtls": {"mode": "STRICT"}}


def policy(name: str, spec: Json, age: float = 20, kind: str = "AuthorizationPolicy") -> Json:
    """A policy of the mesh, created so many minutes ago by kubectl."""
    stamp = ago(age)
    entry = {
        "manager": "kubectl-create",
        "operation": "Update",
        "time": stamp,
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:rules": {}}},
    }
    return obj(kind, name, spec, None, creationTimestamp=stamp, managedFields=[entry])


def town(*policies: Json, proxies: tuple[str, ...] = ("web", "db")) -> list[Json]:
    """`web` calls `db`; those that are named have a proxy of the mesh."""
    made = [workload("web", DB_URL="postgres://db:5432/shop"), workload("db", 5432)]
    pods = []
    for each in made:
        pod = running(each)
        if each["metadata"]["name"] in proxies:
            beside = [*pod["spec"]["containers"], {"name": "istio-proxy"}]
            pod["spec"] = {**pod["spec"], "containers": beside}
        pods.append(pod)
    space = obj("Namespace", "n")
    space["metadata"].pop("namespace")
    return [*made, *pods, space, service("db", 5432, 5432), *policies]


def test_a_denial_is_told_of_the_policy_with_caller_and_service() -> None:
    denied = told(*town(policy("lock", {"selector": app("db"), **DENY_ALL})))["mesh.denies"]
    assert (str(denied.entity), denied.severity) == ("AuthorizationPolicy/n/lock", "warning")
    assert denied.at == NOW.replace(hour=11, minute=40)
    keys = ("policy", "why", "workloads", "service", "used_by", "changed_by", "recent")
    assert {key: denied.data[key] for key in keys} == {
        "policy": "AuthorizationPolicy/n/lock",
        "why": "deny",
        "workloads": ["Deployment/n/db"],
        "service": ["Service/n/db"],
        "used_by": ["Deployment/n/web"],
        "changed_by": "kubectl-create",
        "recent": True,
    }
    assert denied.text == ("AuthorizationPolicy lock (created 20 min ago): it denies calls of web to db:5432")
    assert '"action":"DENY"' in [each.text for each in denied.quotes]


def test_callers_that_no_policy_allows_are_told_of_the_newest_that_would_have_to() -> None:
    other = {"rules": [{"from": [{"source": {"namespaces": ["m"]}}]}]}
    denied = told(*town(policy("old", {}, 5_000), policy("new", other, 3)))["mesh.denies"]
    assert (denied.entity.name, denied.data["why"]) == ("new", "not_allowed")


def test_a_denial_of_long_ago_is_most_likely_meant() -> None:
    denied = told(*town(policy("lock", DENY_ALL, 9_000)))["mesh.denies"]
    assert (denied.severity, denied.data["recent"]) == ("info", False)


def test_mutual_tls_is_told_where_the_caller_has_no_proxy() -> None:
    strict = policy("default", STRICT, kind="PeerAuthentication")
    denied = told(*town(strict, proxies=("db",)))["mesh.denies"]
    assert (str(denied.entity), denied.data["why"]) == ("PeerAuthentication/n/default", "mtls")
    assert "mesh.denies" not in told(*town(strict))
    assert "mesh.denies" not in told(*town(strict, proxies=()))


@pytest.mark.parametrize(
    "spec",
    [
        {"rules": [{"from": [{"source": {"namespaces": ["n"]}}]}]},
        {"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["POST"]}}]}]},
        {"selector": app("web"), **DENY_ALL},
    ],
)
def test_what_passes_or_is_not_known_is_not_told(spec: Json) -> None:
    assert "mesh.denies" not in told(*town(policy("p", spec)))


def test_a_service_with_one_open_backend_is_not_denied() -> None:
    canary = workload("db", 5432)
    canary["metadata"]["name"] = "db-canary"
    canary["spec"]["template"]["metadata"]["labels"] = {"app": "db", "track": "canary"}
    other = running(canary)
    other["metadata"]["name"] = "db-canary-h1-x"
    other["metadata"]["ownerReferences"][0]["name"] = "db-canary-h1"
    lock = policy("lock", {"selector": {"matchLabels": {"track": "canary"}}, **DENY_ALL})
    assert "mesh.denies" not in told(*town(lock), canary, other)


@pytest.mark.parametrize(
    ("named", "proxies", "said"),
    [
        (policy("lock", DENY_ALL), ("web", "db"), "RBAC: access denied"),
        (policy("lock", STRICT, kind="PeerAuthentication"), ("db",), "read: connection reset by peer"),
    ],
)
def test_a_mesh_that_denies_is_its_policys_fault_where_a_caller_tells_of_it(
    named: Json, proxies: tuple[str, ...], said: str
) -> None:
    objects = town(named, proxies=proxies)
    assert "N12" not in [each.fault for each in ranked(*objects)]
    line = f"ERROR GET http://db:5432/x: {said}"
    best = ranked(*objects, more=logged(running(workload("web")), *[line] * 3))[0]
    assert (best.fault, str(best.component)) == ("N12", f"{named['kind']}/n/lock")
    assert said in best.root_cause


DENIED = Signal(
    id="log.mesh_denied",
    entity=Ref.parse("Pod/n/web-1"),
    owner=Ref.parse("Deployment/n/web"),
    text="web logged 40 times: RBAC: access denied",
)
LOCK = policy("lock", {"selector": app("db"), **DENY_ALL})


@pytest.mark.parametrize("proxies", [("web", "db"), ()], ids=["with proxies", "proxies are not seen"])
def test_a_mesh_that_denies_is_its_policys_fault_once_somebody_is_told_so(proxies: tuple[str, ...]) -> None:
    best = ranked(*town(LOCK, proxies=proxies), more=[DENIED])[0]
    assert (best.fault, str(best.component)) == ("N12", "AuthorizationPolicy/n/lock")
    assert ranked(*town(LOCK, proxies=proxies)) == []
