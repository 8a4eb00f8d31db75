"""Replays what engineers did in the recorded sequences, and compares what our controllers made of it.

Compared are, names and times aside: the scaling events in their order, the sizes that each ReplicaSet went
through, the course of the Deployment's revision and conditions, and everything that is left at rest.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from opssquad.times import parse_time
from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Reply
from opssquad.worlds.kube.apiserver.world import LogLine
from opssquad.worlds.kube.controllers import Controllers
from opssquad.worlds.kube.controllers.kinds import KEYS
from opssquad.worlds.kube.controllers.kubelet import Timing
from opssquad.worlds.kube.recording.spec import WorldRules
from tests.conformance.acts import acts
from tests.conformance.course import Course, Version
from tests.conformance.world import DATA, StandingStill

Json = dict[str, Any]
FOLDER = DATA / "sequences"
WRITTEN = ("Deployment", "StatefulSet", "Job")
BY_CONTROLLER = frozenset({"deployment.kubernetes.io/revision"})
QUICK = Timing(pull=0.7, init=0.5, ready=0.3, crash=0.15, stop=1.2, always_pulls=True)
REST = 10.0
IMAGES = "registry.example.com/shop"
CRASH = {"crash": {"exit_code": 1, "reason": "Error"}}


def _rule(workload: str, pods: Any, **template: Any) -> Json:
    return {"when": {"workload": f"Deployment/shop/{workload}", "template": template}, "pods": pods}


RULES = WorldRules.model_validate(
    {
        "outcomes": [
            {"when": {"workload": "Job/shop/*", "template": {"image": "*-crash"}}, "pods": CRASH},
            _rule("*", "image_pull_error", image="*-broken"),
            _rule("*", CRASH, image="*-crash"),
            _rule("*", "unready", image="*-notready"),
            _rule("payments", "ready", env={"ACQUIRER_API_KEY": "*"}),
            _rule("payments", CRASH, image=f"{IMAGES}/payments:3.4.0"),
            _rule("recommender", "image_pull_error", image=f"{IMAGES}/recommender:2*"),
        ],
        "default": {"pods": "ready"},
    }
)


class NoLogs:
    """Containers that write nothing."""

    def begin(self, where: Any, lines: Any, fresh: bool) -> None: ...

    def end(self, where: Any, moment: datetime) -> None: ...

    def lines(self, path: str) -> list[LogLine]:
        return []

    def recorded(self, where: Any, previous: bool) -> list[LogLine] | None:
        return None


@dataclass(frozen=True)
class Recorded:
    """One recorded sequence."""

    name: str
    began: datetime
    commands: list[Json]
    initial: list[Json]
    versions: list[Version]


@cache
def names() -> list[str]:
    """All sequences."""
    return sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz"))


def recorded(name: str) -> Recorded:
    """A sequence, read."""
    lines = gzip.decompress((FOLDER / f"{name}.jsonl.gz").read_bytes()).decode().splitlines()
    head, *rest = [json.loads(line) for line in lines]
    return Recorded(
        name,
        parse_time(head["began"]),
        head["commands"],
        [line["object"] for line in rest if line["type"] == "INITIAL"],
        [Version(line["t"], line["type"], line["object"]) for line in rest if line["type"] != "INITIAL"],
    )


def _wish(obj: Json) -> Json:
    """What of an object its users decide."""
    notes = obj["metadata"].get("annotations") or {}
    return {"spec": obj["spec"], "notes": {k: v for k, v in notes.items() if k not in BY_CONTROLLER}}


def wishes(sequence: Recorded) -> Iterator[Version]:
    """The versions that users wrote: new objects, changed specs and annotations."""
    last = {(o["kind"], o["metadata"]["name"]): _wish(o) for o in sequence.initial if o["kind"] in WRITTEN}
    for version in sequence.versions:
        obj = version.object
        key = (obj["kind"], obj["metadata"]["name"])
        if (
            obj["kind"] not in WRITTEN
            or version.type == "DELETED"
            or obj["metadata"].get("deletionTimestamp")
        ):
            continue
        if last.get(key) != _wish(obj):
            yield version
        last[key] = _wish(obj)


class Replay:
    """Our world, from the same start, with the same wishes at the same moments."""

    def __init__(self, sequence: Recorded) -> None:
        self.world = StandingStill(sequence.began.isoformat())
        for obj in sequence.initial:
            self.world.store.load(KEYS[obj["kind"]], obj)
        self.began = sequence.began
        self._start = self.world.store.revision
        logs: Any = NoLogs()
        self.controllers = Controllers(self.world.store, RULES, logs, self.began, sequence.name, QUICK)
        self._play(sequence)

    def _play(self, sequence: Recorded) -> None:
        steps: list[tuple[float, Any]] = [(v.t, v) for v in wishes(sequence)]
        steps += acts(sequence.commands, sequence.versions)
        for t, step in sorted(steps, key=lambda s: s[0]):
            self._reach(t)
            if isinstance(step, Version):
                self._write(step.object)
            else:
                reply = answer(self.world, step)
                assert isinstance(reply, Reply)
                assert reply.status < 300, (step, reply)
            self.controllers.observe(self.world.moment)
        self._reach(max([sequence.versions[-1].t, *(t for t, _ in steps)]) + REST)

    def _reach(self, t: float) -> None:
        self.world.moment = self.began + timedelta(seconds=t)
        self.controllers.advance(self.world.moment)

    def _write(self, wished: Json) -> None:
        meta = wished["metadata"]
        old = self.world.store.get(KEYS[wished["kind"]], meta["namespace"], meta["name"])
        if old is None:
            self.world.store.put(KEYS[wished["kind"]], {**wished, "status": {}})
            return
        notes = dict(_wish(wished)["notes"])
        theirs = old["metadata"].get("annotations") or {}
        notes |= {key: value for key, value in theirs.items() if key in BY_CONTROLLER}
        metadata = {**old["metadata"], "annotations": notes, "generation": meta["generation"]}
        self.world.store.put(KEYS[wished["kind"]], {**old, "metadata": metadata, "spec": wished["spec"]})

    def versions(self) -> list[Version]:
        """What was written since the start."""
        kept = frozenset(KEYS.values())
        return [
            Version(0.0, change.type, change.object)
            for change in self.world.store.since(self._start)
            if change.resource in kept
        ]


def differences(name: str) -> list[str]:
    """In what our controllers went another way than the real ones; empty if in nothing."""
    sequence = recorded(name)
    replay = Replay(sequence)
    own = {o["metadata"]["name"] for o in sequence.initial if o["kind"] in WRITTEN}
    own |= {v.object["metadata"]["name"] for v in sequence.versions if v.object["kind"] in WRITTEN}
    theirs = Course(sequence.initial, sequence.versions, own)
    ours = Course(sequence.initial, replay.versions(), own)
    found = []
    for what in ("scaling", "sizes", "deployments", "jobs", "workloads", "replica_sets", "pods", "events"):
        wanted, got = getattr(theirs, what)(), getattr(ours, what)()
        if wanted != got:
            found.append(f"{what}: {_only(wanted, got)} expected, {_only(got, wanted)} came")
    return found


def _only(one: Any, other: Any) -> Any:
    """What is in one and not in the other, where that can be told."""
    return one - other if isinstance(one, Counter) else one
