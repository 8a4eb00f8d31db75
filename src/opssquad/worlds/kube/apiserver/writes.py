"""The writing half of the API: one function per verb and subresource, found in a table."""

from collections.abc import Callable

from opssquad.worlds.kube.apiserver.access.reviews import review
from opssquad.worlds.kube.apiserver.access.tokens import create_token
from opssquad.worlds.kube.apiserver.create import create
from opssquad.worlds.kube.apiserver.deleting import delete, delete_collection
from opssquad.worlds.kube.apiserver.evicting import evict
from opssquad.worlds.kube.apiserver.patching import patch
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.scaling import scale
from opssquad.worlds.kube.apiserver.status import method_not_allowed
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.update import update

Handler = Callable[[Store, Request], Reply]
HANDLERS: dict[tuple[str, str], Handler] = {
    ("create", ""): create,
    ("create", "eviction"): evict,
    ("create", "token"): create_token,
    ("update", ""): update,
    ("update", "status"): update,
    ("update", "finalize"): update,
    ("update", "scale"): scale,
    ("patch", ""): patch,
    ("patch", "status"): patch,
    ("patch", "scale"): scale,
    ("delete", ""): delete,
    ("deletecollection", ""): delete_collection,
}
REVIEWS = ("authorization.k8s.io", "authentication.k8s.io")


def write(store: Store, request: Request) -> Reply:
    """Carry out a request that may change something. Authorisation was decided before. Raises ApiStatus."""
    if request.resource.group in REVIEWS:
        return review(store, request)
    handler = HANDLERS.get((request.verb, request.subresource))
    if handler is None:
        raise method_not_allowed()
    return handler(store, request)
