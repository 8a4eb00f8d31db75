"""The scale subresource: written through Scale, kept in `spec.replicas` of the workload."""

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import forms
from opssquad.worlds.kube.apiserver.bodies import Expected, read_body
from opssquad.worlds.kube.apiserver.fields.ownership import updated
from opssquad.worlds.kube.apiserver.objects import Writing, reply
from opssquad.worlds.kube.apiserver.options import write_options
from opssquad.worlds.kube.apiserver.patching import patched
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.status import conflict, invalid, not_found
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.schema import schema
from opssquad.worlds.kube.apiserver.update import change, check_identity, with_managers
from opssquad.worlds.kube.apiserver.validation.words import not_negative


def scale(store: Store, request: Request) -> Reply:
    """PUT or PATCH of a Scale. Raises ApiStatus."""
    writing = Writing(store, request, write_options(request))
    before = writing.found()
    if before is None:
        raise not_found(request.resource, request.name)
    wanted, warnings = _wanted(writing, forms.scale(before))
    check_identity(writing, wanted)
    asked = wanted["metadata"].get("resourceVersion", "")
    if asked not in ("", before["metadata"]["resourceVersion"]):
        raise conflict(request.resource, request.name)
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if causes := list(not_negative("spec.replicas", replicas)):
        raise invalid("Scale", "autoscaling", request.name, causes)
    after = {**before, "spec": {**before["spec"], "replicas": replicas}}
    own = updated(before, after, writing.kind, writing.writer("scale"))
    return reply(200, forms.scale(change(writing, before, with_managers(after, own))), warnings)


def _wanted(writing: Writing, current: Json) -> tuple[Json, list[str]]:
    kind = schema().kind("autoscaling/v1", "Scale")
    if writing.request.verb == "patch":
        return patched(writing, current, kind)
    body = read_body(writing.request, Expected("autoscaling/v1", "Scale", kind), writing.options.validation)
    return body.obj, body.warnings
