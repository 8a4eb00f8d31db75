"""Trivial ways to answer, scored as a squad is: a result that does not stand well above them says nothing."""

from collections.abc import Callable, Sequence

from opssquad.evals.oracle import Kin
from opssquad.evals.plan import Case
from opssquad.evals.result import Baseline, Score
from opssquad.evals.score import score
from opssquad.evals.transcript import End, Transcript
from opssquad.findings import Action, Cause, Conclusion, Option
from opssquad.types import Json, Ref
from opssquad.worlds.kube.controllers.deployment.revisions import REVISION
from opssquad.worlds.kube.kinds import WORKLOADS
from opssquad.worlds.kube.recording import Recording, load, load_truth
from opssquad.worlds.kube.recording.health import unhealthy
from opssquad.worlds.kube.recording.refs import Key, reference

Way = Callable[[Recording, Kin], Conclusion]


def baselines(cases: Sequence[Case]) -> tuple[Baseline, ...]:
    """How each way fares on the recordings of these cases, each recording once. Raises BadFile."""
    distinct = {case.folder: case for case in cases if case.expect == "cause"}
    # One after the other: a large suite's recordings together are hundreds of megabytes.
    fared = [_fares(case) for case in distinct.values()]
    ways = WAYS.items() if fared else ()
    return tuple(_of(name, about, [by[name] for by in fared]) for name, (about, _) in ways)


def _fares(case: Case) -> dict[str, Score]:
    recording, truth = load(case.folder), load_truth(case.folder)
    kin, plain = Kin(recording.objects), case.model_copy(update={"manner": "ask"})
    said = {
        name: Transcript(question=case.question, conclusion=way(recording, kin))
        for name, (_, way) in WAYS.items()
    }
    return {name: score(plain, truth, each, End(fixed=False), kin.top) for name, each in said.items()}


def _of(name: str, about: str, scores: Sequence[Score]) -> Baseline:
    count = len(scores)
    return Baseline(
        name=name,
        about=about,
        joint=round(sum(s.joint for s in scores) / count, 4),
        action=round(sum(s.action for s in scores) / count, 4),
        recordings=len(scores),
    )


def newest_release(recording: Recording, kin: Kin) -> Conclusion:
    """Blame whatever was rolled out last, and roll it back."""
    return _claim([_newest(recording, kin)], "K01", "rollback")


def nothing_wrong(recording: Recording, kin: Kin) -> Conclusion:
    """Everything is well, and nothing is to be done."""
    ref = _newest(recording, kin)
    return Conclusion(
        status="concluded", no_fault=True, causes=(_cause(ref, "Z2"),), options=(_option(ref, "none"),)
    )


def loudest(recording: Recording, kin: Kin) -> Conclusion:
    """Blame the workload with the most unhealthy objects, and roll it back."""
    found = _sick(recording, kin)
    return _claim(found[:1] or [_newest(recording, kin)], "K01", "rollback")


def restart_all(recording: Recording, kin: Kin) -> Conclusion:
    """Restart whatever is unhealthy, and call that the cause."""
    return _claim(_sick(recording, kin) or [_newest(recording, kin)], "K01", "restart")


def blame_all(recording: Recording, _: Kin) -> Conclusion:
    """Name every workload, so that the right one is among them."""
    found = [_ref(reference(obj)) for obj in recording.objects if obj["kind"] in WORKLOADS]
    return _claim(found, "K01", "rollback")


WAYS: dict[str, tuple[str, Way]] = {
    "newest release": ("roll back whatever was rolled out last", newest_release),
    "no fault": ("say that nothing is wrong", nothing_wrong),
    "loudest": ("roll back the workload with the most unhealthy objects", loudest),
    "restart all": ("restart everything that is unhealthy", restart_all),
    "blame all": ("name every workload", blame_all),
}


def _newest(recording: Recording, kin: Kin) -> Ref:
    """The Deployment whose current revision is the youngest; a first revision was no change."""
    rolled = [
        (obj["metadata"]["creationTimestamp"], kin.top(reference(obj)))
        for obj in recording.objects
        if obj["kind"] == "ReplicaSet" and _revision(obj) > 1
    ]
    return _ref(max(rolled)[1]) if rolled else Ref(kind="Deployment", name="none")


def _revision(replica_set: Json) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))


def _sick(recording: Recording, kin: Kin) -> list[Ref]:
    """Workloads with something unhealthy, the one with the most first."""
    counts = dict[Key, int]()
    for obj, _ in unhealthy(recording.objects):
        top = kin.top(reference(obj))
        if top[0] in WORKLOADS:
            counts[top] = counts.get(top, 0) + 1
    return [_ref(key) for key in sorted(counts, key=lambda k: (-counts[k], k))]


def _ref(key: Key) -> Ref:
    return Ref(kind=key[0], namespace=key[1], name=key[2])


def _claim(refs: Sequence[Ref], fault: str, action: Action) -> Conclusion:
    return Conclusion(
        status="concluded",
        causes=tuple(_cause(ref, fault) for ref in refs),
        options=tuple(_option(ref, action) for ref in refs),
    )


def _cause(ref: Ref, fault: str) -> Cause:
    return Cause(component=ref, fault=fault, root_cause="", confidence="likely")


def _option(ref: Ref, action: Action) -> Option:
    return Option(label=f"{action} {ref}", action=action, target=str(ref))
