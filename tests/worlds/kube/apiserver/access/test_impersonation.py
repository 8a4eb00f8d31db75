"""Acting as somebody else."""

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply
from tests.conformance.world import USERS, StandingStill
from tests.worlds.kube.apiserver.driver import SHOP, body_of


def status(user: str, path: str, **headers: str) -> tuple[int, str]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = answer(StandingStill(), Call("GET", path, USERS[user], given))
    assert isinstance(reply, Reply)
    return reply.status, body_of(reply).get("message", "")


def test_an_admin_sees_what_the_other_sees() -> None:
    assert status("admin", f"{SHOP}/pods", impersonate_user="viewer")[0] == 200
    code, message = status("admin", f"{SHOP}/secrets", impersonate_user="viewer")
    assert (code, 'User "viewer" cannot list resource "secrets"' in message) == (403, True)


def test_a_group_counts_too() -> None:
    headers = {"impersonate_user": "somebody", "impersonate_group": "system:masters"}
    assert status("admin", f"{SHOP}/secrets", **headers)[0] == 200


def test_who_may_not_impersonate_is_refused() -> None:
    code, message = status("viewer", f"{SHOP}/pods", impersonate_user="kubernetes-admin")
    assert code == 403
    assert message == (
        'users "kubernetes-admin" is forbidden: User "viewer" cannot impersonate resource "users" '
        'in API group "" at the cluster scope'
    )


def test_nobody_is_not_authenticated() -> None:
    assert status("admin", f"{SHOP}/pods", impersonate_user="system:anonymous")[0] == 403
