"""Creating objects."""

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit import names
from opssquad.worlds.kube.apiserver.admit.admission import admit_namespace, admitted
from opssquad.worlds.kube.apiserver.admit.facts import facts, has_generation
from opssquad.worlds.kube.apiserver.admit.quota import charge
from opssquad.worlds.kube.apiserver.bodies import read_body
from opssquad.worlds.kube.apiserver.fields.managers import entries
from opssquad.worlds.kube.apiserver.fields.ownership import applied, updated
from opssquad.worlds.kube.apiserver.objects import Writing, reply
from opssquad.worlds.kube.apiserver.options import write_options
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.status import already_exists, bad_request, internal, invalid
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.validation import create_causes


def create(store: Store, request: Request) -> Reply:
    """POST to a collection. Raises ApiStatus."""
    writing = Writing(store, request, write_options(request))
    body = read_body(request, writing.expected, writing.options.validation)
    return reply(201, create_object(writing, body.obj), body.warnings)


def create_object(writing: Writing, obj: Json, apply: bool = False) -> Json:
    """Carry a new object through defaults, ownership, admission and validation into the store."""
    request, resource = writing.request, writing.resource
    given = obj.get("metadata", {}).get("namespace", "")
    if given and given != request.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    obj = _owned(writing, writing.defaulted(obj), obj if apply else None)
    obj = _identified(writing, obj)
    metadata = obj["metadata"]
    admit_namespace(writing.store, resource, writing.namespace, metadata.get("name", ""))
    obj = _begun(writing, obj)
    if causes := list(create_causes(resource, writing.stored(obj))):
        raise invalid(resource.kind, resource.group, metadata.get("name", ""), causes)
    obj = writing.canonical(admitted(writing.store, resource, obj))
    charge(writing.store, resource, obj, writing.options.dry_run)
    if metadata.get("resourceVersion"):
        raise internal("resourceVersion should not be set on objects to be created")
    if writing.store.get(resource.key, writing.namespace, metadata["name"]):
        raise already_exists(resource, metadata["name"])
    return writing.keep(obj)


def _owned(writing: Writing, obj: Json, config: Json | None) -> Json:
    """With the entry of the manager who creates it; of an applied configuration only what it says."""
    if config is not None:
        _, managers = applied(writing.blank(), config, writing.kind, writing.writer(), force=True)
        own = entries(managers)
    else:
        own = updated(writing.blank(), obj, writing.kind, writing.writer())
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": {**metadata, "managedFields": own} if own else metadata}


def _identified(writing: Writing, obj: Json) -> Json:
    """With name, namespace, uid and birth."""
    store, resource, namespace = writing.store, writing.resource, writing.namespace
    metadata = {k: v for k, v in obj["metadata"].items() if k not in ("deletionTimestamp", "selfLink")}
    prefix = metadata.get("generateName", "")
    if prefix and not metadata.get("name"):
        metadata["name"] = prefix + names.suffix(store, resource.qualified, namespace, prefix)
    if namespace:
        metadata["namespace"] = namespace
    metadata["uid"] = names.uid(store, resource.qualified, namespace, metadata.get("name", ""))
    metadata["creationTimestamp"] = writing.now
    if has_generation(resource, custom=writing.kind is None):
        metadata["generation"] = 1
    return {**obj, "metadata": metadata}


def _begun(writing: Writing, obj: Json) -> Json:
    """Without the status that a client may have sent."""
    status = facts().status.get(writing.resource.qualified)
    if status is None and not (writing.kind is None and "status" in writing.resource.subresources):
        return obj
    kept = {key: value for key, value in obj.items() if key != "status"}
    return {**kept, "status": dict(status)} if status else kept
