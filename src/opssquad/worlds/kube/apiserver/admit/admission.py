"""What the server adds to a new object after its manager was recorded: the namespace's life cycle, service
account and tolerations of pods, addresses of services, selectors of jobs. Quotas are in `quota`.
"""

from collections.abc import Callable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit import names
from opssquad.worlds.kube.apiserver.admit.limits import completed, limited
from opssquad.worlds.kube.apiserver.resources import Resource, ResourceKey
from opssquad.worlds.kube.apiserver.status import Cause, not_found, refused
from opssquad.worlds.kube.apiserver.store import Store

NAMESPACES = Resource("", "v1", "namespaces", "namespace", "Namespace", namespaced=False)
ACCOUNTS = ResourceKey("", "serviceaccounts")
PRIORITIES = ResourceKey("scheduling.k8s.io", "priorityclasses")
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
UNREACHABLE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def admit_namespace(store: Store, resource: Resource, namespace: str, name: str) -> None:
    """Refuse what is put into a namespace that is missing or going away. Raises ApiStatus 404 and 403."""
    if not namespace:
        return
    found = store.get(NAMESPACES.key, "", namespace)
    if found is None:
        raise not_found(NAMESPACES, namespace)
    if found["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        cause = Cause(
            "NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace"
        )
        raise refused(resource, name, why, [cause])


def admitted(store: Store, resource: Resource, obj: Json) -> Json:
    """The object with what admission adds to new ones."""
    change = CHANGES.get(resource.qualified)
    return change(store, resource, obj) if change else obj


def _pod(store: Store, resource: Resource, pod: Json) -> Json:
    spec = dict(pod["spec"])
    namespace, name = pod["metadata"].get("namespace", ""), pod["metadata"]["name"]
    account = spec.get("serviceAccountName") or "default"
    accounts = store.list(ACCOUNTS, namespace)
    found = store.get(ACCOUNTS, namespace, account)
    if accounts and found is None:
        why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        raise refused(resource, name, why)
    spec["serviceAccountName"] = spec["serviceAccount"] = account
    if _mounts_token(spec, found or {}):
        spec = _with_token(spec, f"kube-api-access-{names.suffix(store, 'token', namespace, name)}")
    spec["tolerations"] = _tolerations(spec.get("tolerations") or [])
    spec.update(_priority(store, resource, name, spec))
    pod = limited(store, resource, {**pod, "spec": spec})
    return {**pod, "status": {**pod.get("status", {}), "qosClass": qos_class(pod["spec"])}}


def _mounts_token(spec: Json, account: Json) -> bool:
    own = spec.get("automountServiceAccountToken")
    return bool(account.get("automountServiceAccountToken", True) if own is None else own)


def _with_token(spec: Json, name: str) -> Json:
    mount = {"name": name, "readOnly": True, "mountPath": TOKEN_PATH}
    out = dict(spec)
    for part in ("initContainers", "containers"):
        if out.get(part):
            out[part] = [_mounted(container, mount) for container in out[part]]
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [
                    {
                        "path": "namespace",
                        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                    }
                ]
            }
        },
    ]
    volume = {"name": name, "projected": {"sources": sources, "defaultMode": 420}}
    return {**out, "volumes": [*(out.get("volumes") or []), volume]}


def _mounted(container: Json, mount: Json) -> Json:
    mounts = container.get("volumeMounts") or []
    if any(m["mountPath"] == TOKEN_PATH for m in mounts):
        return container
    return {**container, "volumeMounts": [*mounts, mount]}


def _tolerations(given: list[Json]) -> list[Json]:
    out = list(given)
    for key in UNREACHABLE:
        if not any(t.get("key") in (None, "", key) and t.get("effect") in (None, "NoExecute") for t in given):
            out.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    return out


def _priority(store: Store, resource: Resource, pod: str, spec: Json) -> Json:
    classes = store.list(PRIORITIES)
    wanted = spec.get("priorityClassName")
    chosen = next(
        (c for c in classes if (c["metadata"]["name"] == wanted if wanted else c.get("globalDefault"))), None
    )
    if wanted and chosen is None and classes:
        raise refused(resource, pod, f"no PriorityClass with name {wanted} was found")
    found = {
        "priority": (chosen or {}).get("value", 0),
        "preemptionPolicy": (chosen or {}).get("preemptionPolicy", "PreemptLowerPriority"),
    }
    return {**found, "priorityClassName": chosen["metadata"]["name"]} if chosen else found


def qos_class(spec: Json) -> str:
    """BestEffort, Burstable or Guaranteed, from the resources of the containers."""
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    resources = [c.get("resources", {}) for c in containers]
    if not any(r.get("limits") or r.get("requests") for r in resources):
        return "BestEffort"
    guaranteed = all(
        set(r.get("limits", {})) >= {"cpu", "memory"} and r.get("requests", r["limits"]) == r["limits"]
        for r in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _service(store: Store, _: Resource, service: Json) -> Json:
    spec, metadata = dict(service["spec"]), service["metadata"]
    if spec.get("type") == "ExternalName":
        return service
    if not spec.get("clusterIP"):
        spec["clusterIP"] = names.cluster_ip(store, metadata.get("namespace", ""), metadata["name"])
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        spec["ports"] = [
            {
                **port,
                "nodePort": port.get("nodePort") or names.free_port(store, *_where(metadata), index),
            }
            for index, port in enumerate(spec.get("ports") or [])
        ]
    return {**service, "spec": spec}


def _where(metadata: Json) -> tuple[str, str]:
    return metadata.get("namespace", ""), metadata["name"]


def _job(_: Store, __: Resource, job: Json) -> Json:
    spec, metadata = dict(job["spec"]), dict(job["metadata"])
    if spec.get("manualSelector"):
        return job
    uid, name = metadata["uid"], metadata["name"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = dict(spec.get("template") or {})
    inner = dict(template.get("metadata") or {})
    inner["labels"] = {**inner.get("labels", {}), **labels}
    metadata["labels"] = {**metadata.get("labels", {}), **labels}
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    spec["template"] = {**template, "metadata": inner}
    return {**job, "metadata": metadata, "spec": spec}


def _namespace(_: Store, __: Resource, namespace: Json) -> Json:
    return {**namespace, "spec": {"finalizers": ["kubernetes"]}}


CHANGES: dict[str, Callable[[Store, Resource, Json], Json]] = {
    "pods": _pod,
    "services": _service,
    "jobs.batch": _job,
    "namespaces": _namespace,
    "limitranges": completed,
}
