"""What happened to workloads in a run of controllers, in words that do not hold names, times and uids."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """One version of an object, seconds after the first command."""

    t: float
    type: str
    object: Json


class Course:
    """What happened to the objects of some workloads, in words that do not hold names, times and uids."""

    def __init__(self, initial: Sequence[Json], versions: Sequence[Version], own: set[str]) -> None:
        self._versions = [v for v in versions if self._mine(v.object, own)]
        self._last = {(o["kind"], o["metadata"]["name"]): o for o in initial if self._mine(o, own)}
        self._names: dict[str, str] = {}
        for obj in initial:
            self._names[obj["metadata"]["name"]] = obj["metadata"]["name"]
        written = [v.object["metadata"]["name"] for v in self._versions if v.object["kind"] == "ReplicaSet"]
        for number, found in enumerate(dict.fromkeys(n for n in written if n not in self._names)):
            self._names[found] = f"new-{number}"
        for version in self._versions:
            key = (version.object["kind"], version.object["metadata"]["name"])
            self._last[key] = version.object
            if version.type == "DELETED":
                del self._last[key]

    @staticmethod
    def _mine(obj: Json, own: set[str]) -> bool:
        about = (obj.get("involvedObject") or {}).get("name") or obj["metadata"]["name"]
        return any(about == name or about.startswith(f"{name}-") for name in own)

    def _said(self, text: str) -> str:
        for name, word in self._names.items():
            text = text.replace(name, word)
        return text

    def _of(self, kind: str) -> list[Json]:
        return [obj for (k, _), obj in sorted(self._last.items()) if k == kind]

    def scaling(self) -> list[str]:
        """The scaling events, in their order."""
        events = [v.object for v in self._versions if v.object["kind"] == "Event"]
        return [self._said(e["message"]) for e in events if e["reason"] == "ScalingReplicaSet"]

    def sizes(self) -> dict[str, list[int]]:
        """spec.replicas of each ReplicaSet, each change once."""
        course: dict[str, list[int]] = {}
        for version in self._versions:
            if version.object["kind"] == "ReplicaSet" and version.type != "DELETED":
                steps = course.setdefault(self._names[version.object["metadata"]["name"]], [])
                size = version.object["spec"]["replicas"]
                if steps[-1:] != [size]:
                    steps.append(size)
        return course

    def deployments(self) -> dict[str, list[tuple[Any, ...]]]:
        """Revision, generation and the conditions' reasons of each Deployment, each change once."""
        courses: dict[str, list[tuple[Any, ...]]] = {}
        for version in self._versions:
            obj = version.object
            if obj["kind"] != "Deployment" or version.type == "DELETED":
                continue
            conditions = {c["type"]: c for c in obj.get("status", {}).get("conditions", ())}
            progressing = conditions.get("Progressing", {})
            message = self._said(progressing.get("message", ""))
            notes = obj["metadata"].get("annotations") or {}
            revision = notes.get("deployment.kubernetes.io/revision")
            step = (obj["metadata"]["generation"], revision, progressing.get("reason"), message)
            course = courses.setdefault(obj["metadata"]["name"], [])
            if course[-1:] != [step]:
                course.append(step)
        return courses

    def jobs(self) -> list[tuple[Any, ...]]:
        """Conditions and counts of Jobs, each change once."""
        course: list[tuple[Any, ...]] = []
        for version in self._versions:
            status = version.object.get("status") or {}
            if version.object["kind"] != "Job" or not status:
                continue
            held = tuple((c["type"], c["status"], c["reason"]) for c in status.get("conditions", ()))
            waiting = {kind: len(uids) for kind, uids in status["uncountedTerminatedPods"].items()}
            counts = [
                status.get(field) for field in ("active", "ready", "terminating", "succeeded", "failed")
            ]
            step = (held, waiting, *counts)
            if course[-1:] != [step]:
                course.append(step)
        return course

    def workloads(self) -> list[Json]:
        """Deployments and StatefulSets at rest, moments aside."""
        found = []
        for obj in [*self._of("Deployment"), *self._of("StatefulSet")]:
            status = dict(obj.get("status", {}))
            conditions = status.pop("conditions", ())
            for field in ("currentRevision", "updateRevision"):
                status.pop(field, None)
            words = sorted((c["type"], c["status"], c["reason"]) for c in conditions)
            found.append({"generation": obj["metadata"]["generation"], **status, "conditions": words})
        return found

    def replica_sets(self) -> list[Any]:
        """ReplicaSets at rest: annotations, generation, status."""
        return sorted(
            [
                self._names[obj["metadata"]["name"]],
                obj["metadata"]["generation"],
                sorted((obj["metadata"].get("annotations") or {}).items()),
                sorted((obj.get("status") or {}).items()),
            ]
            for obj in self._of("ReplicaSet")
        )

    def pods(self) -> Counter[Any]:
        """Pods at rest: owner, phase, conditions, states of containers."""
        return Counter(
            (
                self._names.get(obj["metadata"]["ownerReferences"][0]["name"], "?"),
                obj["status"]["phase"],
                tuple((c["type"], c["status"], c.get("reason")) for c in obj["status"]["conditions"]),
                tuple(_state(c) for c in obj["status"].get("containerStatuses", ())),
                bool(obj["metadata"].get("deletionTimestamp")),
            )
            for obj in self._of("Pod")
            if obj["metadata"].get("ownerReferences")
        )

    def events(self) -> Counter[tuple[str, ...]]:
        """The events that there are: about what, of which type and reason."""
        return Counter(
            (e["involvedObject"]["kind"], e["type"], e["reason"])
            for e in self._of("Event")
            if e["reason"] not in ("BackOff", "Created", "Started", "Pulling")
        )


def _state(status: Json) -> tuple[Any, ...]:
    [state] = status["state"]
    reason = status["state"][state].get("reason")
    # Two names for one state: a pull is tried again, and has just failed again.
    reason = "ImagePullBackOff" if reason == "ErrImagePull" else reason
    return status["name"], state, reason, status["ready"]
