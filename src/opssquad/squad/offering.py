"""Which tools a model is offered with a request, where a squad has more than one request should carry.

Up to `WHOLE` tokens all are offered. Beyond, those that are always of use, those that the differential names,
and then the nearest to the question and the ledger by BM25 over stemmed words, as many as `ROOM` holds;
`more_tools` brings others within the turn. A call of any tool of the squad is made, offered or not.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log

from opssquad.diagnosis.catalogue import Catalogue, Fault
from opssquad.models.base import MORE, Case, ToolSpec
from opssquad.squad.words import looked_for, stems
from opssquad.toolbox import Tool

WHOLE = 2850
"""Tokens of tools' schemas up to which a squad offers all of them."""
ROOM = 2600
"""Tokens of those that are offered where it has more: a first request stays under 4,000 with them."""
FIRST = 3
"""Reads at the head of a squad's list, with which a look begins: they are always offered."""
ALWAYS = ("timeline", "differential", "find")
FURTHER = 6
"""Tools that one call of `more_tools` brings."""
SEEN = 12
"""Signals of the ledger, the latest, whose words count."""
K1, B = 1.2, 0.6
"""How soon a word that stands often adds nothing, and how much a long description is held against a tool."""
NAME, WORDS, TAKES, TELLS = 3.0, 1.0, 0.5, 0.4
"""What a word counts for in a tool's name, its description, its parameters, and in the catalogue's faults."""
LEDGER = 0.3
"""What a word counts for in the signals that were seen, against one in the question."""


def tokens(spec: ToolSpec) -> int:
    """About what a tool costs with each request: bytes of compact JSON, by 4."""
    made = {"type": "function", "function": spec.model_dump()}
    return len(json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()) // 4


def spec_of(tool: Tool) -> ToolSpec:
    """A tool as a model sees it."""
    return ToolSpec(name=tool.name, description=tool.description, parameters=tool.parameters())


def more_spec() -> ToolSpec:
    """The pseudo-tool as a model sees it."""
    about = {"type": "string", "description": "what you want to look at or do, in a few words"}
    parameters = {"type": "object", "properties": {"about": about}, "required": ["about"]}
    words = (
        "This squad has more tools than are listed here: name what you want, and those that fit are added."
    )
    return ToolSpec(name=MORE, description=words, parameters=parameters)


@dataclass(frozen=True)
class Offering:
    """The tools of a squad in its order, and the words by which they are found."""

    tools: tuple[Tool, ...]
    catalogue: Catalogue

    @cached_property
    def whole(self) -> bool:
        """Whether all are offered with every request."""
        return sum(map(tokens, self._specs.values())) <= WHOLE

    def of(self, case: Case, more: Iterable[str] = ()) -> tuple[ToolSpec, ...]:
        """Those that are offered with the next request, in the squad's order; `more` were asked for."""
        if self.whole:
            return tuple(self._specs.values())
        sure = dict.fromkeys((*self._always, *more, *_named(case)))
        chosen = {name for name in sure if name in self._specs}
        left = ROOM - sum(tokens(self._specs[name]) for name in chosen)
        for name in self._nearest(_wanted(case)):
            if name not in chosen and tokens(self._specs[name]) <= left:
                chosen.add(name)
                left -= tokens(self._specs[name])
        return tuple(spec for name, spec in self._specs.items() if name in chosen)

    def further(self, about: str, offered: Iterable[str]) -> tuple[str, ...]:
        """The names of the nearest to those words that are not offered yet, best first."""
        there = set(offered)
        near = (name for name in self._nearest(looked_for(about)) if name not in there)
        return tuple(name for name, _ in zip(near, range(FURTHER), strict=False))

    @cached_property
    def _specs(self) -> Mapping[str, ToolSpec]:
        return {tool.name: spec_of(tool) for tool in self.tools}

    @cached_property
    def _always(self) -> tuple[str, ...]:
        reads = [tool.name for tool in self.tools if tool.effect == "read"]
        return (*ALWAYS, *reads[:FIRST])

    @cached_property
    def _words(self) -> Mapping[str, Mapping[str, float]]:
        """The words of each tool with what they count for."""
        told = dict(_of_catalogue(self.catalogue))
        found: dict[str, Counter[str]] = {}
        for tool in self.tools:
            words: Counter[str] = Counter()
            takes = " ".join((*tool.args.model_fields, *tool.signals))
            parts = ((NAME, tool.name), (WORDS, tool.description), (TAKES, takes))
            for weight, text in parts:
                words.update({word: weight * count for word, count in Counter(stems(text)).items()})
            words.update({word: TELLS for word in told.get(tool.name, ())})
            found[tool.name] = words
        return found

    @cached_property
    def _rarity(self) -> Mapping[str, float]:
        having = Counter(word for words in self._words.values() for word in words)
        count = len(self.tools)
        return {word: log(1 + (count - has + 0.5) / (has + 0.5)) for word, has in having.items()}

    def _nearest(self, wanted: Mapping[str, float]) -> list[str]:
        """All tools, the nearest first; of equal ones in the squad's order."""
        usual = sum(sum(words.values()) for words in self._words.values()) / max(1, len(self._words))
        return sorted(self._specs, key=lambda name: -self._score(self._words[name], wanted, usual))

    def _score(self, words: Mapping[str, float], wanted: Mapping[str, float], usual: float) -> float:
        length = K1 * (1 - B + B * sum(words.values()) / usual)
        return sum(
            weight * self._rarity[word] * words[word] * (K1 + 1) / (words[word] + length)
            for word, weight in wanted.items()
            if word in words
        )


def _wanted(case: Case) -> Mapping[str, float]:
    """The words that are looked for, with what they count for."""
    wanted = looked_for(f"{case.question} {case.brief}")
    for seen in case.signals[-SEEN:]:
        for word in stems(f"{seen.signal.id} {seen.signal.text}"):
            wanted.setdefault(word, LEDGER)
    return wanted


def _named(case: Case) -> Iterator[str]:
    """The tools that the differential, its leads and what was offered name."""
    for fault in case.differential:
        yield from (option.tool for option in fault.options)
        yield from (choice.tool for choice in fault.next_calls)
    yield from (choice.tool for choice in (*case.leads, *case.choices))


def _of_catalogue(catalogue: Catalogue) -> Iterator[tuple[str, set[str]]]:
    """What faults say of tools: by which call a signal is shown, and what is done about a fault."""
    told: dict[str, set[str]] = {}
    for fault in catalogue.faults:
        for tool, text in _said(fault, catalogue):
            told.setdefault(tool, set()).update(stems(text))
    for key, show in catalogue.shows.items():
        told.setdefault(show.tool, set()).update(stems(f"{key} {show.label}"))
    yield from told.items()


def _said(fault: Fault, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for clause in fault.speaks_for:
        if show := catalogue.shows.get(clause.tell or clause.signal):
            yield show.tool, f"{clause.signal} {fault.title}"
    for remedy in fault.actions:
        if remedy.tool:
            yield remedy.tool, f"{remedy.action} {remedy.label} {fault.title}"
