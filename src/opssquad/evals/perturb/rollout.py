"""A rollout of a copied workload: a new version a while ago, the old one scaled down, and all is well."""

import json
import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from opssquad.evals.perturb.clone import Copy
from opssquad.evals.perturb.events import event
from opssquad.evals.perturb.healthy import Workload
from opssquad.evals.perturb.material import log_lines, mapped, uid
from opssquad.evals.perturb.shift import FIELD
from opssquad.times import parse_time, rfc3339
from opssquad.types import Json

STAMP = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?=Z)")
START = timedelta(minutes=10)
"""What a pod's object says of the minutes after its creation tells of its start."""
STEP = timedelta(seconds=8)
"""From one pod's creation to the next one's."""
PULL = timedelta(seconds=2)
"""From a pod's creation to its container's start."""


def rolled_out(made: Copy, moment: datetime, cause: str, hash_: str, rng: random.Random) -> list[Json]:
    """Change the copy so that its version was rolled out at that moment; the events that this left behind."""
    old = made.workload
    name, sets = old.deployment["metadata"]["name"], old.replicasets
    current = old.current
    before = [each for each in sets if each is not current] or [_predecessor(current, name, hash_, rng)]
    before.sort(key=lambda each: int(_revision(each)))
    newer = _versioned(current) if before[-1] not in sets else str
    revision = str(int(_revision(before[-1])) + 1)

    def change(obj: Json) -> Json:
        new: Json = mapped(obj, newer, lambda key: key if FIELD.fullmatch(key) else newer(key))
        return new

    deployment, current = change(old.deployment), change(current)
    for obj in (deployment, current):
        obj["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = revision
        obj["metadata"]["annotations"]["kubernetes.io/change-cause"] = f"{name} {_tag(current)}: {cause}"
    _dated(deployment, moment, created=False)
    _dated(current, moment, created=True)
    pods = [_born(change(pod), moment + STEP * at) for at, pod in enumerate(old.pods)]
    made.workload = Workload(deployment, [*before, current], pods, old.around)
    made.logs = {path: _since(log, moment + STEP) for path, log in made.logs.items()}
    return _events(made.workload, before[-1], moment, rng)


def _revision(replicaset: Json) -> str:
    return str(replicaset["metadata"]["annotations"]["deployment.kubernetes.io/revision"])


def _image(replicaset: Json) -> str:
    return str(replicaset["spec"]["template"]["spec"]["containers"][0]["image"])


def _tag(replicaset: Json) -> str:
    return _image(replicaset).rpartition(":")[2]


def _predecessor(current: Json, name: str, hash_: str, rng: random.Random) -> Json:
    """The ReplicaSet that the present one, as it stands, would have followed: the same, scaled down."""
    mark = current["metadata"]["name"].removeprefix(f"{name}-")
    old: Json = json.loads(
        json.dumps(current).replace(mark, hash_).replace(current["metadata"]["uid"], uid(rng))
    )
    old["spec"]["replicas"] = 0
    old["status"] = {"replicas": 0, "observedGeneration": old["metadata"].get("generation", 1)}
    return old


def _versioned(current: Json) -> Callable[[str], str]:
    """A change of texts that names the next version instead of the present one."""
    tag = _tag(current)
    next_ = re.sub(r"\d+$", lambda hit: str(int(hit.group(0)) + 1), tag)
    present = re.compile(rf"(?<![\w.]){re.escape(tag)}(?![\w.-])")
    return lambda text: present.sub(next_, text)


def _dated(obj: Json, moment: datetime, *, created: bool) -> None:
    """What a rollout at that moment wrote into a Deployment or its new ReplicaSet."""
    stamp = rfc3339(moment)
    if created:
        obj["metadata"]["creationTimestamp"] = stamp
    for entry in obj["metadata"].get("managedFields") or []:
        own = entry["manager"].startswith("kubectl") or entry.get("subresource") == "status" or created
        if own and entry["time"] < stamp:
            entry["time"] = stamp
    for condition in obj["status"].get("conditions") or []:
        if condition["type"] == "Progressing":
            condition["lastUpdateTime"] = rfc3339(moment + 3 * STEP)


def _born(pod: Json, moment: datetime) -> Json:
    """The pod with its first minutes moved to that moment."""
    born = parse_time(pod["metadata"]["creationTimestamp"])

    def moved(text: str) -> str:
        def later(hit: re.Match[str]) -> str:
            since = parse_time(hit.group(0)) - born
            return rfc3339(moment + since)[:-1] if timedelta() <= since <= START else hit.group(0)

        return STAMP.sub(later, text)

    new: Json = mapped(pod, moved)
    for entry in new["metadata"].get("managedFields") or []:
        # Fields written between the old birth and the new one were written at the new one.
        entry["time"] = max(entry["time"], rfc3339(moment))
    return new


def _since(log: str, moment: datetime) -> str:
    """The lines after that moment; at least the last one, which then stands at it or later."""
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}"
    lines = log_lines(log)
    return "".join(f"{line}\n" for line in ([each for each in lines if each >= stamp] or lines[-1:]))


def _events(workload: Workload, before: Json, moment: datetime, rng: random.Random) -> list[Json]:
    """What controllers and kubelets told of it, pod by pod."""
    deployment, current, count = workload.deployment, workload.current, len(workload.pods)
    new, old = current["metadata"]["name"], before["metadata"]["name"]
    size = f"{rng.randrange(10**6):06}"
    found: list[Json] = []

    def tell(about: Json, reason: str, said: str, component: str, at: datetime, host: str = "") -> None:
        found.extend(event(about, reason, said, component, at, rng, host=host))

    for n, pod in enumerate(workload.pods):
        name, space = pod["metadata"]["name"], pod["metadata"]["namespace"]
        host, born, up = pod["spec"]["nodeName"], moment + STEP * n, moment + STEP * n + PULL
        image, container = (pod["spec"]["containers"][0][key] for key in ("image", "name"))
        scaled, left = f"replica set {new} from {n} to {n + 1}", count - n
        tell(deployment, "ScalingReplicaSet", f"Scaled up {scaled}", "deployment-controller", born)
        tell(current, "SuccessfulCreate", f"Created pod: {name}", "replicaset-controller", born)
        tell(pod, "Scheduled", f"Successfully assigned {space}/{name} to {host}", "default-scheduler", born)
        took = f"{rng.uniform(0.4, 1.9):.3f}s"
        pulled = f'Successfully pulled image "{image}" in {took} ({took} including waiting).'
        tell(pod, "Pulled", f"{pulled} Image size: {rng.randint(18, 90)}{size} bytes.", "kubelet", up, host)
        tell(pod, "Started", f"Started container {container}", "kubelet", up, host)
        scaled = f"replica set {old} from {left} to {left - 1}"
        tell(deployment, "ScalingReplicaSet", f"Scaled down {scaled}", "deployment-controller", born + STEP)
    return found
