"""Which workloads of a recording are well and have nothing to do with its incident."""

from dataclasses import dataclass

from opssquad.evals.perturb.material import Material
from opssquad.types import Json
from opssquad.worlds.kube.recording import health
from opssquad.worlds.kube.recording.refs import reference, split


@dataclass(frozen=True)
class Workload:
    """A Deployment with everything that belongs to it."""

    deployment: Json
    replicasets: list[Json]
    pods: list[Json]
    around: list[Json]
    """Its Service, Endpoints, EndpointSlices and the metrics of its pods."""

    @property
    def current(self) -> Json:
        """The ReplicaSet that its pods belong to."""
        owner = self.pods[0]["metadata"]["ownerReferences"][0]["uid"]
        return next(r for r in self.replicasets if r["metadata"]["uid"] == owner)


def healthy(material: Material) -> list[Workload]:
    """Deployments whose pods all run well, were never restarted, and that the truth does not name."""
    named = _named(material)
    sick = {reference(obj) for obj, _ in health.unhealthy(material.objects)}
    found = (_workload(material, obj) for obj in material.objects if obj["kind"] == "Deployment")
    return [w for w in found if w.pods and not _parts(w) & (named | sick) and _steady(w, material)]


def _named(material: Material) -> set[tuple[str, str, str]]:
    """What the truth speaks of: it must stay as it is."""
    truth = material.truth
    components = [truth["component"], *(also["component"] for also in truth.get("also") or [])]
    said = [*truth.get("affected", []), *(proof["where"] for proof in truth["evidence"])]
    own = {(c["kind"], c.get("namespace") or "", c["name"]) for c in components}
    # A Service or ConfigMap at fault is often called as the Deployment that it is for.
    same = {("Deployment", namespace, name) for _, namespace, name in own}
    return own | same | {split(text) for text in said}


def _parts(workload: Workload) -> set[tuple[str, str, str]]:
    nodes = {("Node", "", pod["spec"].get("nodeName", "")) for pod in workload.pods}
    own = [workload.deployment, *workload.replicasets, *workload.pods, *workload.around]
    return {reference(obj) for obj in own} | nodes


def _steady(workload: Workload, material: Material) -> bool:
    statuses = [s for pod in workload.pods for s in pod["status"].get("containerStatuses") or []]
    claims = [v for v in workload.pods[0]["spec"].get("volumes") or [] if "persistentVolumeClaim" in v]
    logs = all(
        f"logs/{_place(pod)}/{s['name']}.log" in material.logs for pod in workload.pods for s in _main(pod)
    )
    still = not any(s.get("restartCount") or s.get("lastState") for s in statuses)
    return still and not claims and logs and not workload.pods[0]["spec"].get("initContainers")


def _place(pod: Json) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _main(pod: Json) -> list[Json]:
    return pod["spec"]["containers"]  # type: ignore[no-any-return]


def _workload(material: Material, deployment: Json) -> Workload:
    sets = [obj for obj in material.objects if obj["kind"] == "ReplicaSet" and _owned(obj, [deployment])]
    pods = [obj for obj in material.objects if obj["kind"] == "Pod" and _owned(obj, sets)]
    names = {_place(pod) for pod in pods}
    own = _place(deployment)
    around = [
        obj
        for obj in material.objects
        if (obj["kind"] in ("Service", "Endpoints") and _place(obj) == own)
        or (obj["kind"] == "EndpointSlice" and _slice_of(obj) == own)
        or (obj["kind"] == "PodMetrics" and _place(obj) in names)
    ]
    return Workload(deployment, sets, pods, around)


def _slice_of(obj: Json) -> str:
    service = (obj["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "")
    return f"{obj['metadata']['namespace']}/{service}"


def _owned(obj: Json, owners: list[Json]) -> bool:
    uids = {owner["metadata"]["uid"] for owner in owners}
    return any(ref["uid"] in uids for ref in obj["metadata"].get("ownerReferences") or [])
