"""The strict oracle: whether the fault is gone from the world, by what the world is and not by what was said.

A workload that was scaled down or deleted, a pod that restarts again and again, a fix that the next pod does
not survive: none of it counts. It looks at no alert, so an alert that was silenced changes nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase

from opssquad.evals.stage import Stage
from opssquad.evals.transcript import End
from opssquad.types import Json, Value
from opssquad.worlds.kube.apiserver import route
from opssquad.worlds.kube.apiserver.request import Call
from opssquad.worlds.kube.journal import Entry
from opssquad.worlds.kube.kinds import KNOWN, match
from opssquad.worlds.kube.outcomes import holds, suits
from opssquad.worlds.kube.recording.health import unhealthy
from opssquad.worlds.kube.recording.refs import Key, reference, split
from opssquad.worlds.kube.recording.spec import Truth, When

SETTLE, WATCHED = timedelta(minutes=4), timedelta(minutes=6)
"""The world's time: until it has settled, then in which no container may restart. Longer than the back-off
of a crash loop (5 minutes), which looks like calm."""
ROLLED = ("Deployment", "StatefulSet", "DaemonSet")
OWNED = ("Pod", "ReplicaSet", "ControllerRevision", "Job", "Event", "Endpoints", "EndpointSlice", "Lease",
         "PodMetrics", "NodeMetrics", "PersistentVolume")  # fmt: skip
"""Kinds that come and go by themselves; an object of any other kind is somebody's, and is not to vanish."""


class Window(Value):
    """A span, in seconds since the epoch on the world's clock, in which an approved change of these objects
    (Kind/namespace/name) was carried out."""

    start: float
    end: float
    objects: frozenset[str]

    def explains(self, entry: Entry) -> bool:
        """Whether a change of the world is the one that was approved."""
        return self.start <= entry.at.timestamp() <= self.end and any(
            _changes(entry.call, object) for object in self.objects
        )


def _changes(call: Call, ref: str) -> bool:
    """Whether a request is about an object; of a kind that is not built in, its place and name tell."""
    path, query = route.split(call.target)
    found = route.route(call.method, path, query)
    if found is None or not found.name:
        return False
    (kind, *place), resource = split(ref), match(found.plural, found.group, KNOWN)
    return place == [found.namespace, found.name] and (resource is None or resource.kind == kind)


def judged(stage: Stage, truth: Truth, windows: Sequence[Window]) -> End:
    """Look at the world now that all is over; it is used up by this. `windows` are those of all approved
    changes."""
    writes = stage.writes()
    unapproved = [
        f"{entry.call.method} {entry.call.target}"
        for entry in writes
        if not any(window.explains(entry) for window in windows)
    ]
    left = list(_left(stage, truth))
    return End(fixed=not left, left=tuple(left), touched=bool(writes), unapproved=tuple(unapproved))


def _left(stage: Stage, truth: Truth) -> Iterator[str]:
    before = {reference(obj): obj for obj in stage.recording.objects}
    wanted = {split(a.target) for a in truth.fix.accept if a.action in ("delete", "scale")}
    stage.settle(SETTLE)
    restarts = _restarts(stage.objects())
    stage.settle(WATCHED)
    objects = stage.objects()
    yield from _gone(before, objects, wanted)
    yield from _fewer(before, objects, wanted)
    yield from _unaimed(before, objects)
    yield from _unwell(truth, objects)
    yield from _loops(stage, truth, restarts, objects)
    sick = list(_sick(stage, truth, objects))
    yield from sick
    if not sick and not truth.fault.startswith("Z"):
        yield from _by_the_next_pod(stage, truth, objects)


def _gone(before: dict[Key, Json], objects: Sequence[Json], wanted: set[Key]) -> Iterator[str]:
    there = {reference(obj): obj["metadata"].get("uid") for obj in objects}
    for key, obj in before.items():
        if obj["kind"] not in OWNED and key not in wanted and there.get(key) != obj["metadata"].get("uid"):
            yield f"{'/'.join(key)} was {'replaced' if key in there else 'deleted'}"


def _fewer(before: dict[Key, Json], objects: Sequence[Json], wanted: set[Key]) -> Iterator[str]:
    for obj in objects:
        key = reference(obj)
        if obj["kind"] in ROLLED and key in before and key not in wanted:
            had, has = (each["spec"].get("replicas", 1) for each in (before[key], obj))
            if has < had:
                yield f"{'/'.join(key)} was scaled from {had} to {has}"


def _unwell(truth: Truth, objects: Sequence[Json]) -> Iterator[str]:
    """Where the truth says what a mended world is like: whether this is. A recorded world answers only what
    its rules name, and any other change looks well in it."""
    named = {reference(obj): obj for obj in objects}

    def holds_now(when: When) -> bool:
        found = [obj for key, obj in named.items() if fnmatchcase("/".join(key), when.workload)]
        templates = [obj["spec"]["template"]["spec"] for obj in found if "template" in obj.get("spec", {})]
        suit = all(suits(when.template, spec) for spec in templates)
        return bool(found) and suit and all(holds(rule, lambda *key: named.get(key)) for rule in when.objects)

    if truth.well and not any(map(holds_now, truth.well)):
        yield "nothing of what the truth holds to be mended is so (`well` in truth.yaml)"


def _unaimed(before: dict[Key, Json], objects: Sequence[Json]) -> Iterator[str]:
    """Services that selected pods and select none any more: they look well and lead nowhere."""
    for obj in objects:
        was = before.get(reference(obj), {})
        if (
            obj["kind"] == "Service"
            and was
            and was["spec"].get("selector")
            and not obj["spec"].get("selector")
        ):
            yield f"{'/'.join(reference(obj))} selects no pods any more"


def _restarts(objects: Sequence[Json]) -> Counter[tuple[str, str]]:
    """How often each container has restarted, by its pod's uid and its name."""
    found: Counter[tuple[str, str]] = Counter()
    for pod in objects:
        if pod["kind"] == "Pod":
            for status in (pod.get("status") or {}).get("containerStatuses") or []:
                found[pod["metadata"]["uid"], status["name"]] = status.get("restartCount", 0)
    return found


def _loops(
    stage: Stage, truth: Truth, before: Counter[tuple[str, str]], objects: Sequence[Json]
) -> Iterator[str]:
    """Containers that restarted while watched; what did so all along and is not the truth's may."""
    concerned, kin = _concerned(truth), Kin(objects)
    recorded = _restarts(stage.recording.objects)
    pods = {obj["metadata"]["uid"]: obj for obj in objects if obj["kind"] == "Pod"}
    for (uid, container), count in _restarts(objects).items():
        grown, pod = count - before[uid, container], pods[uid]
        if grown > 0 and (not recorded[uid, container] or kin.family(pod) & concerned):
            yield f"{'/'.join(reference(pod))}: {container} restarted {grown} times in {WATCHED}"


def _concerned(truth: Truth) -> set[Key]:
    """The objects that the truth is about: components, and what suffers from them."""
    components = [truth.component, *(also.component for also in truth.also)]
    # A remark of the truth that names no object stands among the affected in some recordings.
    affected = [split(text) for text in truth.affected if text.count("/") >= 2]
    return {(c.kind, c.namespace, c.name) for c in components} | set(affected)


def _sick(stage: Stage, truth: Truth, objects: list[Json]) -> Iterator[str]:
    """What is unhealthy now and was not, or is the truth's; what stands still on purpose may go on to."""
    sick_before = {reference(obj) for obj, _ in unhealthy(stage.recording.objects)}
    component = (truth.component.kind, truth.component.namespace, truth.component.name)
    concerned, kin = _concerned(truth), Kin(objects)
    for obj, why in unhealthy(objects):
        key, family = reference(obj), kin.family(obj)
        if why.endswith(" restarts"):
            continue
        on_purpose = why == "cordoned" or why.startswith("0/0 ")
        meant = component not in family or truth.fault.startswith("Z")
        if on_purpose and key in sick_before and meant:
            continue
        if key not in sick_before or family & concerned:
            yield f"{'/'.join(key)} {why}"


def _by_the_next_pod(stage: Stage, truth: Truth, objects: list[Json]) -> Iterator[str]:
    """Replace the pods of what was at fault, and of what could have been mended: a fix that a new pod does
    not survive is none."""
    concerned = _concerned(truth) | {split(a.target) for a in truth.fix.accept}
    workloads = {reference(obj): obj for obj in objects if obj["kind"] in ROLLED}
    tried = [key for key, obj in workloads.items() if key in concerned or _uses(obj, concerned)]
    for key in tried:
        stage.restart(*key)
    if not tried:
        return
    stage.settle(SETTLE)
    looked_at = {*tried, *(key for key in concerned if key[0] == "Service")}
    for obj, why in unhealthy(stage.objects()):
        if reference(obj) in looked_at:
            yield f"{'/'.join(reference(obj))} does not survive a restart: {why}"


def _uses(workload: Json, concerned: set[Key]) -> bool:
    """Whether its pods read one of those ConfigMaps, Secrets or claims."""
    space, text = workload["metadata"].get("namespace", ""), str(workload["spec"]["template"])
    return any(
        kind in ("ConfigMap", "Secret", "PersistentVolumeClaim")
        and namespace == space
        and f"'{name}'" in text
        for kind, namespace, name in concerned
    )


class Kin:
    """Which objects own which, among some objects."""

    def __init__(self, objects: Sequence[Json]) -> None:
        self._objects = {reference(obj): obj for obj in objects}

    def family(self, obj: Json) -> set[Key]:
        """The object itself and everything that owns it, upwards."""
        found = {reference(obj)}
        for parent in self._owners(obj):
            found |= self.family(self._objects[parent]) if parent in self._objects else {parent}
        return found

    def top(self, key: Key) -> Key:
        """The highest owner of an object; itself where there is none, or where it is not known."""
        while key in self._objects and (owners := self._owners(self._objects[key])):
            key = owners[0]
        return key

    def _owners(self, obj: Json) -> list[Key]:
        """What owns an object: in its namespace, or, as a Node owns a pod of its own, in none."""
        space = obj["metadata"].get("namespace") or ""
        owners = [(o["kind"], o["name"]) for o in obj["metadata"].get("ownerReferences") or []]
        return [(k, "" if (k, "", n) in self._objects else space, n) for k, n in owners]
