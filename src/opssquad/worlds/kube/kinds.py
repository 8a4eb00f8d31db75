"""What a kind is called and where its API lives: built-in resources as a table, the rest by discovery.

Pure: asking the server for its discovery documents is done by the cluster handle.
"""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from opssquad.errors import ToolError
from opssquad.types import Json

# group/version  plural  Kind  short names; cluster-scoped kinds end with "*"
BUILTIN = """
v1 pods Pod po | v1 services Service svc | v1 configmaps ConfigMap cm | v1 secrets Secret
v1 events Event ev | v1 nodes Node* no | v1 namespaces Namespace* ns | v1 endpoints Endpoints ep
v1 serviceaccounts ServiceAccount sa | v1 persistentvolumeclaims PersistentVolumeClaim pvc
v1 persistentvolumes PersistentVolume* pv
v1 resourcequotas ResourceQuota quota | v1 limitranges LimitRange limits
v1 replicationcontrollers ReplicationController rc | v1 podtemplates PodTemplate
apps/v1 deployments Deployment deploy | apps/v1 replicasets ReplicaSet rs
apps/v1 statefulsets StatefulSet sts | apps/v1 daemonsets DaemonSet ds
apps/v1 controllerrevisions ControllerRevision
batch/v1 jobs Job | batch/v1 cronjobs CronJob cj
autoscaling/v2 horizontalpodautoscalers HorizontalPodAutoscaler hpa
policy/v1 poddisruptionbudgets PodDisruptionBudget pdb
networking.k8s.io/v1 ingresses Ingress ing | networking.k8s.io/v1 networkpolicies NetworkPolicy netpol
networking.k8s.io/v1 ingressclasses IngressClass* | discovery.k8s.io/v1 endpointslices EndpointSlice
events.k8s.io/v1 events Event ev | coordination.k8s.io/v1 leases Lease
storage.k8s.io/v1 storageclasses StorageClass* sc | scheduling.k8s.io/v1 priorityclasses PriorityClass* pc
rbac.authorization.k8s.io/v1 roles Role | rbac.authorization.k8s.io/v1 rolebindings RoleBinding
rbac.authorization.k8s.io/v1 clusterroles ClusterRole*
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding*
admissionregistration.k8s.io/v1 validatingwebhookconfigurations ValidatingWebhookConfiguration*
admissionregistration.k8s.io/v1 mutatingwebhookconfigurations MutatingWebhookConfiguration*
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition* crd crds
authorization.k8s.io/v1 selfsubjectaccessreviews SelfSubjectAccessReview*
metrics.k8s.io/v1beta1 pods PodMetrics | metrics.k8s.io/v1beta1 nodes NodeMetrics*
"""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds that keep pods running and replace them by a rollout."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API: the core group is ""; `short` are its short names."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """As objects carry it: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path; without namespace all namespaces, without name the collection.

        Raises ToolError for a name that would lead elsewhere: servers decode a slash before they route.
        """
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", _segment("a namespace", namespace)]
        parts += [self.plural, *([_segment(f"a {self.kind}", name)] if name else [])]
        parts += [subresource] if subresource else []
        return "/" + "/".join(quote(part, safe=":") for part in parts)

    def names(self) -> set[str]:
        """Everything an engineer may call it, in lower case, without group."""
        return {self.plural.lower(), self.kind.lower(), *map(str.lower, self.short)}


def _segment(what: str, name: str) -> str:
    """The name, if it can be one part of a path and nothing else. Raises ToolError."""
    if name in {".", ".."} or "/" in name or "%" in name or not name.isprintable():
        raise ToolError(
            f"{name!r} cannot be the name of {what}: no '/', no '%', nothing unprintable, no '..'"
        )
    return name


def _builtin() -> Iterator[Resource]:
    for entry in BUILTIN.replace("|", "\n").strip().splitlines():
        version, plural, kind, *short = entry.split()
        group, _, number = version.rpartition("/")
        yield Resource(group, number, plural, kind.rstrip("*"), not kind.endswith("*"), tuple(short))


KNOWN: tuple[Resource, ...] = tuple(_builtin())


def match(kind: str, group: str, known: Iterable[Resource]) -> Resource | None:
    """The first resource of that name: `Deployment`, `deploy`, `deployments.apps`, `apps/v1/Deployment`.

    A group in the name counts like `group`; the core group and earlier entries win, as in kubectl.
    """
    name, wanted = _split(kind)
    wanted = group or wanted
    for resource in known:
        if name in resource.names() and (not wanted or _in_group(resource, wanted)):
            return resource
    return None


def unknown(kind: str, known: Iterable[Resource], unread: Iterable[str] = ()) -> ToolError:
    """The error for a kind that the cluster does not serve, with the nearest ones; `unread` are the groups
    that did not say what they serve."""
    name, _ = _split(kind)
    kinds = {alias: r.kind for r in known for alias in r.names()}
    near = dict.fromkeys(kinds[alias] for alias in difflib.get_close_matches(name, kinds, n=3, cutoff=0.6))
    silent = f"; not known is what these serve, they do not answer: {', '.join(unread)}" if unread else ""
    return ToolError(f"the cluster serves no kind {kind!r}; nearest: {', '.join(near) or 'none'}{silent}")


def _split(kind: str) -> tuple[str, str]:
    text = kind.strip().lower()
    if "/" in text:
        group, _, name = text.rpartition("/")
        return name, group
    name, _, group = text.partition(".")
    return name, group


def _in_group(resource: Resource, wanted: str) -> bool:
    """`apps`, `v1.apps`, `apps/v1`, `v1` and an unambiguous beginning such as `metrics` all name a group."""
    versioned = f"{resource.version}.{resource.group}".rstrip(".")
    names = {resource.group, versioned, resource.api_version}
    return wanted in names or bool(resource.group) and resource.group.startswith(f"{wanted}.")


def discovered(documents: Iterable[Json]) -> list[Resource]:
    """The resources of aggregated discovery documents, core first, preferred versions first; what does not
    name itself is left out."""
    return [
        Resource(
            group=_name(_mapping(group.get("metadata")), "name"),
            version=_name(version, "version"),
            plural=_name(entry, "resource"),
            kind=_name(_mapping(entry.get("responseKind")), "kind"),
            namespaced=entry.get("scope") == "Namespaced",
            short=_short(entry, "singularResource"),
        )
        for document in documents
        for group in _mappings(document, "items")
        for version in _mappings(group, "versions")
        for entry in _mappings(version, "resources")
        if _name(version, "version") and _name(entry, "resource")
    ]


def stale(document: Json) -> list[str]:
    """Groups and versions of an aggregated discovery document whose own server does not answer."""
    return [
        f"{_name(_mapping(group.get('metadata')), 'name')}/{_name(version, 'version')}"
        for group in _mappings(document, "items")
        for version in _mappings(group, "versions")
        if version.get("freshness") == "Stale"
    ]


def listed(document: Json) -> list[Resource]:
    """The resources of one old-style APIResourceList; subresources are left out."""
    group, _, version = _name(document, "groupVersion").rpartition("/")
    return [
        Resource(
            group=group,
            version=version,
            plural=name,
            kind=_name(entry, "kind"),
            namespaced=entry.get("namespaced") is True,
            short=_short(entry, "singularName"),
        )
        for entry in _mappings(document, "resources")
        if (name := _name(entry, "name")) and "/" not in name
    ]


def versions(core: Json, named: Json) -> list[str]:
    """The paths of old-style discovery: of the core's versions, and of every group's preferred one."""
    cores = core.get("versions")
    preferred = (_mapping(group.get("preferredVersion")) for group in _mappings(named, "groups"))
    groups = [path for each in preferred if (path := _name(each, "groupVersion"))]
    return [f"/api/{v}" for v in (cores if isinstance(cores, list) else [])] + [f"/apis/{g}" for g in groups]


def _mappings(document: Json, key: str) -> list[Json]:
    found = document.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _name(document: Json, key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _short(entry: Json, singular: str) -> tuple[str, ...]:
    given = entry.get("shortNames")
    names = [*(given if isinstance(given, list) else []), entry.get(singular)]
    return tuple(name for name in names if isinstance(name, str) and name)
