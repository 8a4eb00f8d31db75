"""What may not change once an object exists."""

from collections.abc import Callable, Iterator

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.status import Cause
from opssquad.worlds.kube.apiserver.validation.words import forbidden, invalid

IMMUTABLE = "field is immutable"
STATEFUL_FREE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
STATEFUL = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
CLAIM = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName "
    "for bound claims"
)
POD = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def _selector(before: Json, after: Json) -> Iterator[Cause]:
    old, new = before["spec"].get("selector"), after["spec"].get("selector")
    if old != new:
        yield invalid("spec.selector", new, IMMUTABLE)


def _stateful_set(before: Json, after: Json) -> Iterator[Cause]:
    def fixed(obj: Json) -> Json:
        return {key: value for key, value in obj["spec"].items() if key not in STATEFUL_FREE}

    if fixed(before) != fixed(after):
        yield forbidden("spec", STATEFUL)


def _job(before: Json, after: Json) -> Iterator[Cause]:
    old, new = before["spec"], after["spec"]
    for name in ("completions", "selector", "template", "completionMode"):
        if old.get(name) != new.get(name):
            yield invalid(f"spec.{name}", new.get(name), IMMUTABLE)


def _pod(before: Json, after: Json) -> Iterator[Cause]:
    if _fixed_pod(before) != _fixed_pod(after):
        yield forbidden("spec", POD)


def _fixed_pod(pod: Json) -> Json:
    free = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
    spec = {key: value for key, value in pod["spec"].items() if key not in free}
    for part in ("containers", "initContainers"):
        spec[part] = [{**c, "image": ""} for c in spec.get(part) or []]
    return spec


def _data(before: Json, after: Json) -> Iterator[Cause]:
    if not before.get("immutable"):
        return
    if not after.get("immutable"):
        yield forbidden("immutable", "field is immutable when `immutable` is set")
    for part in ("data", "binaryData"):
        if before.get(part) != after.get(part):
            yield forbidden(part, "field is immutable when `immutable` is set")


def _secret(before: Json, after: Json) -> Iterator[Cause]:
    if before.get("type") != after.get("type"):
        yield invalid("type", after.get("type"), IMMUTABLE)
    yield from _data(before, after)


def _service(before: Json, after: Json) -> Iterator[Cause]:
    old, new = before["spec"].get("clusterIPs"), after["spec"].get("clusterIPs")
    if old and old != new and after["spec"].get("type") != "ExternalName":
        yield invalid("spec.clusterIPs[0]", new, "may not change once set")


def _role_ref(before: Json, after: Json) -> Iterator[Cause]:
    if before.get("roleRef") != after.get("roleRef"):
        yield invalid("roleRef", after.get("roleRef"), "cannot change roleRef")


def _claim(before: Json, after: Json) -> Iterator[Cause]:
    def fixed(obj: Json) -> Json:
        return {k: v for k, v in obj["spec"].items() if k not in ("resources", "volumeAttributesClassName")}

    if before["spec"].get("volumeName") and fixed(before) != fixed(after):
        yield forbidden("spec", CLAIM)


CHECKS: dict[str, Callable[[Json, Json], Iterator[Cause]]] = {
    "pods": _pod,
    "deployments.apps": _selector,
    "replicasets.apps": _selector,
    "daemonsets.apps": _selector,
    "statefulsets.apps": _stateful_set,
    "jobs.batch": _job,
    "configmaps": _data,
    "secrets": _secret,
    "services": _service,
    "persistentvolumeclaims": _claim,
    "rolebindings.rbac.authorization.k8s.io": _role_ref,
    "clusterrolebindings.rbac.authorization.k8s.io": _role_ref,
}
