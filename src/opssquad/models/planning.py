"""What the offline model looks at next: what its book begins with, what would tell most, then further around.

It knows no system: what is surveyed and probed are names of tools and steps in the book.
"""

from collections.abc import Collection, Sequence

from opssquad.findings import Choice, Hypothesis
from opssquad.models.base import Case, PastCall
from opssquad.models.hosts import named_hosts
from opssquad.models.phrases import PhraseBook, Step
from opssquad.models.saying import SURE
from opssquad.models.slots import slots
from opssquad.templates import HOLE, fill, fill_all, lookup
from opssquad.types import Json

LOOK_UP = "find"
"""The call that tells what a question names."""
DECIDED = 0.95
HOSTS = 3
"""Hosts that are probed at first."""
NAMESPACES = 2
"""Namespaces that are surveyed at first."""


def plan(book: PhraseBook, case: Case, done: Sequence[PastCall], offered: Collection[str]) -> list[Choice]:
    """The calls of a turn's investigation, the next first; `done` are those that it has made."""
    made, filled = {c.tool for c in done}, slots(case)
    past = {call_key(c.tool, c.args) for c in done}
    first = [c for c in _first(book, case, filled) if c.tool in offered]
    if first := [c for c in first if call_key(c.tool, c.args) not in past]:
        return first
    surveys = [tool for tool in book.survey if tool in offered]
    if surveys and LOOK_UP not in made:
        return [_look(LOOK_UP, {"what": f"{case.question} {case.brief}".strip()})]
    if surveys and not made & set(surveys):
        namespaces = _namespaces(case, done) or [filled.get("namespace", "")]
        return [_look(tool, {"namespace": n}) for n in namespaces[:NAMESPACES] for tool in surveys]
    leading = [h for h in case.differential if not h.no_fault][:3]
    wanted = [c for h in leading if _undecided(h) for c in h.next_calls[:2]]
    closer = _closer_looks(case, done) if surveys else []
    settled = any(h.score >= SURE for h in leading)
    further = [] if settled else [*_around(done, surveys), *choices_of(book, book.further, filled)]
    return [*wanted, *case.leads, *closer, *further]


def _first(book: PhraseBook, case: Case, filled: Json) -> list[Choice]:
    """What the book begins with, and what the complaint calls for, for each of the hosts that it names."""
    text = f"{case.question} {case.brief}"
    told = [step for each in book.symptoms if each.told(text) for step in each.steps]
    names = list(dict.fromkeys([*book.begin, *told]))
    return [c for each in named_hosts(text)[:HOSTS] or [{}] for c in choices_of(book, names, filled | each)]


def _undecided(hypothesis: Hypothesis) -> bool:
    return hypothesis.score < DECIDED


def _closer_looks(case: Case, done: Sequence[PastCall]) -> list[Choice]:
    """The logs of what the question names where nothing is broken: its complaints lead on."""
    found = next((c for c in done if c.tool == LOOK_UP), None)
    named = [str(m) for m in (found.data.get("matches") or [])][:2] if found else []
    broken = {str(h.component) for h in case.differential if not h.no_fault}
    looks = []
    for name in named:
        kind, namespace, workload = name.split("/", 2)
        if name not in broken and kind in ("Deployment", "StatefulSet", "DaemonSet"):
            looks.append(_look("logs", {"pod": workload, "namespace": namespace}))
    return looks


def _around(done: Sequence[PastCall], surveys: Sequence[str]) -> list[Choice]:
    return [*_complaints(done), *_further(done)] if surveys else []


def _complaints(done: Sequence[PastCall]) -> list[Choice]:
    """What the logs of the namespaces looked at complain of: somebody there may be called in vain."""
    return [
        _look("errors", {"namespace": str(c.args.get("namespace", ""))}) for c in done if c.tool == "health"
    ]


def _further(done: Sequence[PastCall]) -> list[Choice]:
    """Where nothing near is broken: the whole cluster, since who complains may live apart from what is
    broken; where that may not be read, the namespace that is called into most."""
    if not any(c.tool == "errors" for c in done):
        return []
    whole = next((c for c in done if c.tool == "health" and not c.args.get("namespace")), None)
    if whole is None or whole.status == "ok":
        return [_look(tool, {"namespace": ""}) for tool in ("health", "errors", "changes")]
    known = [(space, len(who)) for c in done for space, who in c.data.get("calls_into", {}).items()]
    looked = {str(c.args.get("namespace")) for c in done if c.tool == "health"}
    spaces = sorted({space for space, _ in known} - looked, key=lambda each: (-dict(known)[each], each))
    return [_look(tool, {"namespace": space}) for space in spaces[:1] for tool in ("health", "changes")]


def _namespaces(case: Case, done: Sequence[PastCall]) -> list[str]:
    """Namespaces of what the question names, most named first; else the one the thread looks at."""
    found = next((c for c in done if c.tool == LOOK_UP), None)
    names = [str(m).split("/")[1] for m in (found.data.get("matches") or [])] if found else []
    names += [str(n) for n in (found.data.get("namespaces") or [])] if found else []
    ranked = sorted(dict.fromkeys(n for n in names if n), key=lambda n: -names.count(n))
    return ranked or ([case.target.namespace] if case.target.namespace else [])


def _look(tool: str, args: Json) -> Choice:
    return Choice(label="", tool=tool, args=args)


def choices_of(book: PhraseBook, names: Sequence[str], filled: Json) -> list[Choice]:
    """Steps of the book by name, with their slots filled; those that lack one are left out."""
    return [c for name in names if (c := choice_of(book.steps[name], filled))]


def choice_of(step: Step, filled: Json) -> Choice | None:
    """The step with its slots filled, or None where its label names something that is not known."""
    if any(lookup(filled, hole) is None for hole in HOLE.findall(step.label)):
        return None
    return Choice(
        label=fill(step.label, filled), tool=step.tool, args=filled_args(step.args, filled), say=step.say
    )


def call_key(tool: str, args: Json) -> str:
    """A call as what it is, to tell whether it was made."""
    return f"{tool} {sorted(args.items(), key=str)}"


def filled_args(template: Json, filled: Json) -> Json:
    """Arguments with their slots filled; those that nothing fills are left to the tool's default."""
    return {k: v for k, v in fill_all(template, filled).items() if v is not None}
