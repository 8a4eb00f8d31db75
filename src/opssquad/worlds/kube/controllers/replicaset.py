"""The ReplicaSet controller: creates and deletes pods, counts them, and says when it cannot."""

from collections.abc import Iterable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.status import ApiStatus
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds, naming, podspec, ranking
from opssquad.worlds.kube.controllers.admission import QUOTA_WORDS, Admission
from opssquad.worlds.kube.controllers.deployment.progress import without
from opssquad.worlds.kube.controllers.meta import (
    condition,
    controller_of,
    copy,
    drop_zeros,
    is_active,
    is_available,
    is_deleted,
    is_finished,
    is_ready,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane

COMPONENT = "replicaset-controller"
RETRY = 10.0
"""Seconds until a refused creation is tried again; the real back-off grows to minutes."""
ECHO = 0.003
"""Seconds more until it sees what it has written itself, pods and status: others see that before."""
NO_REASON = frozenset({kinds.EVENTS, kinds.ENDPOINTS, kinds.SLICES, kinds.POD_METRICS})
"""What tells nothing of whether a pod may be created."""
KEPT = frozenset({"replicas", "terminatingReplicas", "observedGeneration"})


class ReplicaSetController:
    """Keeps the pods of ReplicaSets."""

    latency = 0.004

    def __init__(self, plane: Plane, admission: Admission) -> None:
        self._plane = plane
        self._admission = admission

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The ReplicaSet itself, the owner of a pod, and those that what has changed may have held back."""
        if change.resource == kinds.REPLICA_SETS:
            if change.type != "DELETED" and _is_observed(change.object):
                self._plane.kernel.look_in(ECHO, self, key_of(change.object))
            else:
                yield key_of(change.object)
        elif change.resource == kinds.PODS and (owner := controller_of(change.object)):
            key = (namespace_of(change.object), owner["name"])
            if owner["kind"] == "ReplicaSet" and change.type == "ADDED":
                self._plane.kernel.look_in(ECHO, self, key)
            elif owner["kind"] == "ReplicaSet":
                yield key
        elif change.resource == kinds.QUOTAS:
            self._retry_refused(self._plane.all(kinds.REPLICA_SETS, namespace_of(change.object)), True)
        elif change.resource not in NO_REASON:
            self._retry_refused(self._plane.all(kinds.REPLICA_SETS), False)

    def _retry_refused(self, among: Iterable[Json], by_quota: bool) -> None:
        """Try those again that were held back by a quota, or by anything else."""
        for replica_set in among:
            failure = condition(status_of(replica_set), "ReplicaFailure")
            if failure and (QUOTA_WORDS in failure["message"]) == by_quota:
                self._plane.kernel.look_in(RETRY / 2, self, key_of(replica_set))

    def sync(self, key: tuple[str, str]) -> None:
        """One look at a ReplicaSet."""
        replica_set = self._plane.get(kinds.REPLICA_SETS, *key)
        if replica_set is None:
            return
        pods = self._plane.owned(kinds.PODS, replica_set)
        refusal = None
        if not is_deleted(replica_set):
            refusal = self._manage(replica_set, [pod for pod in pods if is_active(pod)])
        self._write_status(replica_set, pods, refusal)
        if refusal:
            self._plane.kernel.look_in(RETRY, self, key)
        self._wait_for_availability(replica_set, pods)

    def _manage(self, replica_set: Json, active: list[Json]) -> ApiStatus | None:
        missing = replica_set["spec"].get("replicas", 1) - len(active)
        for number in range(missing):
            try:
                self._create(replica_set, number)
            except ApiStatus as error:
                message = f"Error creating: {error.message}"
                self._plane.events.say(replica_set, "FailedCreate", message, COMPONENT, warning=True)
                return error
        if missing < 0:
            order = ranking.first_to_go(active, self._related(replica_set), self._plane.now)
            for pod in order[:-missing]:
                self._plane.delete_pod(pod)
                message = f"Deleted pod: {name_of(pod)}"
                self._plane.events.say(replica_set, "SuccessfulDelete", message, COMPONENT)
        return None

    def _create(self, replica_set: Json, number: int) -> None:
        prefix = f"{name_of(replica_set)}-"
        name = prefix + naming.suffix(self._plane.seed, prefix, self._plane.store.revision, number)
        pod = podspec.from_template(self._plane, replica_set, replica_set["spec"]["template"], name)
        pod["metadata"]["generateName"] = prefix
        self._admission.admit(pod)
        self._plane.create(kinds.PODS, pod)
        self._plane.events.say(replica_set, "SuccessfulCreate", f"Created pod: {name}", COMPONENT)

    def _related(self, replica_set: Json) -> list[Json]:
        owner = controller_of(replica_set)
        family = [
            other
            for other in self._plane.all(kinds.REPLICA_SETS, namespace_of(replica_set))
            if owner and (theirs := controller_of(other)) and theirs["uid"] == owner["uid"]
        ]
        return [pod for rs in family or [replica_set] for pod in self._plane.owned(kinds.PODS, rs)]

    def _write_status(self, replica_set: Json, pods: list[Json], refusal: ApiStatus | None) -> None:
        active = [pod for pod in pods if is_active(pod)]
        wanted = (replica_set["spec"]["template"].get("metadata") or {}).get("labels") or {}
        waits = replica_set["spec"].get("minReadySeconds", 0)
        old = status_of(replica_set)
        status = drop_zeros(
            {
                "replicas": len(active),
                "fullyLabeledReplicas": sum(wanted.items() <= labels_of(pod).items() for pod in active),
                "readyReplicas": sum(is_ready(pod) for pod in active),
                "availableReplicas": sum(is_available(pod, waits, self._plane.now) for pod in active),
                "terminatingReplicas": sum(is_deleted(pod) and not is_finished(pod) for pod in pods),
                "observedGeneration": replica_set["metadata"]["generation"],
            },
            KEPT,
        )
        kept = without(old, "ReplicaFailure")["conditions"]
        failure = condition(old, "ReplicaFailure")
        if refusal and not failure:
            failure = {
                "type": "ReplicaFailure",
                "status": "True",
                "lastTransitionTime": self._plane.stamp,
                "reason": "FailedCreate",
                "message": refusal.message,
            }
        conditions = [*kept, *([failure] if refusal and failure else [])]
        if conditions:
            status["conditions"] = conditions
        current = self._plane.get(kinds.REPLICA_SETS, *key_of(replica_set))
        if current and status != old:
            changed = {**copy(current), "status": status}
            self._plane.update(kinds.REPLICA_SETS, changed, subresource="status")

    def _wait_for_availability(self, replica_set: Json, pods: list[Json]) -> None:
        waits = replica_set["spec"].get("minReadySeconds", 0)
        ready = [pod for pod in pods if is_active(pod) and is_ready(pod)]
        if waits and any(not is_available(pod, waits, self._plane.now) for pod in ready):
            self._plane.kernel.look_in(waits, self, key_of(replica_set))


def _is_observed(replica_set: Json) -> bool:
    """Whether its status answers its latest spec: then the change asks for nothing new."""
    return bool(status_of(replica_set).get("observedGeneration") == replica_set["metadata"].get("generation"))
