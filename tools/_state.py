"""How a workload stands while a change to it is watched: counts, the pods of its newest template, what is in
their way. Reading and pure judgement; deadlines and comparison are for `_watch`.
"""

import asyncio
from dataclasses import dataclass

from opssquad import Cluster, Json, Quote, Ref

from ._held import keeping, late_ones
from ._kube import condition, dig, quote_at, ref, source, uid
from ._pods import containers, is_finished, is_ready, is_terminating, restarts
from ._revisions import number, owned

WAITING = frozenset(
    {
        *("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
    }
)


@dataclass(frozen=True)
class Trouble:
    """One thing that stands in the way: the words, and where they are written."""

    text: str
    quotes: tuple[Quote, ...]
    read: Json


@dataclass(frozen=True)
class State:
    """A workload at one moment. `fresh` are the pods of its newest template, `ready` all its ready pods,
    `settled` whether a rollout, if any, is complete as `kubectl rollout status` means it; `held` why the
    newest template does not reach the pods by itself, and `waiting` the pods to be deleted for that."""

    workload: Json
    fresh: tuple[Json, ...]
    pods: tuple[Json, ...]
    troubles: tuple[Trouble, ...]
    settled: bool
    paused: bool
    held: str = ""
    waiting: tuple[str, ...] = ()

    @property
    def desired(self) -> int:
        """spec.replicas; for a DaemonSet the nodes it should run on."""
        if self.workload["kind"] == "DaemonSet":
            return int(dig(self.workload, "status", "desiredNumberScheduled", default=0))
        return int(dig(self.workload, "spec", "replicas", default=1))

    @property
    def ready(self) -> int:
        """Ready pods, of whichever template, that are not on their way out."""
        return sum(is_ready(each) and not is_terminating(each) for each in self.pods)

    @property
    def fresh_ready(self) -> int:
        """Ready pods of the newest template."""
        return sum(is_ready(each) for each in self.fresh)

    @property
    def fresh_restarts(self) -> int:
        """Restarts of the pods of the newest template since they started."""
        return sum(restarts(each) for each in self.fresh)

    def line(self) -> str:
        """`2 of 3 ready, 3 with the new template`."""
        return f"{self.ready} of {self.desired} ready, {len(self.fresh)} with the newest template"

    def snapshot(self) -> Json:
        """What a later look is compared with: JSON."""
        return {
            "desired": self.desired,
            "ready": self.ready,
            "restarts": sum(restarts(each) for each in self.pods),
            "troubles": [each.text for each in self.troubles],
            "pods": [each["metadata"]["name"] for each in self.pods],
        }


async def look(cluster: Cluster, address: Ref) -> State:
    """Read a Deployment, StatefulSet or DaemonSet with its pods. Raises ToolError."""
    workload = await cluster.get(address.kind, address.name, address.namespace)
    labels = dig(workload, "spec", "selector", "matchLabels", default={})
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    sets = cluster.list("ReplicaSet", address.namespace, labels=selector)
    pods = cluster.list("Pod", address.namespace, labels=selector)
    if workload["kind"] == "Deployment":
        keepers, found = await asyncio.gather(sets, pods)
        mine = owned(workload, keepers)
        ids = {uid(each) for each in mine} - {""}
        newest = max(mine, key=number, default=None)
        fresh = {uid(newest)} if newest else set()
    else:
        sets.close()
        found, newest = await pods, None
        ids = {uid(workload)} - {""}
        fresh = set()
    owned_pods = [each for each in found if _owner(each) in ids and not is_finished(each)]
    young = [
        each
        for each in owned_pods
        if not is_terminating(each) and (_owner(each) in fresh or _follows(workload, each))
    ]
    late = [each for each in owned_pods if each not in young and not is_terminating(each)]
    if workload["kind"] == "Deployment" or not _seen(workload):
        late = []
    return State(
        workload,
        tuple(young),
        tuple(owned_pods),
        tuple(_troubles(workload, newest, young)) if _seen(workload) else (),
        _settled(workload),
        bool(dig(workload, "spec", "paused", default=False)),
        keeping(workload, late),
        tuple(each["metadata"]["name"] for each in late_ones(workload, late)),
    )


def _owner(pod: Json) -> str:
    owners = dig(pod, "metadata", "ownerReferences", default=())
    return next((str(each["uid"]) for each in owners if each.get("controller")), "")


def _follows(workload: Json, pod: Json) -> bool:
    """Whether a pod of a StatefulSet or DaemonSet has the newest template."""
    label = dig(pod, "metadata", "labels", "controller-revision-hash", default="")
    newest = dig(workload, "status", "updateRevision", default="")
    if workload["kind"] == "DaemonSet":
        generation = dig(pod, "metadata", "labels", "pod-template-generation", default="")
        return bool(generation == str(workload["metadata"].get("generation", "")))
    return workload["kind"] == "StatefulSet" and bool(label) and bool(label == newest)


def _seen(workload: Json) -> bool:
    """Whether the controller has taken note of the newest spec."""
    return int(dig(workload, "status", "observedGeneration", default=0)) >= int(
        workload["metadata"].get("generation") or 0
    )


def _settled(workload: Json) -> bool:
    """As `kubectl rollout status` decides that a rollout is over."""
    status = workload.get("status") or {}
    if not _seen(workload):
        return False
    if workload["kind"] == "DaemonSet":
        desired = int(status.get("desiredNumberScheduled") or 0)
        counts = (status.get("updatedNumberScheduled"), status.get("numberAvailable"))
        return all(int(each or 0) >= desired for each in counts)
    desired = int(dig(workload, "spec", "replicas", default=1))
    updated, total = int(status.get("updatedReplicas") or 0), int(status.get("replicas") or 0)
    if workload["kind"] == "StatefulSet":
        whole = bool(status.get("updateRevision") == status.get("currentRevision"))
        return whole and total == desired and int(status.get("readyReplicas") or 0) >= desired
    return updated >= desired and total <= updated and int(status.get("availableReplicas") or 0) >= updated


def _troubles(workload: Json, newest: Json | None, pods: list[Json]) -> list[Trouble]:
    found = [trouble for pod in pods for trouble in _of_pod(pod)]
    for holder in (newest, workload):
        failure = condition(holder, "ReplicaFailure") if holder else {}
        if holder and failure.get("status") == "True" and failure.get("message"):
            text = f"no new pod can be made: {failure['message']}"
            index = dig(holder, "status", "conditions").index(failure)
            found.append(Trouble(text, (quote_at(holder, "status", "conditions", index, "message"),), holder))
            break
    return found


def _of_pod(pod: Json) -> list[Trouble]:
    name = pod["metadata"]["name"]
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("message"):
        index = dig(pod, "status", "conditions").index(scheduled)
        quotes = (quote_at(pod, "status", "conditions", index, "message"),)
        return [Trouble(f"{name} fits on no node: {scheduled['message']}", quotes, pod)]
    found = []
    for each in containers(pod):
        end = each.final
        crashed = end is not None and end.exit_code != 0 and (each.restarts > 0 or bool(each.ended))
        if each.waiting not in WAITING and not (crashed and not each.ready):
            continue
        words = [each.waiting] if each.waiting in WAITING else []
        words += [f"exit code {end.exit_code} ({end.reason})"] if crashed and end else []
        words += [f"{each.restarts} restarts"] if each.restarts else []
        words += [each.message] if each.message and not crashed else []
        key = "waiting" if each.waiting in WAITING else "terminated"
        at = ("status", *each.where, "state", key, "reason")
        told = tuple([quote_at(pod, *at)] if dig(pod, *at) else [])
        found.append(Trouble(f"{name} container {each.name}: {', '.join(words)}", told, pod))
    return found


def health_quotes(state: State) -> tuple[Quote, ...]:
    """The counts of the workload as its status has them."""
    address = source(state.workload)
    keys = ("readyReplicas", "updatedReplicas", "unavailableReplicas", "numberReady")
    found = [quote_at(state.workload, "status", key) for key in keys if dig(state.workload, "status", key)]
    return tuple(found) or (Quote(locator=address.locator, text=f'"name":"{ref(state.workload).name}"'),)
