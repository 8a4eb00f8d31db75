"""A rollback thought through: what it returns to, the patch that does it, and why it may not be possible.

A Deployment keeps its templates in ReplicaSets, a StatefulSet or DaemonSet in ControllerRevisions.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from opssquad import Cluster, Json, ToolError

from ._kinds import ROLLED, kind_of
from ._kube import dig, kubectl, ref
from ._revisions import FORMER, NUMBER, Revision, previous, revisions
from ._template import Field, differs

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Annotations that describe the Deployment as it is; all others come back with the old revision.
STAYING = (
    *(APPLIED, NUMBER, FORMER, "deployment.kubernetes.io/desired-replicas"),
    *("deployment.kubernetes.io/max-replicas", "deprecated.deployment.rollback.to"),
)


@dataclass(frozen=True)
class Plan:
    """A workload, its history, and the revision to return to; `current` is what runs now."""

    workload: Json
    history: Sequence[Revision]
    target: Revision
    current: Revision | None
    diff: list[Field]

    @property
    def name(self) -> str:
        return str(self.workload["metadata"]["name"])

    @property
    def kind(self) -> str:
        return str(self.workload["kind"])

    @property
    def namespace(self) -> str:
        return str(self.workload["metadata"]["namespace"])

    @property
    def unnumbered(self) -> bool:
        """Whether the template that is asked for now belongs to no revision: an edit was a moment ago."""
        now = self.workload["spec"]["template"]
        return self.current is None or bool(differs(now, self.current.template))

    @property
    def paused(self) -> bool:
        return bool(dig(self.workload, "spec", "paused", default=False))

    def command(self) -> str:
        """The line an engineer would type."""
        return kubectl(
            *("rollout", "undo", self.target_word, f"--to-revision={self.target.number}"),
            namespace=self.namespace,
        )

    @property
    def target_word(self) -> str:
        """The workload as kubectl names it: `deployment/web`."""
        return f"{self.kind.lower()}/{self.name}"

    def patch(self) -> list[Json]:
        """The JSON patch of `kubectl rollout undo`, which fails if the workload changed meanwhile.

        kubectl sends no test. Ours is on uid and generation, not on resourceVersion: the status of a failing
        workload is written every few seconds, and that is no reason not to help it. Annotations come back
        with the revision of a Deployment; a ControllerRevision keeps none.
        """
        meta = self.workload["metadata"]
        operations: list[Json] = [
            {"op": "test", "path": "/metadata/uid", "value": meta.get("uid")},
            {"op": "test", "path": "/metadata/generation", "value": meta.get("generation")},
            {"op": "replace", "path": "/spec/template", "value": self.target.template},
        ]
        if self.kind != "Deployment":
            return operations
        old = self.target.keeper["metadata"].get("annotations") or {}
        kept = {k: v for k, v in (meta.get("annotations") or {}).items() if k in STAYING}
        back = {k: v for k, v in old.items() if k not in STAYING}
        return [*operations, {"op": "add", "path": "/metadata/annotations", "value": {**kept, **back}}]


async def history_of(cluster: Cluster, workload: Json) -> list[Revision]:
    """The revisions of a workload that was read, oldest first."""
    where = ref(workload)
    keeper = "ReplicaSet" if where.kind == "Deployment" else "ControllerRevision"
    keepers, events = await asyncio.gather(
        cluster.list(keeper, where.namespace),
        cluster.list("Event", where.namespace, fields=f"involvedObject.name={where.name}"),
    )
    return revisions(workload, keepers, events)


def running(history: Sequence[Revision]) -> Revision | None:
    """The revision that is asked for now."""
    return next((each for each in history if each.current), None)


async def plan(
    cluster: Cluster, deployment: str, namespace: str, revision: int, kind: str = "Deployment"
) -> Plan:
    """Think a rollback through; revision 0 is the one before the current. Raises ToolError if none, or if the
    kind has no revisions."""
    if (kind := kind_of(kind)) not in ROLLED:
        raise ToolError(f"{kind} has no revisions; a rollback is for {', '.join(ROLLED)}")
    workload = await cluster.get(kind, deployment, namespace)
    history = await history_of(cluster, workload)
    current = running(history)
    target = choose(history, revision, deployment)
    # Not from the current revision: after an edit its own revision may not be there yet.
    diff = differs(workload["spec"]["template"], target.template)
    return Plan(workload, history, target, current, diff)


def choose(history: Sequence[Revision], revision: int, deployment: str) -> Revision:
    """The revision to return to. Raises ToolError that names those there are."""
    kept = [each for each in history if each.kept]
    numbers = ", ".join(str(each.number) for each in kept) or "none"
    if revision:
        found = next((each for each in kept if each.number == revision), None)
        if found is None:
            raise ToolError(f"no revision {revision} of {deployment!r} is kept any more; there is: {numbers}")
    else:
        found = previous(history)
        if found is None:
            raise ToolError(f"no earlier revision of {deployment!r} is kept; there is: {numbers}")
    if found.current:
        raise ToolError(f"revision {found.number} of {deployment!r} is what runs now; there is: {numbers}")
    return found
