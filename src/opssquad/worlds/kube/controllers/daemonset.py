"""The DaemonSet controller: a pod on each node that can have one, replaced one by one after a change."""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.status import ApiStatus
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds, naming, podspec
from opssquad.worlds.kube.controllers.admission import Admission
from opssquad.worlds.kube.controllers.meta import (
    controller_of,
    copy,
    is_active,
    is_deleted,
    is_ready,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    reference_to,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.controllers.scheduler import tolerates

COMPONENT = "daemonset-controller"
HASH = "controller-revision-hash"
RETRY = 10.0
"""Seconds until a refused creation is tried again; the real back-off grows to minutes."""
BORNE = {
    "not-ready": "NoExecute",
    "unreachable": "NoExecute",
    "disk-pressure": "NoSchedule",
    "memory-pressure": "NoSchedule",
    "pid-pressure": "NoSchedule",
    "unschedulable": "NoSchedule",
}
"""Taints below node.kubernetes.io/ that every pod of a DaemonSet tolerates."""


class DaemonSetController:
    """Keeps the pods of DaemonSets that were created or changed here; recorded ones stay as they are."""

    latency = 0.005

    def __init__(self, plane: Plane, admission: Admission) -> None:
        self._plane = plane
        self._admission = admission

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The DaemonSet itself, the owner of a pod, and all of them when a node has come or gone."""
        if change.resource == kinds.DAEMON_SETS:
            yield key_of(change.object)
        elif change.resource == kinds.PODS:
            owner = controller_of(change.object)
            if owner and owner["kind"] == "DaemonSet":
                yield namespace_of(change.object), owner["name"]
        elif change.resource == kinds.NODES and change.type != "MODIFIED":
            yield from map(key_of, self._plane.all(kinds.DAEMON_SETS))

    def sync(self, key: tuple[str, str]) -> None:
        """One look at a DaemonSet."""
        daemons = self._plane.get(kinds.DAEMON_SETS, *key)
        if daemons is None or is_deleted(daemons):
            return
        pods = [pod for pod in self._plane.owned(kinds.PODS, daemons) if is_active(pod)]
        nodes = [node for node in self._plane.all(kinds.NODES) if self._may_run(daemons, node)]
        if not nodes and not pods:
            return
        revision = self._revision(daemons)
        missing = [node for node in nodes if name_of(node) not in map(_node_of, pods)]
        for number, node in enumerate(missing):
            self._create(daemons, name_of(node), revision, number)
        if not missing:
            self._replace(daemons, pods, revision)
        self._write_status(daemons, pods, len(nodes), revision)

    def _may_run(self, daemons: Json, node: Json) -> bool:
        spec = daemons["spec"]["template"]["spec"]
        pod = {"spec": {"tolerations": [*(spec.get("tolerations") or ()), *_tolerations()]}}
        taints = node["spec"].get("taints") or ()
        closed = [taint for taint in taints if taint["effect"] in ("NoSchedule", "NoExecute")]
        fits = (spec.get("nodeSelector") or {}).items() <= labels_of(node).items()
        return fits and all(tolerates(pod, taint) for taint in closed)

    def _revision(self, daemons: Json) -> str:
        template = copy(daemons["spec"]["template"])
        known = self._plane.owned(kinds.REVISIONS, daemons)
        data = {"spec": {"template": {**template, "$patch": "replace"}}}
        number = max((revision["revision"] for revision in known), default=0) + 1
        if found := next((revision for revision in known if revision["data"] == data), None):
            if found["revision"] + 1 != number:
                # An earlier template that comes back gets a new number.
                self._plane.update(kinds.REVISIONS, {**copy(found), "revision": number})
            return str(labels_of(found).get(HASH) or name_of(found).rpartition("-")[2])
        suffix = naming.template_hash([template, daemons["metadata"]["uid"]])
        meta = {
            "name": f"{name_of(daemons)}-{suffix}",
            "namespace": namespace_of(daemons),
            "labels": {**(daemons["spec"]["selector"].get("matchLabels") or {}), HASH: suffix},
            "ownerReferences": [reference_to(daemons)],
        }
        self._plane.create(kinds.REVISIONS, {"metadata": meta, "data": data, "revision": number})
        return suffix

    def _create(self, daemons: Json, node: str, revision: str, number: int) -> None:
        prefix = f"{name_of(daemons)}-"
        name = prefix + naming.suffix(self._plane.seed, prefix, self._plane.store.revision, number)
        template = copy(daemons["spec"]["template"])
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels |= {HASH: revision, "pod-template-generation": str(daemons["metadata"]["generation"])}
        field = {"key": "metadata.name", "operator": "In", "values": [node]}
        required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
        tolerations = [*(template["spec"].get("tolerations") or ()), *_tolerations()]
        template["spec"] |= {"affinity": affinity, "tolerations": tolerations}
        try:
            pod = podspec.from_template(self._plane, daemons, template, name)
            self._admission.admit(pod)
        except ApiStatus as error:
            text = f"Error creating: {error.message}"
            self._plane.events.say(daemons, "FailedCreate", text, COMPONENT, warning=True)
            self._plane.kernel.look_in(RETRY, self, key_of(daemons))
            return
        pod["metadata"]["generateName"] = prefix
        self._plane.create(kinds.PODS, pod)
        self._plane.events.say(daemons, "SuccessfulCreate", f"Created pod: {name}", COMPONENT)

    def _replace(self, daemons: Json, pods: list[Json], revision: str) -> None:
        """One pod of an older revision at a time: a broken one first, the next when all others are ready."""
        if (daemons["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
            return
        old = sorted(
            (p for p in pods if labels_of(p).get(HASH, revision) != revision),
            key=lambda p: (is_ready(p), name_of(p)),
        )
        broken = [pod for pod in pods if not is_ready(pod) and labels_of(pod).get(HASH) == revision]
        if old and not broken:
            first = min(old, key=lambda pod: (is_ready(pod), name_of(pod)))
            self._plane.delete_pod(first)
            self._plane.events.say(daemons, "SuccessfulDelete", f"Deleted pod: {name_of(first)}", COMPONENT)

    def _write_status(self, daemons: Json, pods: list[Json], wanted: int, revision: str) -> None:
        ready = sum(map(is_ready, pods))
        numbers = {
            "currentNumberScheduled": sum(bool(pod["spec"].get("nodeName")) for pod in pods),
            "numberMisscheduled": 0,
            "desiredNumberScheduled": wanted,
            "numberReady": ready,
            "observedGeneration": daemons["metadata"].get("generation", 1),
            "updatedNumberScheduled": sum(labels_of(pod).get(HASH) == revision for pod in pods),
            "numberAvailable": ready,
            "numberUnavailable": wanted - ready,
        }
        shown = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
        status = {name: number for name, number in numbers.items() if number or name in shown}
        stored = self._plane.get(kinds.DAEMON_SETS, *key_of(daemons))
        if stored and status != status_of(stored):
            self._plane.update(kinds.DAEMON_SETS, {**copy(stored), "status": status}, subresource="status")


def _tolerations() -> list[Json]:
    lead = "node.kubernetes.io/"
    return [{"key": lead + key, "operator": "Exists", "effect": effect} for key, effect in BORNE.items()]


def _node_of(pod: Json) -> str:
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    fields = [f for term in required.get("nodeSelectorTerms") or () for f in term.get("matchFields") or ()]
    return str(pod["spec"].get("nodeName") or next((f["values"][0] for f in fields), ""))
