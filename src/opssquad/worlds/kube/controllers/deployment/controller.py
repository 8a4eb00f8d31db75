"""What the Deployment controller does when a Deployment or one of its ReplicaSets has changed.

The decisions are in `sizes`, `revisions` and `progress`; here they are written, in the real order.
A status is computed from the ReplicaSets as they were when the look began.
"""

from collections.abc import Iterable
from datetime import timedelta

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.store import Change
from opssquad.worlds.kube.controllers import kinds, naming
from opssquad.worlds.kube.controllers.deployment import progress, revisions, sizes
from opssquad.worlds.kube.controllers.meta import (
    annotations_of,
    condition,
    controller_of,
    copy,
    is_deleted,
    is_finished,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    reference_to,
    status_of,
)
from opssquad.worlds.kube.controllers.plane import Plane

COMPONENT = "deployment-controller"


class DeploymentController:
    """Keeps the ReplicaSets of Deployments."""

    latency = 0.005

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        # A ReplicaSet that was deleted comes back under its name, which cannot be computed from the JSON.
        self._hashes = {
            (owner["uid"], naming.digest(revisions.plain(rs["spec"]["template"]))): labels_of(rs)[
                revisions.HASH
            ]
            for rs in plane.all(kinds.REPLICA_SETS)
            if (owner := controller_of(rs)) and revisions.HASH in labels_of(rs)
        }
        for deployment in plane.all(kinds.DEPLOYMENTS):
            self._watch_deadline(deployment)

    def concerns(self, change: Change) -> Iterable[tuple[str, str]]:
        """The Deployment itself, the owner of a ReplicaSet, and for Recreate the owner of a pod that went."""
        if change.resource == kinds.DEPLOYMENTS:
            yield key_of(change.object)
        elif change.resource == kinds.REPLICA_SETS and (owner := controller_of(change.object)):
            yield namespace_of(change.object), owner["name"]
        elif change.resource == kinds.PODS and change.type == "DELETED":
            yield from self._recreating(change.object)

    def _recreating(self, pod: Json) -> Iterable[tuple[str, str]]:
        owner = controller_of(pod)
        replica_set = owner and self._plane.get(kinds.REPLICA_SETS, namespace_of(pod), owner["name"])
        parent = controller_of(replica_set) if replica_set else None
        deployment = parent and self._plane.get(kinds.DEPLOYMENTS, namespace_of(pod), parent["name"])
        if deployment and not sizes.is_rolling(deployment):
            yield key_of(deployment)

    def sync(self, key: tuple[str, str]) -> None:
        """One look at a Deployment."""
        deployment = self._plane.get(kinds.DEPLOYMENTS, *key)
        if deployment is None:
            return
        owned = self._plane.owned(kinds.REPLICA_SETS, deployment)
        if is_deleted(deployment):
            self._write_counts(deployment, owned, revisions.current(deployment, owned))
            return
        if self._note_pause(deployment):
            return
        current = revisions.current(deployment, owned)
        if current and self._renumber(deployment, owned, current):
            return
        if deployment["spec"].get("paused") or self._was_scaled(deployment, owned):
            self._scale(deployment, owned, current)
        elif sizes.is_rolling(deployment):
            self._roll(deployment, owned, current)
        else:
            self._recreate(deployment, owned, current)

    def _note_pause(self, deployment: Json) -> bool:
        """Records that a rollout was paused or resumed; says whether that was a write."""
        found = condition(status_of(deployment), "Progressing")
        if not progress.has_deadline(deployment) or (found and found["reason"] == progress.FAILED):
            return False
        paused, noted = (
            bool(deployment["spec"].get("paused")),
            bool(found and found["reason"] == progress.PAUSED),
        )
        if paused == noted:
            return False
        reason, word = (progress.PAUSED, "paused") if paused else (progress.RESUMED, "resumed")
        new = progress.make("Progressing", "Unknown", reason, f"Deployment is {word}", self._plane.now)
        self._write(deployment, progress.with_condition(status_of(deployment), new))
        return True

    @staticmethod
    def _was_scaled(deployment: Json, owned: list[Json]) -> bool:
        wanted = str(deployment["spec"]["replicas"])
        notes = [annotations_of(rs).get(revisions.DESIRED) for rs in owned if sizes.size(rs)]
        return any(note is not None and note != wanted for note in notes)

    def _renumber(self, deployment: Json, owned: list[Json], current: Json) -> bool:
        """Brings the current ReplicaSet's annotations up to date, then the Deployment's revision."""
        revision = max((revisions.revision_of(rs) for rs in owned if rs is not current), default=0) + 1
        changed = revisions.annotated(deployment, current, revision, exists=True)
        waits = deployment["spec"].get("minReadySeconds", 0)
        if changed["spec"].get("minReadySeconds", 0) != waits:
            changed["spec"]["minReadySeconds"] = waits
        if changed != current:
            self._plane.update(kinds.REPLICA_SETS, changed)
            self._plane.kernel.look(self, key_of(deployment))
            return True
        status = status_of(deployment)
        if progress.has_deadline(deployment) and not condition(status, "Progressing"):
            message = f'Found new replica set "{name_of(current)}"'
            found = progress.make("Progressing", "True", "FoundNewReplicaSet", message, self._plane.now)
            status = progress.with_condition(status, found)
        return self._write(deployment, status, annotations_of(current).get(revisions.REVISION))

    def _hash(self, deployment: Json, template: Json) -> str:
        plain, uid = revisions.plain(template), deployment["metadata"]["uid"]
        collisions = status_of(deployment).get("collisionCount", 0)
        known = self._hashes.get((uid, naming.digest(plain)))
        return known or naming.template_hash([plain, uid], collisions)

    def _create(self, deployment: Json, owned: list[Json]) -> None:
        """The ReplicaSet of a template that has none yet, then revision and NewReplicaSetCreated."""
        template = copy(deployment["spec"]["template"])
        suffix = self._hash(deployment, template)
        meta = template.setdefault("metadata", {})
        meta["labels"] = {**(meta.get("labels") or {}), revisions.HASH: suffix}
        selector = copy(deployment["spec"]["selector"])
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), revisions.HASH: suffix}
        size = sizes.new_size(deployment, owned, 0)
        spec = {"replicas": size, "selector": selector, "template": template}
        if waits := deployment["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = waits
        body = {
            "metadata": {
                "name": f"{name_of(deployment)}-{suffix}",
                "namespace": namespace_of(deployment),
                "labels": dict(meta["labels"]),
                "ownerReferences": [reference_to(deployment)],
            },
            "spec": spec,
            "status": {"replicas": 0},
        }
        revision = max((revisions.revision_of(rs) for rs in owned), default=0) + 1
        created = self._plane.create(
            kinds.REPLICA_SETS, revisions.annotated(deployment, body, revision, exists=False)
        )
        if size:
            self._say(deployment, f"Scaled up replica set {name_of(created)} from 0 to {size}")
        status = status_of(deployment)
        found = condition(status, "Progressing")
        # Right after a resume the real controller loses this write to its own conflict.
        resumed = found is not None and found["reason"] == progress.RESUMED
        if progress.has_deadline(deployment) and not resumed:
            message = f'Created new replica set "{name_of(created)}"'
            new = progress.make("Progressing", "True", progress.CREATED, message, self._plane.now)
            status = progress.with_condition(status, new)
        self._write(deployment, status, str(revision))

    def _roll(self, deployment: Json, owned: list[Json], current: Json | None) -> None:
        if current is None:
            self._create(deployment, owned)
            return
        old = [rs for rs in owned if rs is not current]
        wanted = deployment["spec"]["replicas"]
        size = min(wanted, sizes.new_size(deployment, owned, sizes.size(current)))
        plan = [(current, size)] if sizes.size(current) != size else sizes.old_sizes(deployment, current, old)
        for replica_set, target in plan:
            self._resize(deployment, replica_set, target)
        if not plan:
            self._tidy(deployment, old)
        self._write_rollout(deployment, owned, current)

    def _recreate(self, deployment: Json, owned: list[Json], current: Json | None) -> None:
        old = [rs for rs in owned if rs is not current]
        active = [rs for rs in old if sizes.size(rs)]
        for replica_set in active:
            self._resize(deployment, replica_set, 0)
        if active or self._old_pods_run(old):
            self._write_rollout(deployment, owned, current)
        elif current is None:
            self._create(deployment, owned)
        else:
            if sizes.size(current) != deployment["spec"]["replicas"]:
                self._resize(deployment, current, deployment["spec"]["replicas"])
            self._tidy(deployment, old)
            self._write_rollout(deployment, owned, current)

    def _old_pods_run(self, old: list[Json]) -> bool:
        if any(status_of(rs).get("replicas", 0) for rs in old):
            return True
        pods = [pod for rs in old for pod in self._plane.owned(kinds.PODS, rs)]
        return not all(map(is_finished, pods))

    def _scale(self, deployment: Json, owned: list[Json], current: Json | None) -> None:
        old = [rs for rs in owned if rs is not current]
        for replica_set, target in sizes.scaled_sizes(deployment, current, old, revisions.MAXIMUM):
            self._resize(deployment, replica_set, target)
        if deployment["spec"].get("paused"):
            self._remove(revisions.expired(deployment, old))
        self._write_counts(deployment, owned, current)

    def _tidy(self, deployment: Json, old: list[Json]) -> None:
        if progress.is_complete(deployment, status_of(deployment)):
            self._remove(revisions.expired(deployment, old))

    def _remove(self, replica_sets: list[Json]) -> None:
        for replica_set in replica_sets:
            self._plane.remove(kinds.REPLICA_SETS, replica_set)

    def _resize(self, deployment: Json, replica_set: Json, target: int) -> None:
        changed = copy(self._plane.get(kinds.REPLICA_SETS, *key_of(replica_set)) or replica_set)
        before = sizes.size(changed)
        changed["spec"]["replicas"] = target
        changed["metadata"]["annotations"] = {**annotations_of(changed), **revisions.size_notes(deployment)}
        self._plane.update(kinds.REPLICA_SETS, changed)
        if before != target:
            word = "up" if target > before else "down"
            self._say(deployment, f"Scaled {word} replica set {name_of(changed)} from {before} to {target}")

    def _write_counts(self, deployment: Json, owned: list[Json], current: Json | None) -> None:
        self._write(deployment, progress.counts(deployment, owned, current, self._plane.now))

    def _write_rollout(self, deployment: Json, owned: list[Json], current: Json | None) -> None:
        written = self._write(deployment, progress.rollout(deployment, owned, current, self._plane.now))
        if not written:
            self._watch_deadline(deployment)

    def _write(self, deployment: Json, status: Json, revision: str | None = None) -> bool:
        """Writes status, and the revision annotation if it differs; says whether that was a write."""
        notes = annotations_of(deployment)
        if revision is not None and notes.get(revisions.REVISION) != revision:
            notes = {**notes, revisions.REVISION: revision}
        if status == status_of(deployment) and notes == annotations_of(deployment):
            return False
        changed = {**deployment, "metadata": {**deployment["metadata"]}, "status": status}
        if notes:
            changed["metadata"]["annotations"] = notes
        self._plane.update(kinds.DEPLOYMENTS, changed, subresource="status")
        return True

    def _watch_deadline(self, deployment: Json) -> None:
        """Has the Deployment looked at a second after its progress deadline."""
        if end := progress.deadline(deployment):
            moment = end + timedelta(seconds=1)
            if moment > self._plane.now:
                key = key_of(deployment)
                self._plane.kernel.at(moment, lambda: self._plane.kernel.look(self, key))

    def _say(self, deployment: Json, message: str) -> None:
        self._plane.events.say(deployment, "ScalingReplicaSet", message, COMPONENT)
