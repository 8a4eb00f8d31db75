"""Deleting objects: grace periods of pods, finalizers, propagation, preconditions, collections."""

from dataclasses import replace
from datetime import timedelta

from opssquad.times import parse_time, rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.apiserver import forms, selectors
from opssquad.worlds.kube.apiserver.admit.facts import facts
from opssquad.worlds.kube.apiserver.options import DeleteOptions, delete_options
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.apiserver.status import ApiStatus, not_found, refused, success
from opssquad.worlds.kube.apiserver.store import Store

POLICY_FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
IMMORTAL = ("default", "kube-public", "kube-system")
FINISHED = ("Succeeded", "Failed")


def delete(store: Store, request: Request) -> Reply:
    """DELETE of one object: it comes back if it stays for a while, else a Status does. Raises ApiStatus."""
    options = delete_options(request)
    namespace = request.namespace if request.resource.namespaced else ""
    obj = store.get(request.resource.key, namespace, request.name)
    if obj is None:
        raise not_found(request.resource, request.name)
    left, gone = delete_object(store, request.resource, obj, options)
    if gone and request.resource.qualified not in facts().returns_deleted:
        return Reply(200, success(request.resource, request.name, obj["metadata"].get("uid", "")))
    return Reply(200, forms.shown(left, request.resource))


def delete_collection(store: Store, request: Request) -> Reply:
    """DELETE of everything that the selectors choose; the list as it was before comes back."""
    options = delete_options(replace(request, query={**request.query}))
    chosen = selectors.selector(request.resource, request.query)
    found = store.list(request.resource.key, request.namespace)
    found = [obj for obj in found if chosen is None or chosen(obj)]
    metadata = {"resourceVersion": str(store.revision)}
    for obj in found:
        delete_object(store, request.resource, obj, options)
    items = [forms.item(obj, request.resource, builtin=True) for obj in found]
    kind, version = f"{request.resource.kind}List", request.resource.api_version
    return Reply(200, {"kind": kind, "apiVersion": version, "metadata": metadata, "items": items})


def delete_object(store: Store, resource: Resource, obj: Json, options: DeleteOptions) -> tuple[Json, bool]:
    """Delete one object; what is left of it (or its last state), and whether it is gone."""
    _check(resource, obj, options)
    if resource.qualified == "namespaces":
        return _end_namespace(store, resource, obj, options)
    marked = _marked(store, resource, obj, options)
    if marked is not None:
        return (marked if options.dry_run or marked is obj else store.put(resource.key, marked)), False
    last = _last(store, resource, obj)
    if options.dry_run:
        return last, True
    if last is not obj:
        store.put(resource.key, last)
    namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
    store.remove(resource.key, namespace, name)
    return {**last, "metadata": {**last["metadata"], "resourceVersion": str(store.revision)}}, True


def _check(resource: Resource, obj: Json, options: DeleteOptions) -> None:
    metadata = obj["metadata"]
    for asked, own, what, tail in (
        (
            options.uid,
            metadata.get("uid"),
            "UID",
            "The object might have been deleted and then recreated",
        ),
        (
            options.version,
            metadata.get("resourceVersion"),
            "ResourceVersion",
            "The object might have been modified",
        ),
    ):
        if asked and asked != own:
            why = f"the {what} in the precondition ({asked}) does not match the {what} in record ({own})"
            raise _kind_conflict(resource, metadata["name"], f"{why}. {tail}")


def _kind_conflict(resource: Resource, name: str, why: str) -> ApiStatus:
    """A 409 that names the kind, not the resource, as deletions do."""
    message = f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": {why}'
    details = {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.kind}
    return ApiStatus(409, "Conflict", message, details)


def _marked(store: Store, resource: Resource, obj: Json, options: DeleteOptions) -> Json | None:
    """The object as it stays behind, waiting for its grace period or finalizers; None if it can go."""
    metadata = obj["metadata"]
    finalizers = _finalizers(metadata.get("finalizers") or [], options.policy)
    grace = _grace(obj, options) if resource.qualified == "pods" else 0
    if metadata.get("deletionTimestamp"):
        return (
            _sooner(obj, grace)
            if grace < metadata.get("deletionGracePeriodSeconds", 0)
            else _still(obj, grace)
        )
    if not grace and not finalizers:
        return None
    return _deleting(store, obj, grace, finalizers)


def _finalizers(present: list[str], policy: str | None) -> list[str]:
    if policy is None:
        return present
    kept = [name for name in present if name not in POLICY_FINALIZERS.values()]
    return [*kept, POLICY_FINALIZERS[policy]] if policy in POLICY_FINALIZERS else kept


def _grace(pod: Json, options: DeleteOptions) -> int:
    """Seconds until a pod goes; one that runs nowhere or is finished goes at once."""
    spec = pod.get("spec", {})
    if not spec.get("nodeName") or pod.get("status", {}).get("phase") in FINISHED:
        return 0
    wanted = spec.get("terminationGracePeriodSeconds", 30) if options.grace is None else options.grace
    return 1 if wanted < 0 else int(wanted)


def _deleting(store: Store, obj: Json, grace: int, finalizers: list[str]) -> Json:
    metadata = dict(obj["metadata"])
    metadata["deletionTimestamp"] = rfc3339(store.now() + timedelta(seconds=grace))
    metadata["deletionGracePeriodSeconds"] = grace
    if metadata.get("generation"):
        metadata["generation"] += 1
    if finalizers:
        metadata["finalizers"] = finalizers
    return {**obj, "metadata": metadata}


def _sooner(obj: Json, grace: int) -> Json | None:
    """A second deletion with less grace moves the end forward."""
    metadata = dict(obj["metadata"])
    saved = metadata["deletionGracePeriodSeconds"] - grace
    end = parse_time(metadata["deletionTimestamp"]) - timedelta(seconds=saved)
    metadata |= {"deletionTimestamp": rfc3339(end), "deletionGracePeriodSeconds": grace}
    waits = grace or metadata.get("finalizers")
    return {**obj, "metadata": metadata} if waits else None


def _still(obj: Json, grace: int) -> Json | None:
    """A second deletion that asks for no less changes nothing."""
    waits = obj["metadata"].get("finalizers") or grace or obj["metadata"].get("deletionGracePeriodSeconds")
    return obj if waits else None


def _last(store: Store, resource: Resource, obj: Json) -> Json:
    """The last state of an object that goes at once: pods say when."""
    if resource.qualified != "pods":
        return obj
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        return _deleting(store, obj, 0, [])
    return _zeroed(obj)


def _zeroed(obj: Json) -> Json:
    metadata = dict(obj["metadata"])
    saved = metadata.get("deletionGracePeriodSeconds", 0)
    end = parse_time(metadata["deletionTimestamp"]) - timedelta(seconds=saved)
    metadata |= {"deletionTimestamp": rfc3339(end), "deletionGracePeriodSeconds": 0}
    return {**obj, "metadata": metadata}


def _end_namespace(store: Store, resource: Resource, obj: Json, options: DeleteOptions) -> tuple[Json, bool]:
    """A namespace goes to Terminating and stays until its content is gone; the system's own may not: 403."""
    if obj["metadata"]["name"] in IMMORTAL:
        raise refused(resource, obj["metadata"]["name"], "this namespace may not be deleted")
    if obj["metadata"].get("deletionTimestamp"):
        return obj, False
    ending = {
        **obj,
        "metadata": {**obj["metadata"], "deletionTimestamp": rfc3339(store.now())},
        "status": {**obj.get("status", {}), "phase": "Terminating"},
    }
    return (ending if options.dry_run else store.put(resource.key, ending)), False
