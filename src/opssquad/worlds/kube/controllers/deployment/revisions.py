"""Which ReplicaSet is the Deployment's current one, and how revisions are numbered. Pure functions."""

from opssquad.types import Json
from opssquad.worlds.kube.controllers.deployment.sizes import max_surge
from opssquad.worlds.kube.controllers.meta import annotations_of, copy, name_of

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
HASH = "pod-template-hash"
NOT_COPIED = frozenset(
    {"kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAXIMUM}
)


def born(replica_set: Json) -> tuple[str, str]:
    """Sort key: older first, then by name."""
    return replica_set["metadata"].get("creationTimestamp", ""), name_of(replica_set)


def plain(template: Json) -> Json:
    """A pod template without the hash label, as templates are compared."""
    meta = template.get("metadata") or {}
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != HASH}
    metadata = {k: v for k, v in {**meta, "labels": labels}.items() if v}
    return {**template, "metadata": metadata}


def current(deployment: Json, replica_sets: list[Json]) -> Json | None:
    """The oldest ReplicaSet with the Deployment's template."""
    want = plain(deployment["spec"]["template"])
    return next((rs for rs in sorted(replica_sets, key=born) if plain(rs["spec"]["template"]) == want), None)


def revision_of(obj: Json) -> int:
    """The revision annotation as a number, 0 without one."""
    value = annotations_of(obj).get(REVISION, "")
    return int(value) if value.isdecimal() else 0


def annotated(deployment: Json, replica_set: Json, revision: int, exists: bool) -> Json:
    """A copy of the current ReplicaSet with the annotations that belong on it.

    All of the Deployment's but a few are copied. One that is used again takes a new revision, and its old one
    joins its history.
    """
    notes = dict(annotations_of(replica_set))
    notes |= {k: v for k, v in annotations_of(deployment).items() if k not in NOT_COPIED}
    former = notes.get(REVISION)
    if former is None or int(former) < revision:
        notes[REVISION] = str(revision)
        if former is not None:
            notes[HISTORY] = f"{notes[HISTORY]},{former}" if notes.get(HISTORY) else former
    if not exists:
        notes |= size_notes(deployment)
    changed: Json = copy(replica_set)
    changed["metadata"]["annotations"] = notes
    return changed


def size_notes(deployment: Json) -> dict[str, str]:
    """The annotations by which the controller notices that a Deployment was scaled."""
    replicas = deployment["spec"]["replicas"]
    return {DESIRED: str(replicas), MAXIMUM: str(replicas + max_surge(deployment))}


def expired(deployment: Json, old: list[Json]) -> list[Json]:
    """Old ReplicaSets past revisionHistoryLimit, lowest revision first; those still in use stay."""
    limit = deployment["spec"].get("revisionHistoryLimit")
    alive = [rs for rs in old if not rs["metadata"].get("deletionTimestamp")]
    if limit is None or len(alive) <= limit:
        return []
    candidates = sorted(alive, key=lambda rs: (revision_of(rs), born(rs)))[: len(alive) - limit]
    return [rs for rs in candidates if not _in_use(rs)]


def _in_use(replica_set: Json) -> bool:
    status = replica_set.get("status") or {}
    behind = replica_set["metadata"].get("generation", 1) > status.get("observedGeneration", 0)
    return bool(status.get("replicas") or replica_set["spec"]["replicas"] or behind)
