"""From a call to its answer: understands the path, asks who may, and hands on to whoever answers.

Synchronous, so that a journal can be played again without a server. Watches and followed logs come back as
streams that have not begun yet.
"""

from collections.abc import Mapping
from dataclasses import replace

from opssquad.worlds.kube.apiserver import discovery, logs, openapi, paths, reads, watch
from opssquad.worlds.kube.apiserver.access.impersonation import acting_user
from opssquad.worlds.kube.apiserver.access.rbac import Act, authorize
from opssquad.worlds.kube.apiserver.request import Call, Reply, Request, Stream
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.apiserver.route import Route, route, split
from opssquad.worlds.kube.apiserver.status import (
    ApiStatus,
    bad_request,
    forbidden,
    forbidden_path,
    method_not_allowed,
    no_such_resource,
)
from opssquad.worlds.kube.apiserver.world import ServedWorld
from opssquad.worlds.kube.apiserver.writes import REVIEWS, write

PAGE_NOT_FOUND = Reply(404, "404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
# Subresources that turn a request into a connection of another kind; nothing stands behind them here.
CONNECTS = ("exec", "attach", "portforward", "proxy")
NOT_RUNNING = (
    "no {} to a {} of a recorded cluster: no container runs there; logs, events and metrics can be read"
)
DEPRECATED = {
    "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+",
}
READS = ("get", "list", "watch")


def answer(world: ServedWorld, call: Call) -> Reply | Stream:
    """The answer to one call; every failure that the API knows is a Reply, too."""
    try:
        return _answer(world, call)
    except ApiStatus as failure:
        return failure.reply()


def _answer(world: ServedWorld, call: Call) -> Reply | Stream:
    call = replace(call, user=acting_user(world.store, call))
    path, query = split(call.target)
    found = route(call.method, path, query)
    if found is None:
        return _other_path(world, call, path, query)
    resource = world.resources.lookup(found.group, found.version, found.plural)
    request = Request(
        verb=found.verb,
        resource=resource or _unknown(found),
        namespace=found.namespace,
        name=found.name,
        subresource=found.subresource,
        query=query,
        headers=call.headers,
        body=call.body,
        user=call.user,
    )
    if not authorize(world.store, call.user, Act.of(request)).allowed:
        raise forbidden(request)
    if resource is None:
        if world.resources.versions(found.group):
            raise no_such_resource()
        return PAGE_NOT_FOUND
    _check_method(call, request)
    if request.verb in READS or request.subresource in CONNECTS:
        return _warned(resource, _read(world, request))
    if resource.group not in REVIEWS:  # a review asks and changes nothing
        world.before_write(call)
    return write(world.store, request)


def _read(world: ServedWorld, request: Request) -> Reply | Stream:
    if request.subresource == "log":
        return logs.read(world.store, world.logs, request)
    if request.subresource in CONNECTS:
        reads.stored_object(world.store, request)
        if request.subresource == "proxy" or "upgrade" in request.headers:
            raise bad_request(NOT_RUNNING.format(request.subresource, request.resource.kind.lower()))
        raise bad_request("Upgrade request required")
    match request.verb:
        case "list":
            return reads.list_(world.store, request)
        case "watch":
            return watch.start(world.store, request)
    return reads.get(world.store, request)


def _warned(resource: Resource, reply: Reply | Stream) -> Reply | Stream:
    """With a warning where the resource is deprecated."""
    said = DEPRECATED.get(resource.qualified)
    if said is None:
        return reply
    return replace(reply, headers={**reply.headers, "Warning": f'299 - "{said}"'})


def _check_method(call: Call, request: Request) -> None:
    """404 for a subresource that is not there, 405 for a verb that the resource does not have."""
    resource = request.resource
    if not request.subresource:
        verbs = resource.verbs
        misplaced = (call.method == "POST" and request.name) or (
            call.method in ("PUT", "PATCH") and not request.name
        )
    else:
        if request.subresource not in resource.subresources:
            raise no_such_resource()
        verbs, misplaced = resource.subresources[request.subresource].verbs, False
    if request.verb not in verbs or misplaced:
        raise method_not_allowed()


def _other_path(world: ServedWorld, call: Call, path: str, query: Mapping[str, str]) -> Reply:
    verb = call.method.lower()
    if not authorize(world.store, call.user, Act(verb, path=path)).allowed:
        raise forbidden_path(call.user, verb, path)
    if call.method not in ("GET", "HEAD"):
        raise method_not_allowed()
    accept = call.headers.get("accept", "")
    found = paths.answer(world, path, query)
    if found is None and path.startswith("/api"):
        found = discovery.answer(world.resources, path, accept)
    if found is None and path.startswith(openapi.ROOT):
        found = openapi.answer(world.resources, path, query)
    return found or PAGE_NOT_FOUND


def _unknown(found: Route) -> Resource:
    """A resource that is not there, for messages about it."""
    return Resource(found.group, found.version, found.plural, "", "", bool(found.namespace))
