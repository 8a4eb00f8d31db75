"""Replacing objects, and the last stretch that every change of an existing object goes through."""

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit.facts import facts, generation_moves, has_generation
from opssquad.worlds.kube.apiserver.bodies import read_body
from opssquad.worlds.kube.apiserver.fields.ownership import updated
from opssquad.worlds.kube.apiserver.objects import Writing, reply
from opssquad.worlds.kube.apiserver.options import write_options
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.status import bad_request, conflict, invalid, not_found
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.validation import update_causes

KEPT = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
IDENTITY = ("name", "namespace", "uid")
# Fields that a replacement may leave out: the server fills in what it gave out itself.
GIVEN = {
    "services": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"),
    "persistentvolumeclaims": ("volumeName",),
    "jobs.batch": ("selector",),
}


def update(store: Store, request: Request) -> Reply:
    """PUT of an object or its status. Raises ApiStatus."""
    writing = Writing(store, request, write_options(request))
    body = read_body(request, writing.expected, writing.options.validation)
    check_identity(writing, body.obj)
    before = writing.found()
    if before is None:
        raise not_found(request.resource, request.name)
    after = writing.defaulted(_filled(writing, before, body.obj))
    return reply(200, change(writing, before, owned(writing, before, after)), body.warnings)


def check_identity(writing: Writing, obj: Json) -> None:
    """Refuse an object of another name or namespace than the URL says. Raises ApiStatus 400."""
    metadata, request = obj.get("metadata") or {}, writing.request
    name, namespace = metadata.get("name", ""), metadata.get("namespace", "")
    if name and name != request.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({request.name})"
        )
    if namespace and namespace != writing.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def owned(writing: Writing, before: Json, after: Json) -> Json:
    """The new object with its managers after a plain update."""
    own = updated(before, after, writing.kind, writing.writer(writing.request.subresource))
    return with_managers(after, own)


def with_managers(obj: Json, managers: list[Json]) -> Json:
    """The object with this `managedFields`."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": {**metadata, "managedFields": managers} if managers else metadata}


def change(writing: Writing, before: Json, after: Json) -> Json:
    """From one object to another: what the server keeps is kept, generation moves, the result is validated
    and stored. Raises ApiStatus 409 and 422.
    """
    resource, name = writing.resource, writing.request.name
    asked = after["metadata"].get("resourceVersion", "")
    if asked not in ("", "0", before["metadata"].get("resourceVersion")):
        raise conflict(resource, name)
    after = _kept(writing, before, after)
    if causes := list(update_causes(resource, writing.stored(before), writing.stored(after))):
        raise invalid(resource.kind, resource.group, name, causes)
    if generation_moves(resource, before, after, custom=writing.kind is None) and _counts(writing, before):
        after["metadata"]["generation"] = before["metadata"].get("generation", 0) + 1
    after = writing.canonical(after)
    if _released(after):
        return _gone(writing, after)
    return before if _same(before, after) else writing.keep(after)


def _counts(writing: Writing, before: Json) -> bool:
    custom = writing.kind is None
    return has_generation(writing.resource, custom) and (not custom or "generation" in before["metadata"])


def _filled(writing: Writing, before: Json, obj: Json) -> Json:
    """A replacement with what it may leave out."""
    given = GIVEN.get(writing.resource.qualified, ())
    old = {key: before["spec"][key] for key in given if key in before.get("spec", {})}
    return {**obj, "spec": {**old, **(obj.get("spec") or {})}} if old else obj


def _kept(writing: Writing, before: Json, after: Json) -> Json:
    """With the parts that this endpoint does not write as they were."""
    metadata = {key: value for key, value in after["metadata"].items() if key not in KEPT}
    for key in IDENTITY:
        if key in before["metadata"]:
            metadata[key] = metadata.get(key) or before["metadata"][key]
    metadata |= {key: before["metadata"][key] for key in KEPT if key in before["metadata"]}
    metadata["resourceVersion"] = before["metadata"].get("resourceVersion")
    if writing.request.subresource == "status":
        free = ("annotations", "managedFields")
        fixed = {key: value for key, value in before["metadata"].items() if key not in free}
        fixed |= {key: metadata[key] for key in free if key in metadata}
        return {**before, "metadata": fixed, "status": after.get("status", {})}
    custom = writing.kind is None and "status" in writing.resource.subresources
    out = {**after, "metadata": metadata}
    if writing.resource.qualified in facts().status or custom:
        out.pop("status", None)
        if "status" in before:
            out["status"] = before["status"]
    return out


def _same(before: Json, after: Json) -> bool:
    """Whether nothing changed, the time of ownership aside."""

    def timeless(obj: Json) -> Json:
        managers = [{**m, "time": ""} for m in obj["metadata"].get("managedFields") or []]
        return {**obj, "metadata": {**obj["metadata"], "managedFields": managers}}

    return timeless(before) == timeless(after)


def _released(obj: Json) -> bool:
    """Whether an object that is being deleted has lost its last finalizer."""
    metadata = obj["metadata"]
    waiting = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
    spec = obj.get("spec") or {}
    held = obj["kind"] == "Namespace" and spec.get("finalizers")
    return bool(metadata.get("deletionTimestamp")) and not waiting and not held


def _gone(writing: Writing, obj: Json) -> Json:
    if not writing.options.dry_run:
        writing.store.remove(writing.resource.key, writing.namespace, writing.request.name)
    return obj
