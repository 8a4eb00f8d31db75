"""The hop `mesh` of a path: Istio's policies between a client and the pods that it calls."""

import pytest

from opssquad import Json
from tests.tools.network.town import READ, at, broken, path_of, town
from tests.tools.signals.network import app
from tests.tools.signals.objects import obj

SERVED = READ | {"AuthorizationPolicy", "PeerAuthentication"}
DENY: Json = {"selector": app("db"), "action": "DENY", "rules": [{}]}
STRICT: Json = {"mtls": {"mode": "STRICT"}}


def mesh(*policies: Json, proxies: tuple[str, ...] = ("web pod", "db pod")) -> dict[str, Json]:
    """The town with a proxy beside these pods, and policies."""
    made = town()
    for name in proxies:
        made[name]["spec"]["containers"] = [*made[name]["spec"]["containers"], {"name": "istio-proxy"}]
    return made | {f"mesh {n}": each for n, each in enumerate(policies)}


def policy(spec: Json, kind: str = "AuthorizationPolicy") -> Json:
    return obj(kind, "lock", spec)


def test_no_hop_is_shown_where_no_such_kind_is_served() -> None:
    assert "mesh" not in [each.what for each in path_of(town(), "web", "db").hops]


def test_what_no_policy_is_about_passes() -> None:
    hop = at(path_of(mesh(), "web", "db", complete=SERVED), "mesh")
    assert (hop.verdict, hop.fact) == ("ok", "no policy of the mesh is about this")


@pytest.mark.parametrize(
    ("named", "proxies"),
    [
        (policy(DENY), ("web pod", "db pod")),
        (policy({}), ("web pod", "db pod")),
        (policy(STRICT, "PeerAuthentication"), ("db pod",)),
    ],
)
def test_a_policy_that_denies_breaks_the_hop(named: Json, proxies: tuple[str, ...]) -> None:
    hop = broken(path_of(mesh(named, proxies=proxies), "web", "db", complete=SERVED))
    assert (hop.what, str(hop.object)) == ("mesh", f"{named['kind']}/n/lock")
    assert [(each.id, each.data["used_by"]) for each in hop.signals] == [
        ("mesh.denies", ["Deployment/n/web"])
    ]


def test_a_pod_that_is_named_itself_is_judged_as_well() -> None:
    hop = broken(path_of(mesh(policy(DENY)), "web", "Pod/n/db-h1-x", 5432, complete=SERVED))
    assert (hop.what, hop.signals) == ("mesh", ())


def test_a_policy_that_lets_pass_is_named() -> None:
    lets = policy({"rules": [{"from": [{"source": {"namespaces": ["n"]}}]}]})
    hop = at(path_of(mesh(lets), "web", "db", complete=SERVED), "mesh")
    assert (hop.verdict, hop.fact) == ("ok", "lock lets this pass")


@pytest.mark.parametrize("complete", [SERVED, READ | {"PeerAuthentication"}])
def test_what_cannot_be_told_is_unknown(complete: frozenset[str]) -> None:
    by_path = {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/admin"]}}]}]}
    hop = at(path_of(mesh(policy(by_path)), "web", "db", complete=complete), "mesh")
    assert hop.verdict == "unknown"
    assert ("AuthorizationPolicy of n could not be read" in hop.fact) is (complete != SERVED)


def test_who_calls_through_an_ingress_is_not_judged() -> None:
    made = mesh(policy({"action": "DENY", "rules": [{}]}))
    hop = at(path_of(made, "internet", "https://shop.example/api", complete=SERVED), "mesh")
    assert hop.verdict == "not checked"
