"""Whether what a squad may see says what the truth says: its sentences, the fault's name, the cause.

That a question names the service that shows the symptom is how people ask; it gives the answer away only with
words of the mechanism beside it.
"""

import json
import re
from collections.abc import Iterator

from opssquad import settings
from opssquad.documents import read_text
from opssquad.errors import UsageError
from opssquad.squad.knowledge import read_known
from opssquad.worlds.kube.recording import Recording
from opssquad.worlds.kube.recording.network_check import network_texts
from opssquad.worlds.kube.recording.refs import reference
from opssquad.worlds.kube.recording.spec import Truth

WORDS = 6
"""Words in a row that nobody writes twice by chance."""
TOLD = 2
"""Words of the mechanism that may not stand in one sentence with the component."""
_PLAIN = """
about after again against all also and any are because been before but can cannot change changed comes
could does done down each every fail failed failing fails for from get gets has have how into its kept
less make makes more need needs never new node nodes not nothing now old one only other out over pod pods
release released running runs same serve service serves since some start started starts still that the
them then there they this time two under was were what when which while who why will with within
"""
PLAIN = frozenset(_PLAIN.split())
"""Words that say nothing about a mechanism."""

_WORD = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_CLAUSE = re.compile(r"[.;:!?](?:\s|\Z)")


def leaks(recording: Recording, truth: Truth) -> Iterator[str]:
    """A sentence for each place that gives the answer away."""
    told = [*_clauses("mechanism", truth.mechanism), *_clauses("root_cause", truth.root_cause)]
    for name, text in _visible(recording):
        small = text.lower()
        # Taking a log apart into words is dear; a clause whose longest word is not in it is not in it either.
        near = [(field, clause) for field, clause in told if max(clause.split(), key=len) in small]
        plain = f" {' '.join(_words(small))} " if near else ""
        for field, clause in near:
            if f" {clause} " in plain:
                yield f"{name}: says what truth.yaml says as {field}: {clause!r}"
    yield from _asked(recording, truth)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _clauses(field: str, text: str) -> Iterator[tuple[str, str]]:
    for clause in _CLAUSE.split(text):
        words = _words(clause)
        if len(words) >= WORDS:
            yield field, " ".join(words)


def _visible(recording: Recording) -> Iterator[tuple[str, str]]:
    """Everything that a squad may read, by name."""
    yield "incident.yaml", read_text(recording.folder / "incident.yaml")
    for obj in recording.objects:
        yield "/".join(reference(obj)), json.dumps(obj, ensure_ascii=False)
    for file in sorted((recording.folder / "logs").rglob("*.log")):
        yield file.relative_to(recording.folder).as_posix(), read_text(file)
    yield from network_texts(recording.folder)


def _asked(recording: Recording, truth: Truth) -> Iterator[str]:
    """Title and questions: neither the fault by its name, nor the component together with the mechanism."""
    incident, fault = recording.incident, _fault(recording.incident.squad, truth.fault)
    component = set(_words(truth.component.name))
    names = {word for obj in recording.objects for word in _words(obj["metadata"]["name"])}
    telling = {*_words(truth.mechanism), *_words(fault)} - PLAIN - names - component
    telling = {word for word in telling if len(word) > 2}
    asked = [("title", incident.title), *((f"questions[{n}]", q) for n, q in enumerate(incident.questions))]
    for place, text in asked:
        words = _words(text)
        if fault and f" {' '.join(_words(fault))} " in f" {' '.join(words)} ":
            yield f"incident.yaml: {place} names the fault: {fault!r}"
        said = sorted(telling.intersection(words))
        if component <= set(words) and len(said) >= TOLD:
            yield f"incident.yaml: {place} names {truth.component.name} and its cause: {', '.join(said)}"


def _fault(squad: str, fault: str) -> str:
    """What the squad's catalogue calls the fault; nothing for one that it does not know."""
    try:
        catalogue = read_known(squad, settings.load().faults).catalogue
    except UsageError:
        return ""
    return next((each.title for each in catalogue.faults if each.id == fault), "")
