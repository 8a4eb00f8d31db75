"""Finds what reads like an instruction, or hides what it says, in text from outside: logs, events, objects.

What gives it away is in `injection.yaml`. A finding changes nothing: whatever stands in data is data. It is
told to the engineer, and put on record. Pure; nothing waits here.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from opssquad.documents import read_yaml
from opssquad.findings import Quote, Suspicion
from opssquad.gate.folding import Folder, apart, decoded
from opssquad.gate.leaves import Line, lines_of
from opssquad.gate.redact import Redactor
from opssquad.gate.visible import visible
from opssquad.types import Value

GAP = r"(?:\W{1,12})"
MOST = 20
"""Findings told of one result; the last one says how many more there are."""
BEFORE, AFTER = 60, 240
"""Characters of a line that are quoted before and behind where a finding begins."""
LINE = 6000
"""Characters of a line around a finding that are looked through for secrets before they are quoted."""
MANY = 500
"""Findings of one source that are told apart; a text may be nothing else."""
ALIKE = 160
"""Letters by which two findings are the same one."""

_STAMP = re.compile(r"^\d{4}-\d\d-\d\dt[\d:.]+z?\s*")

Words = Annotated[tuple[str, ...], BeforeValidator(lambda text: tuple(text.split()))]


class Phrase(Value):
    """A pattern; it is tried where a word of `near` stands. `example` is a text that it meets."""

    near: Words
    pattern: str
    example: str


class Family(Value):
    """Phrases of one kind; `does` says what such a text does. `raw` are met in the text as it came."""

    name: str
    does: str
    phrases: tuple[Phrase, ...] = ()
    raw: tuple[Phrase, ...] = ()


class Known(Value):
    """The content of `injection.yaml`."""

    families: tuple[Family, ...]
    letters: dict[str, str] = Field(default_factory=dict)


class Compiled(NamedTuple):
    """A phrase ready to be met: as words, and with its letters drawn together."""

    rank: int
    near: tuple[str, ...]
    pattern: re.Pattern[str]
    together: re.Pattern[str]


class Hit(NamedTuple):
    """Where a line (by number) begins to be suspicious, how, and what is meant where that is not seen."""

    line: int
    rank: int
    start: int
    words: str
    reads: str = ""


@cache
def known() -> Known:
    """What gives an attempt away, read once."""
    return read_yaml(Path(__file__).with_name("injection.yaml"), Known)


@cache
def folder() -> Folder:
    """Reads look-alike letters as the letters that they look like."""
    return Folder(known().letters)


class Lookout:
    """Looks through what a call brought in. Quotes are made visible, and secrets are taken out of them."""

    def __init__(self, redact: Redactor) -> None:
        self._redact, self._known, self._folder = redact, known(), folder()
        ranked = list(enumerate(self._known.families))
        self._phrases = [_compiled(n, p) for n, family in ranked for p in family.phrases]
        self._raw = [(n, p.near, re.compile(p.pattern)) for n, family in ranked for p in family.raw]
        self._terminal = next(n for n, family in ranked if family.name == "terminal")

    def __call__(self, sources: Sequence[Quote], shown: Quote) -> tuple[Suspicion, ...]:
        """What is suspicious in the sources of a call, and in the text that is shown of them (`shown`) where
        it stands in none of the sources. Each text once, at most `MOST` of them."""
        found: dict[str, Suspicion] = {}
        for source in sources:
            for each in islice(self._of(lines_of(source.locator, source.text)), MANY):
                found.setdefault(each.key, each)
        # A table or a sentence shows a piece of a text that was told already.
        told = "\n".join(_letters(each.text + each.reads) for each in found.values())
        for each in islice(self._of(lines_of(shown.locator, shown.text)), MANY):
            if not told or each.words not in told:
                found.setdefault(each.key, each)
        all_ = tuple(found.values())
        if len(all_) <= MOST:
            return all_
        return (*all_[: MOST - 1], all_[MOST - 1].model_copy(update={"more": len(all_) - MOST}))

    def _of(self, lines: Sequence[Line]) -> Iterator[Suspicion]:
        best: dict[int, Hit] = {}
        for hit in (*self._unseen(lines), *self._said(lines)):
            if hit.line not in best or hit.rank < best[hit.line].rank:
                best[hit.line] = hit
        for number in sorted(best):
            line, hit = lines[number], best[number]
            # Words that hold a line end go on in the next line: it is quoted too.
            if "\n" in hit.words:
                line = line._replace(text=f"{line.text}\n{lines[number + 1].text}")
            yield self._finding(line, hit)

    def _unseen(self, lines: Sequence[Line]) -> Iterator[Hit]:
        """Signs that steer a terminal or are not seen."""
        for number, line in enumerate(lines):
            if line.text.isascii() and line.text.isprintable():
                continue
            for rank, near, pattern in self._raw:
                if any(sign in line.text for sign in near) and (found := pattern.search(line.text)):
                    yield Hit(number, rank, found.start(), "")
            if "\r" in line.text and (start := _overwrites(line.text)):
                yield Hit(number, self._terminal, start, "")

    def _said(self, lines: Sequence[Line]) -> Iterator[Hit]:
        """Phrases, in the lines as they read and in what they say in a code."""
        folded = [self._folder.fold(line.text) for line in lines]
        read = [(fold.text, line.goes_on) for fold, line in zip(folded, lines, strict=True)]
        for number, rank, start, words in self._met(read):
            fold = folded[number]
            written = lines[number].text[fold.place(start) : fold.place(start + len(words))].lower()
            # Where other signs stand there than are read, what is read is told.
            plain = not fold.places or "\n" in words or written.replace("_", " ") == words
            yield Hit(number, rank, fold.place(start), words, "" if plain else fold.text)
        for number, line in enumerate(lines):
            for start, reads in decoded(line.text):
                for _, rank, _, words in self._met([(self._folder.fold(reads).text, False)]):
                    yield Hit(number, rank, start, words, reads)
            for start, letters in apart(folded[number].text):
                for phrase in self._phrases:
                    if found := phrase.together.search(letters):
                        yield Hit(number, phrase.rank, folded[number].place(start), found[0], letters)

    def _met(self, lines: Sequence[tuple[str, bool]]) -> Iterator[tuple[int, int, int, str]]:
        """Line, rank, start and words of each phrase that folded lines hold."""
        texts = [text.replace("_", " ") for text, _ in lines]
        whole, starts, at = "\n".join(texts), [], 0
        for text in texts:
            starts.append(at)
            at += len(text) + 1
        for phrase in self._phrases:
            near = {bisect_right(starts, place) - 1 for word in phrase.near for place in _all(whole, word)}
            for number in sorted(near):
                text, goes_on = texts[number], lines[number][1]
                # A sentence may go on in the next line, behind its time.
                more = _STAMP.sub("", texts[number + 1]) if goes_on and number + 1 < len(texts) else ""
                found = phrase.pattern.search(f"{text}\n{more}" if more else text)
                if found and found.start() < len(text):
                    yield number, phrase.rank, found.start(), found[0]

    def _finding(self, line: Line, hit: Hit) -> Suspicion:
        family = self._known.families[hit.rank]
        first = max(hit.start - LINE, 0)
        around = line.text[first : hit.start + LINE]
        before = self._redact.clean(visible(around[: hit.start - first]))
        whole = self._redact.clean(visible(around))
        # Where a secret stands before the finding the text got shorter: the quote begins at the same words.
        start = min(len(before), len(whole))
        head, tail = whole[:start][-BEFORE:], whole[start : start + AFTER]
        cut = ("…" * (start > BEFORE), "…" * (len(whole) > start + AFTER))
        reads = self._redact.clean(visible(hit.reads))[:AFTER]
        words = _letters(hit.words)
        # Up to the end of the text: an object may hold it once more, inside another text.
        same = reads or (re.split(r'["\\]', tail[len(hit.words) :])[0] if words else whole)
        key = f"{family.name} {(words + _letters(same))[:ALIKE]}"
        return Suspicion(
            family=family.name,
            does=family.does,
            locator=line.locator,
            text=f"{cut[0]}{head}{tail}{cut[1]}".strip(),
            reads=reads,
            words=words,
            key=key,
        )


def _compiled(rank: int, phrase: Phrase) -> Compiled:
    # Words are parted by `_` as by a blank, in the texts as well: there is none in either.
    pattern = phrase.pattern.replace("_", " ")
    together = re.compile(pattern.replace(r"\b", "").replace(" ", "(?:)"))
    near = tuple(word.replace("_", " ") for word in phrase.near)
    return Compiled(rank, near, re.compile(pattern.replace(" ", GAP)), together)


def _all(text: str, word: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalpha())


def _overwrites(line: str) -> int:
    """Where a line begins to draw over itself with other words; 0 where it does not. A count or a bar that is
    drawn anew says the same words again."""
    parts = line.split("\r")
    place = len(parts[0])
    for before, after in zip(parts, parts[1:], strict=False):
        old, new = _letters(before), _letters(after)
        if len(new) > 7 and len(old) > 2 and old[:4] != new[:4]:
            return place
        place += len(after) + 1
    return 0
