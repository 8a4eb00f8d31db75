"""Acting as somebody else (`kubectl --as`): who asks must be allowed to impersonate whom they name."""

from opssquad.worlds.kube.apiserver.access.rbac import Act, authorize
from opssquad.worlds.kube.apiserver.request import Call, User
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.apiserver.status import refused
from opssquad.worlds.kube.apiserver.store import Store

USERS = Resource("", "v1", "users", "user", "User", namespaced=False)
GROUPS = Resource("", "v1", "groups", "group", "Group", namespaced=False)
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ANONYMOUS = "system:anonymous"
SERVICE_ACCOUNT, SERVICE_ACCOUNTS = "system:serviceaccount:", "system:serviceaccounts"


def acting_user(store: Store, call: Call) -> User:
    """The user that a call acts as: the asker, unless its headers name another. Raises ApiStatus 403.

    Of several groups only the first is known: a header counts once here.
    """
    name = call.headers.get("impersonate-user", "")
    if not name:
        return call.user
    _check(store, call.user, USERS, name)
    groups = tuple(group for group in (call.headers.get("impersonate-group", ""),) if group)
    for group in groups:
        _check(store, call.user, GROUPS, group)
    if name == ANONYMOUS:
        return User(name, (UNAUTHENTICATED,))
    if not groups and name.startswith(SERVICE_ACCOUNT) and name.count(":") == 3:
        groups = (SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{name.split(':')[2]}")
    return User(name, (*groups, AUTHENTICATED))


def _check(store: Store, user: User, resource: Resource, name: str) -> None:
    if not authorize(store, user, Act("impersonate", "", resource.plural, name=name)).allowed:
        why = (
            f'User "{user.name}" cannot impersonate resource "{resource.plural}" '
            'in API group "" at the cluster scope'
        )
        raise refused(resource, name, why)
