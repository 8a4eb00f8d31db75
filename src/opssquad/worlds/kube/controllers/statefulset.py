"""The StatefulSet controller: ordered pods, rolling restart from the highest ordinal, scaling, revisions."""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.status import ApiStatus
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds, naming, podspec
from opssquad.worlds.kube.controllers.admission import Admission
from opssquad.worlds.kube.controllers.meta import (
    controller_of,
    copy,
    drop_zeros,
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
from opssquad.worlds.kube.controllers.volumes import class_of

COMPONENT = "statefulset-controller"
HASH = "controller-revision-hash"
RETRY = 10.0
"""Seconds until a refused creation is tried again; the real back-off grows to minutes."""
KEPT = frozenset({"observedGeneration", "replicas", "availableReplicas"})


class StatefulSetController:
    """Keeps the pods of StatefulSets, one step at a time."""

    latency = 0.006

    def __init__(self, plane: Plane, admission: Admission) -> None:
        self._plane = plane
        self._admission = admission

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The StatefulSet itself, and the owner of a pod."""
        if change.resource == kinds.STATEFUL_SETS:
            yield key_of(change.object)
        elif change.resource == kinds.PODS:
            owner = controller_of(change.object)
            if owner and owner["kind"] == "StatefulSet":
                yield namespace_of(change.object), owner["name"]

    def sync(self, key: tuple[str, str]) -> None:
        """One look at a StatefulSet: the revision, one step, the status."""
        stateful = self._plane.get(kinds.STATEFUL_SETS, *key)
        if stateful is None or is_deleted(stateful):
            return
        update = self._revision(stateful)
        current = status_of(stateful).get("currentRevision") or name_of(update)
        pods = {_ordinal(pod): pod for pod in self._plane.owned(kinds.PODS, stateful)}
        self._step(stateful, pods, name_of(update))
        self._write_status(stateful, list(pods.values()), current, name_of(update))

    def _revision(self, stateful: Json) -> Json:
        """The ControllerRevision of the template; a new one, or the one that had it before."""
        template = copy(stateful["spec"]["template"])
        data = {"spec": {"template": {**template, "$patch": "replace"}}}
        known = self._plane.owned(kinds.REVISIONS, stateful)
        number = max((revision["revision"] for revision in known), default=0) + 1
        for revision in known:
            if _template_of(revision) == template:
                if revision["revision"] + 1 == number:
                    return dict(revision)
                # An earlier template that comes back gets a new number.
                return self._plane.update(kinds.REVISIONS, {**copy(revision), "revision": number})
        suffix = naming.template_hash([template, stateful["metadata"]["uid"]])
        meta = {
            "name": f"{name_of(stateful)}-{suffix}",
            "namespace": namespace_of(stateful),
            "labels": {
                **(stateful["spec"]["selector"].get("matchLabels") or {}),
                "controller.kubernetes.io/hash": suffix,
            },
            "ownerReferences": [reference_to(stateful)],
        }
        return self._plane.create(kinds.REVISIONS, {"metadata": meta, "data": data, "revision": number})

    def _step(self, stateful: Json, pods: dict[int, Json], update: str) -> None:
        wanted = stateful["spec"].get("replicas", 1)
        parallel = stateful["spec"].get("podManagementPolicy") == "Parallel"
        for ordinal in range(wanted):
            pod = pods.get(ordinal)
            if pod is None:
                self._create(stateful, ordinal, update)
            # In order, a pod that is not ready holds up everything, also the update that would replace it.
            if not parallel and (pod is None or is_deleted(pod) or not is_ready(pod)):
                return
        for ordinal in sorted((o for o in pods if o >= wanted), reverse=True):
            self._delete(stateful, pods[ordinal])
            return
        self._update(stateful, pods, update)

    def _update(self, stateful: Json, pods: dict[int, Json], update: str) -> None:
        strategy = stateful["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for ordinal in sorted((o for o in pods if o >= partition), reverse=True):
            pod = pods[ordinal]
            if labels_of(pod).get(HASH) != update and not is_deleted(pod):
                self._delete(stateful, pod)
                return
            if is_deleted(pod) or not is_ready(pod):
                return

    def _create(self, stateful: Json, ordinal: int, revision: str) -> None:
        name = f"{name_of(stateful)}-{ordinal}"
        template = copy(stateful["spec"]["template"])
        meta = template.setdefault("metadata", {})
        meta["labels"] = {
            **(meta.get("labels") or {}),
            "apps.kubernetes.io/pod-index": str(ordinal),
            HASH: revision,
            "statefulset.kubernetes.io/pod-name": name,
        }
        spec = template["spec"]
        spec["hostname"] = name
        if stateful["spec"].get("serviceName"):
            spec["subdomain"] = stateful["spec"]["serviceName"]
        claims = [
            self._claim(stateful, claim, name) for claim in stateful["spec"].get("volumeClaimTemplates") or ()
        ]
        spec["volumes"] = [*claims, *spec.get("volumes", ())]
        if not spec["volumes"]:
            del spec["volumes"]
        try:
            pod = podspec.from_template(self._plane, stateful, template, name)
            self._admission.judge(pod)
        except ApiStatus as error:
            text = f"create Pod {name} in StatefulSet {name_of(stateful)} failed error: {error.message}"
            self._plane.events.say(stateful, "FailedCreate", text, COMPONENT, warning=True)
            self._plane.kernel.look_in(RETRY, self, key_of(stateful))
            return
        pod["metadata"]["generateName"] = f"{name_of(stateful)}-"
        self._plane.create(kinds.PODS, pod)
        text = f"Create Pod {name} in StatefulSet {name_of(stateful)} successful"
        self._plane.events.say(stateful, "SuccessfulCreate", text, COMPONENT)

    def _claim(self, stateful: Json, template: Json, pod: str) -> Json:
        """The volume of a claim; the claim itself if there is none yet, bound if its class is there."""
        name = f"{name_of(template)}-{pod}"
        volume = {"name": name_of(template), "persistentVolumeClaim": {"claimName": name}}
        if self._plane.get(kinds.CLAIMS, namespace_of(stateful), name):
            return volume
        labels = stateful["spec"]["selector"].get("matchLabels") or {}
        meta = {"name": name, "namespace": namespace_of(stateful), "labels": dict(labels)}
        spec = copy(template["spec"])
        capacity = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")
        status = {"phase": "Bound", "accessModes": spec.get("accessModes"), "capacity": {"storage": capacity}}
        if self._plane.all(kinds.STORAGE_CLASSES) and not class_of(self._plane, spec):
            status = {"phase": "Pending"}
        else:
            spec["volumeName"] = f"pvc-{naming.uid(self._plane.seed, name)}"
        self._plane.create(kinds.CLAIMS, {"metadata": meta, "spec": spec, "status": status})
        text = f"Create Claim {name} Pod {pod} in StatefulSet {name_of(stateful)} success"
        self._plane.events.say(stateful, "SuccessfulCreate", text, COMPONENT)
        return volume

    def _delete(self, stateful: Json, pod: Json) -> None:
        if is_deleted(pod):
            return
        self._plane.delete_pod(pod)
        text = f"Delete Pod {name_of(pod)} in StatefulSet {name_of(stateful)} successful"
        self._plane.events.say(stateful, "SuccessfulDelete", text, COMPONENT)

    def _write_status(self, stateful: Json, pods: list[Json], current: str, update: str) -> None:
        wanted = stateful["spec"].get("replicas", 1)
        staying = [pod for pod in pods if not is_deleted(pod)]
        ready = [pod for pod in pods if is_ready(pod)]
        new = [pod for pod in staying if labels_of(pod).get(HASH) == update]
        done = len(new) == len(pods) == wanted and all(is_ready(pod) for pod in new)
        if done:
            current = update
        old = status_of(stateful)
        numbers = {
            "observedGeneration": stateful["metadata"].get("generation", 1),
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "currentReplicas": sum(labels_of(pod).get(HASH) == current for pod in staying),
            "updatedReplicas": len(new),
            "availableReplicas": len(ready),
        }
        kept = {k: v for k, v in old.items() if k in ("conditions", "collisionCount")}
        status = {**drop_zeros(numbers, KEPT), "currentRevision": current, "updateRevision": update, **kept}
        stored = self._plane.get(kinds.STATEFUL_SETS, *key_of(stateful))
        if stored and status != old:
            self._plane.update(kinds.STATEFUL_SETS, {**copy(stored), "status": status}, subresource="status")


def _template_of(revision: Json) -> Json:
    template = (revision.get("data") or {}).get("spec", {}).get("template") or {}
    return {key: value for key, value in template.items() if key != "$patch"}


def _ordinal(pod: Json) -> int:
    return int(name_of(pod).rpartition("-")[2])
