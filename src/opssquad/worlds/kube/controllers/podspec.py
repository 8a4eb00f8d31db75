"""A new pod from its owner's template. What admission adds is the API server's own code."""

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit.admission import admitted
from opssquad.worlds.kube.apiserver.resources import Resource, builtin
from opssquad.worlds.kube.controllers.meta import copy, namespace_of, reference_to
from opssquad.worlds.kube.controllers.plane import Plane


def pods() -> Resource:
    """The resource of pods."""
    found = builtin().of_kind("v1", "Pod")
    assert found is not None, "discovery always holds pods"
    return found


def from_template(plane: Plane, owner: Json, template: Json, name: str) -> Json:
    """A new pod for `owner`, not yet stored. Raises ApiStatus if admission refuses it."""
    inherited = copy(template.get("metadata") or {})
    meta: Json = {"name": name, "namespace": namespace_of(owner)}
    for field in ("labels", "annotations", "finalizers"):
        if inherited.get(field):
            meta[field] = inherited[field]
    meta["ownerReferences"] = [reference_to(owner)]
    spec = {"enableServiceLinks": True, **copy(template["spec"])}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}
    return admitted(plane.store, pods(), pod)
