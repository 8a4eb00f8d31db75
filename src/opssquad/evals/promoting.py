"""From a real investigation to a case: what was asked and found becomes a draft, a human's verdict the truth.

What the squad concluded is only ever a suggestion: a verdict counts when somebody has put a name to it.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field

from opssquad import settings
from opssquad.documents import BadFile, read_yaml, yaml_text
from opssquad.errors import UsageError
from opssquad.evals.appearing import beside
from opssquad.evals.evidence import cited, place
from opssquad.evals.linting import Linted, lint
from opssquad.events import Asked, Concluded, Event
from opssquad.findings import Conclusion, Evidence, Option
from opssquad.gate.own import Own
from opssquad.squad.knowledge import known_faults
from opssquad.times import rfc3339
from opssquad.types import Json, Ref, Value
from opssquad.worlds.kube.recording.fates import Text
from opssquad.worlds.kube.recording.load import load_incident
from opssquad.worlds.kube.recording.spec import Action, Component, FaultId, Fix, Proof, Reference, Truth

HEAD = """\
# A verdict on incident {incident}, drafted from what the squad concluded. Nothing of it is held to be true
# before somebody puts a name to it: read it, mend it, fill in confirmed_by, then
#   opssquad eval promote {incident} --capture DIR --verdict {file} --out DIR
# evidence: ids of this incident (e3), or {{kind: object|event|log, where, contains}} as in a truth.yaml.
# since: when it began; drafted as the moment of the first question, which is later.
# accept: what mends it. forbid: what does harm or hides it. distractors: what looked guilty and was not.
"""


FEW = 5
"""Pieces of evidence that a draft takes over: whoever cites fewer than the truth has, scores less."""


class Verdict(Value):
    """What a human holds to be true of an incident; `evidence` are ids of the investigation, or proofs."""

    confirmed_by: Text
    fault: FaultId
    alike: list[FaultId] = []
    component: Reference
    absent: bool = False
    mechanism: Text
    root_cause: Text
    since: AwareDatetime
    evidence: Annotated[list[str | Proof], Field(min_length=2)]
    accept: Annotated[list[Action], Field(min_length=1)]
    forbid: list[Action] = []
    distractors: Annotated[list[str], Field(min_length=1)]
    affected: list[str] = []
    title: str = ""


def draft(incident: str, events: Sequence[Event], file: Path) -> str:
    """The text of a verdict's file, as far as the investigation can fill it. Raises UsageError where it
    concluded nothing."""
    conclusion = _concluded(incident, events)
    cause = conclusion.causes[0] if conclusion.causes else None
    began = next(e.at for e in events if isinstance(e, Asked))
    options = [o for o in conclusion.options if o.action not in ("escalate", "cordon")]
    said: Json = {
        "confirmed_by": "",
        "fault": cause.fault if cause else "",
        "component": str(cause.component) if cause else "Kind/namespace/name",
        "mechanism": cause.root_cause if cause else "",
        "root_cause": cause.root_cause if cause else "",
        "since": rfc3339(began),
        "evidence": [proof(each).model_dump(mode="json") for each in _telling(events)],
        "accept": [{"action": o.action, "target": o.target, "detail": _detail(o)} for o in options],
        "forbid": [],
        "distractors": ["say in a line what looked guilty and was not"],
    }
    head = HEAD.format(incident=incident, file=file)
    return head + yaml_text(said)


def _detail(option: Option) -> str:
    """What a lint can try: an act of a database by its tool; any other way in words."""
    return option.tool if option.action == "sql" and option.tool else option.label


def promote(
    incident: str, events: Sequence[Event], verdict: Path, capture: Path, out: Path, own: Own
) -> Linted:
    """Write the case: the captured recording with the verdict as its truth and the questions as they were
    asked; what the lint says of it, and where that finds problems nothing is left. Raises UsageError: an
    unknown evidence id or fault, a folder that holds something already."""
    said = read_yaml(verdict, Verdict)
    truth = _truth(said, incident, events, verdict)
    found = load_incident(capture)
    asked = [e.text for e in events if isinstance(e, Asked)]
    questions = list(dict.fromkeys([*asked, *found.questions]))[: max(3, len(asked))]
    told = found.model_dump(mode="json", exclude_defaults=True)
    told |= {"id": out.name, "questions": questions, "title": said.title or found.title}
    documents = {"incident": told, "truth": truth.model_dump(mode="json", exclude_defaults=True)}
    _known(truth, found.squad, verdict)
    try:
        with beside(out) as part:
            shutil.copytree(capture, part, dirs_exist_ok=True)
            for name, document in documents.items():
                (part / f"{name}.yaml").write_text(yaml_text(document), encoding="utf-8")
            found_wrong = lint(part, own)
            if not found_wrong.problems:
                part.rename(out)
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror}; nothing was written to {out}") from None
    return found_wrong


def _known(truth: Truth, squad: str, file: Path) -> None:
    """Refuse a fault that the squad has no word for: it could never be found."""
    known = known_faults(squad, settings.load().faults)
    ids = {fault.id for fault in known.catalogue.faults}
    if ids.isdisjoint({truth.fault, *truth.alike}):
        near = ", ".join(sorted(ids))
        said = f"fault: the catalogue of squad {squad} has no {truth.fault}; it has: {near}"
        raise BadFile(file, f"{said} (`alike` may name one of them for the same mechanism)")


def _truth(said: Verdict, incident: str, events: Sequence[Event], file: Path) -> Truth:
    known, ref = _evidence(events), Ref.parse(said.component)
    proofs = []
    for number, each in enumerate(said.evidence):
        if isinstance(each, str) and each not in known:
            has = ", ".join(known) or "none"
            raise BadFile(file, f"evidence[{number}]: incident {incident} has no {each!r}; it has: {has}")
        proofs.append(proof(known[each]) if isinstance(each, str) else each)
    return Truth(
        fault=said.fault,
        alike=said.alike,
        component=Component(kind=ref.kind, namespace=ref.namespace, name=ref.name, absent=said.absent),
        mechanism=said.mechanism,
        root_cause=said.root_cause,
        since=said.since,
        evidence=proofs,
        fix=Fix(accept=said.accept, forbid=said.forbid),
        distractors=said.distractors,
        affected=said.affected,
        notes=f"Verdict of {said.confirmed_by} on incident {incident}.",
    )


def _concluded(incident: str, events: Sequence[Event]) -> Conclusion:
    found = [e.conclusion for e in events if isinstance(e, Concluded)]
    if not found:
        how = "write the verdict yourself (docs/evals.md) and give it with --verdict"
        raise UsageError(f"incident {incident} came to no conclusion, so nothing can be drafted; {how}")
    return found[0]


def _evidence(events: Sequence[Event]) -> dict[str, Evidence]:
    """What the conclusions cite, by id."""
    conclusions = [e.conclusion for e in events if isinstance(e, Concluded)]
    return {each.id: each for conclusion in conclusions for each in cited(conclusion)}


def _telling(events: Sequence[Event]) -> list[Evidence]:
    """A few citations for a draft, the shortest of each kind: they hold least that changes by itself, such as
    ids and times."""
    kinds: dict[str, list[Evidence]] = {}
    for each in sorted(_evidence(events).values(), key=lambda e: len(e.text)):
        kinds.setdefault(proof(each).kind, []).append(each)
    return [each for found in kinds.values() for each in found[:2]][:FEW]


def proof(evidence: Evidence) -> Proof:
    """A citation as a truth holds it."""
    kind, where = place(evidence.locator)
    # A tool writes `Reason: message` of an event; a truth names text of one of the two.
    message = evidence.text.partition(": ")[2] if kind == "event" else ""
    return Proof(kind=kind, where=where, contains=message or evidence.text)
