"""The faults of a catalogue as a Markdown table, for a page of documentation. Strings only."""

import re
from collections.abc import Iterable, Iterator

from opssquad.diagnosis.catalogue import Clause, Fault, Remedy, Show
from opssquad.diagnosis.own import KnownFaults
from opssquad.diagnosis.wording import in_words

HEADS = ("fault", "opened by", "speaks for it · against it", "calls that would tell", "actions · not")


def markdown(known: KnownFaults) -> str:
    """A row for each fault in force, in the order of its id."""
    entries = sorted((each for each in known.entries if not each.off), key=lambda each: each.fault.id)
    rows = (_row(each.fault, known.catalogue.shows) for each in entries)
    return "\n".join((_line(HEADS), _line("---" for _ in HEADS), *map(_line, rows)))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(fault: Fault, shows: dict[str, Show]) -> Iterator[str]:
    yield f"**{fault.id}** {_plain(fault.title)}"
    yield _stacked(_plain(in_words(clause, linked=False)) for clause in fault.anchor)
    against = _signals(fault.against, "must not be seen")
    yield _signals(fault.speaks_for, "required") + (f"<br>against: {against}" if against else "")
    yield _stacked(_calls(fault, shows))
    refused = (f"not {_plain(each)}" for each in fault.inadmissible)
    yield _stacked((*map(_action, fault.actions), *refused))


def _plain(said: object) -> str:
    # In a table of Markdown these stand for themselves only so; "[a][b]" is a reference.
    text = " ".join(str(said).split())
    return re.sub(r"([|*\[\]])", r"\\\1", text).replace("<", "&lt;")


def _stacked(parts: Iterable[str]) -> str:
    return "<br>".join(dict.fromkeys(parts))


def _signals(clauses: Iterable[Clause], must: str) -> str:
    """Ids, each once, with what holds of those without which, or with which, the fault is off the list."""
    words: dict[str, str] = {}
    for each in clauses:
        known = words.get(each.signal, "")
        words[each.signal] = f" ({must})" if each.required else known
    return ", ".join(f"`{id}`{word}" for id, word in words.items())


def _calls(fault: Fault, shows: dict[str, Show]) -> Iterator[str]:
    for clause in fault.speaks_for:
        if show := shows.get(clause.tell or clause.signal):
            yield f"`{show.tool}`: {_plain(show.label)}"


def _action(remedy: Remedy) -> str:
    told = [f"only with {remedy.needs}"] if remedy.needs else []
    told += [f"not with {remedy.unless}"] if remedy.unless else []
    return f"{remedy.action} ({', '.join(told)})" if told else remedy.action
