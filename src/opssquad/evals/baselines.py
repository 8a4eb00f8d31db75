"""Trivial ways to answer, scored as a squad is: a result that does not stand well above them says nothing."""

from collections.abc import Callable, Sequence

from opssquad.evals.oracle import Kin
from opssquad.evals.plan import Case
from opssquad.evals.result import Baseline, Score
from opssquad.evals.score import score
from opssquad.evals.suspects import Suspects, suspects
from opssquad.evals.transcript import End, Transcript
from opssquad.findings import Action, Cause, Conclusion, Option
from opssquad.types import Ref
from opssquad.worlds.kube.recording import load, load_truth

Way = Callable[[Suspects], Conclusion]


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
    them = suspects(recording, kin)
    said = {name: Transcript(question=case.question, conclusion=way(them)) for name, (_, way) in WAYS.items()}
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


def newest(them: Suspects) -> Conclusion:
    """Blame whoever came last, and take it back."""
    return _claim([them.newest], them.fault, them.undo)


def nothing_wrong(them: Suspects) -> Conclusion:
    """Everything is well, and nothing is to be done."""
    cause, option = _cause(them.whole, them.calm), _option(them.whole, "none")
    return Conclusion(status="concluded", no_fault=True, causes=(cause,), options=(option,))


def loudest(them: Suspects) -> Conclusion:
    """Blame whoever is unwell the most, and take it back."""
    return _claim(them.unwell[:1] or [them.newest], them.fault, them.undo)


def restart_all(them: Suspects) -> Conclusion:
    """Restart whatever is unwell, and call that the cause."""
    return _claim(them.unwell or [them.newest], them.fault, "restart")


def blame_all(them: Suspects) -> Conclusion:
    """Name everybody, so that the right one is among them."""
    return _claim(them.everybody, them.fault, them.undo)


WAYS: dict[str, tuple[str, Way]] = {
    "newest release": ("roll back whatever was rolled out last", newest),
    "no fault": ("say that nothing is wrong", nothing_wrong),
    "loudest": ("roll back the workload with the most unhealthy objects", loudest),
    "restart all": ("restart everything that is unhealthy", restart_all),
    "blame all": ("name every workload", blame_all),
}


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
