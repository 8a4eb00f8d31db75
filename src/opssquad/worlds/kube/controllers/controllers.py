"""All controllers of a recorded cluster on one clock."""

from collections.abc import Collection
from datetime import datetime
from functools import cache

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.resources import ResourceKey, builtin
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.admission import QUOTA_WORDS, Admission
from opssquad.worlds.kube.controllers.cronjob import CronJobController
from opssquad.worlds.kube.controllers.daemonset import DaemonSetController
from opssquad.worlds.kube.controllers.deployment import DeploymentController
from opssquad.worlds.kube.controllers.disruption import BudgetController
from opssquad.worlds.kube.controllers.endpoints import EndpointController
from opssquad.worlds.kube.controllers.garbage import GarbageCollector
from opssquad.worlds.kube.controllers.job import JobController
from opssquad.worlds.kube.controllers.kernel import Kernel
from opssquad.worlds.kube.controllers.kubelet import LIFE_LIKE, Kubelet, Timing
from opssquad.worlds.kube.controllers.kubelet.containers import CONFIG_ERROR
from opssquad.worlds.kube.controllers.meta import controller_of, name_of, namespace_of
from opssquad.worlds.kube.controllers.metrics import MetricsServer
from opssquad.worlds.kube.controllers.namespaces import NamespaceController
from opssquad.worlds.kube.controllers.nodes import NodeController
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.controllers.quota import QuotaController
from opssquad.worlds.kube.controllers.replicaset import ReplicaSetController
from opssquad.worlds.kube.controllers.scaler import AutoscalerController
from opssquad.worlds.kube.controllers.scheduler import Scheduler
from opssquad.worlds.kube.controllers.statefulset import StatefulSetController
from opssquad.worlds.kube.controllers.volumes import VolumeController
from opssquad.worlds.kube.logbook import Logbook
from opssquad.worlds.kube.outcomes import fate, rewritten
from opssquad.worlds.kube.recording.fates import Fate
from opssquad.worlds.kube.recording.spec import WorldRules


@cache
def _keys() -> dict[str, ResourceKey]:
    """The key of each kind that the API has; where two groups have it, that which controllers write."""
    return {resource.kind: resource.key for resource in reversed(builtin().all)} | kinds.KEYS


class Controllers:
    """The control plane and the kubelets. `now` is the moment at which the objects stood as they do; `idle`:
    DaemonSet or CronJob, if these stand still."""

    def __init__(
        self,
        store: Store,
        rules: WorldRules,
        logs: Logbook,
        now: datetime,
        seed: str,
        timing: Timing = LIFE_LIKE,
        idle: Collection[str] = (),
    ) -> None:
        self._rules = rules
        self._kernel = Kernel(store, now)
        self._plane = plane = Plane(self._kernel, seed)
        admission = Admission(plane, self.fate, self._rewritten if rules.rewrites else None)
        self._kernel.controllers += [
            DeploymentController(plane),
            ReplicaSetController(plane, admission),
            StatefulSetController(plane, admission),
            *([] if "DaemonSet" in idle else [DaemonSetController(plane, admission)]),
            JobController(plane, admission),
            *([] if "CronJob" in idle else [CronJobController(plane)]),
            Scheduler(plane, self._finds_no_node),
            Kubelet(plane, self.fate, logs, timing),
            EndpointController(plane),
            BudgetController(plane),
            QuotaController(plane),
            MetricsServer(plane),
            AutoscalerController(plane),
            VolumeController(plane),
            GarbageCollector(plane),
            NamespaceController(plane),
            NodeController(plane),
        ]

    def observe(self, moment: datetime) -> None:
        """Take notice of what was changed from outside at a moment."""
        self._kernel.observe(moment)

    def advance(self, moment: datetime) -> None:
        """Do everything that is due up to a moment."""
        self._kernel.advance(moment)

    def next_due(self) -> datetime | None:
        """When the next thing is due; None when the world is at rest."""
        return self._kernel.next_due()

    def fate(self, pod: Json) -> Fate:
        """What becomes of a pod, by the rules of the world and the objects as they are."""
        return fate(self._rules, self._workload(pod), pod["spec"], self._find)

    def _find(self, kind: str, namespace: str, name: str) -> Json | None:
        key = _keys().get(kind)
        return self._plane.get(key, namespace, name) if key else None

    def _workload(self, pod: Json) -> str:
        namespace, owner = namespace_of(pod), controller_of(pod)
        if owner is None:
            return f"Pod/{namespace}/{name_of(pod)}"
        if owner["kind"] == "ReplicaSet":
            replica_set = self._plane.get(kinds.REPLICA_SETS, namespace, owner["name"])
            owner = (controller_of(replica_set) if replica_set else None) or owner
        return f"{owner['kind']}/{namespace}/{owner['name']}"

    def _pending(self, pod: Json) -> str:
        pending = self.fate(pod).pending
        return pending.message if pending else ""

    def _rewritten(self, pod: Json) -> Json:
        return rewritten(self._rules, self._workload(pod), pod["spec"], self._find)

    def _finds_no_node(self, pod: Json) -> str | None:
        message = self._pending(pod)
        kubelets = message.startswith(QUOTA_WORDS) or CONFIG_ERROR.match(message)
        return message if message and not kubelets else None
