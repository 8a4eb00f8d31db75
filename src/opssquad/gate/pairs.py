"""Finds names with their values in text: KEY=VALUE, JSON, YAML, flags, headers, environment entries.

What makes a name secret is in `names`; here is only where the value of a name stands.
"""

import re
from collections.abc import Hashable, Iterable, Iterator

from opssquad.gate.blocks import Block, blocks
from opssquad.gate.names import Lexicon, looks_random
from opssquad.gate.tables import Tables

Place = tuple[int, int]
"""Begin and end of a value."""

LONGEST_NAME = 80
CROWD = 32
"""Names in one value whose own values, each the rest of it, are looked at one by one."""
SIBLINGS = 8
"""Entries that stand beside a name: as many as there are words for them."""

_NAME_AFTER = re.compile(r"[\w.-]*")
_QUOTE = r"""(?:''|\\*["'])"""
_STOP = r"""[,;&](?!\s|\Z|\\*["']|[\w .-]{1,40}[=:])|[)\]}](?![\s,;.)\]}"']|\Z)"""
_HOLE = r"\$\{[^{}\s]*\}|\$\([^()\s]*\)|\{\{[^{}\n]*\}\}|«redacted[^»\n]*»"
_PIECE = rf"""(?:{_HOLE}|[^\s"'<>\\,;&)\]}}«]|{_STOP})"""
_BARE = rf"(?>{_PIECE}+)"
_END = r"(?<!\\)(?P=q)"
_CLOSED = rf"""(?P<quoted>(?:(?!{_END})[^\n]){{0,4000}}){_END}"""
_MARK = r"""(?P<q>''(?=[^'\s,;)}\]])|\\*["'])"""
_QUOTED = rf"{_MARK}(?:{_CLOSED}|(?P<open>[^\n]{{1,4000}}))"
_VALUE = rf"(?:{_QUOTED}|(?P<bare>{_BARE}))"
_OLD_QUOTED = rf"{_MARK}(?:{_CLOSED}|(?P<open>(?>(?:(?!->|→)[^\n]){{1,400}})))"
_OLD_VALUE = rf"(?:{_OLD_QUOTED}|(?P<bare>(?>(?:(?!->|→){_PIECE})+)))"
_FROM_NONE = re.compile(r"[ \t]+\([^)\n]{0,200}\)(?=[ \t]*(?:->|→))")
_ARROW = re.compile(rf"[ \t]*(?:->|→|=>)[ \t]*{_VALUE}", re.DOTALL)
_SEP = rf"(?P<sep>(?:{_QUOTE})?[ \t]*(?:=>|:=|==|=|:)[ \t]*(?:\n[ \t]+(?=''))?)"
_NAME_ENDS = re.compile(_SEP)
_AFTER_NAME = re.compile(_SEP + _VALUE, re.DOTALL)
_FLAG = re.compile(
    rf"""(?:[ \t]+|{_QUOTE}[ \t]*,?\s*(?={_QUOTE})|[ \t]*\n(?:[ \t]*-[ \t]+|[ \t]{{2,}})(?!-)){_VALUE}""",
    re.DOTALL,
)
_TAG = re.compile(rf"""(?:{_QUOTE}[ \t]*>\s*<value)?[ \t]*>(?P<bare>[^<>\n]{{1,4000}})</""")
_ATTRIBUTE = re.compile(rf"""{_QUOTE}\s+(?:value|val|default)\s*=\s*{_VALUE}""", re.DOTALL)
_DESCRIBED = re.compile(r":\n-{4}\n(?P<bare>[^\n]+)")
_UNEXPECTED = re.compile(r"(?i:\b(?:unexpected|next|offending|illegal)\s+)\Z")
_LABEL = re.compile(r"[\w-]\.[\w-]+/\Z")
_VERSION = re.compile(r"v?\d+\.\d[\w.+-]*|[0-9a-f]{7,64}")
_ENTRY = re.compile(
    rf"""{_QUOTE}\s*,\s*{_QUOTE}(?:value|from|to|old|new|before|after|default){_QUOTE}\s*:\s*{_VALUE}""",
    re.DOTALL,
)
_ENTRY_BEFORE = re.compile(
    rf"""{_QUOTE}value{_QUOTE}\s*:\s*(?P<q>\\*["']){_CLOSED}\s*,\s*{_QUOTE}name{_QUOTE}\s*:\s*{_QUOTE}\Z"""
)
_BESIDE = re.compile(rf"""["']\s*,\s*{_QUOTE}name{_QUOTE}\s*:\s*{_QUOTE}\Z""")
_YAML_VALUE = re.compile(rf"""(?:{_QUOTE})?[ \t]*\n[ \t+-]*value:[ \t]*(?P<bare>[^\n]+)""")
_LINE_HEAD = re.compile(r"""(?:^|\n)[ \t]*(?:[+-][ \t]*)*(?:export[ \t]+)?["']?\Z""")
_LINE_VALUE = re.compile(r"""["']?[ \t]*:[ \t]+(?P<bare>[^\s"'{\[|>&*!][^\n]*)""")
_BLOCK_BEGINS = re.compile(r"""["']?[ \t]*:[ \t]*[|>][+-]?\d?[ \t]*\n(?=(?P<indent>[ \t]+))""")
_BLOCK = re.compile(r"(?P<indent>[ \t]+)[^\n]*\n?(?:(?P=indent)[^\n]*\n?|[ \t]*\n)*")
_CHANGED = re.compile(rf"[ \t]+{_OLD_VALUE}[ \t]*(?=->|→)")


class _Named:
    """A name, and which of the values that may be its own are secrets."""

    def __init__(self, lexicon: Lexicon, name: str) -> None:
        self._lexicon, self._name = lexicon, name

    def hidden(self, found: re.Match[str], *, loose: bool = False) -> Iterator[Place]:
        """The place of the value, if it is a secret."""
        named = found.groupdict()
        group = next(each for each in ("quoted", "open", "bare") if named.get(each) is not None)
        value = found[group]
        if self._lexicon.hides(self._name, value, loose=loose):
            lead = len(value) - len(value.lstrip())
            yield found.start(group) + lead, found.start(group) + len(value.rstrip())

    def only_spoken_of(self, pair: re.Match[str]) -> bool:
        """Whether a quoted name is followed by a word of a sentence, as in `volume "token" : secret "x"`."""
        return '"' in pair["sep"] and (pair["bare"] or "").lower() in self._lexicon.prose

    def holds(self, text: str, place: Place) -> Iterator[Place]:
        """The place without blanks around it, if what stands there is a secret."""
        value = text[slice(*place)]
        if self._lexicon.hides(self._name, value):
            yield place[0] + len(value) - len(value.lstrip()), place[0] + len(value.rstrip())

    @property
    def kind(self) -> Hashable:
        """The same for names under which the same values are secrets."""
        return self._lexicon.kind(self._name)

    def takes(self, text: str, block: Block) -> bool:
        """Whether a value of several lines is a secret: as a whole, or for a line that looks made up."""
        value = text[block.start : block.end]
        return self._lexicon.hides(self._name, value, loose=block.loose) or any(
            looks_random(line.strip()) and self._lexicon.hides(self._name, line, loose=block.loose)
            for line in value.split("\n")
        )


class _Run:
    """The last value that names may stand in whose values end where it does, as in `token=token=x`."""

    def __init__(self) -> None:
        self.start = self.end = self._names = 0
        self._hidden = False

    def enter(self, start: int, end: int) -> None:
        """The value is read from `start` on."""
        if end != self.end or start < self.start:
            self.start, self.end, self._names, self._hidden = start, end, 0, False

    def hide(self, places: Iterable[Place]) -> list[Place]:
        """The places in it that are secrets, for whoever asked."""
        found = list(places)
        self._hidden |= bool(found)
        return found

    def crowded(self, start: int) -> list[Place] | None:
        """What is to be hidden of a value that begins within this one, behind more names than are looked at
        one by one; None where there are no more. Where nothing of it is hidden yet, the rest is."""
        if not self.start <= start < self.end:
            return None
        self._names += 1
        if self._names <= CROWD:
            return None
        hidden, self._hidden = self._hidden, True
        return [] if hidden else [(start, self.end)]


class _Seen:
    """A text, and what was read of it for the names before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tables = Tables(text)
        self.bare, self.block = _Run(), _Run()
        self._blocks: dict[str, Place] = {}

    def block_at(self, begins: re.Match[str]) -> Place:
        """Where the block of lines stands that YAML begins with `|`."""
        at, indent = begins.end(), begins["indent"]
        known = self._blocks.get(indent, (0, 0))
        if not known[0] <= at < known[1]:
            block = _BLOCK.match(self.text, at)
            known = self._blocks[indent] = block.span() if block else (at, at)
        return at, known[1]


def find(text: str, lexicon: Lexicon) -> Iterator[Place]:
    """Where the values of secret names stand, in no particular order; places may overlap."""
    past, reached, seen = 0, 0, _Seen(text)
    for start, end in lexicon.keywords(text):
        if start < past:
            continue
        start, past = _name(text, start, end)
        written = text[start:past]
        name = written.lstrip("-.").rstrip("-.")
        if lexicon.strength(name) and not _UNEXPECTED.search(text, max(0, start - 20), start):
            end = start + len(written.rstrip("-."))
            known = _Named(lexicon, name)
            yield from _values(seen, known, start, end, flag=written.startswith("-"))
            # What is inside a value that goes needs no second look.
            for block in blocks(text, start, end) if start >= reached else ():
                if known.takes(text, block):
                    reached = block.end
                    yield block.start, block.end


def _name(text: str, start: int, end: int) -> Place:
    """The whole name around a keyword."""
    first = max(0, start - LONGEST_NAME)
    while start > first and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    after = _NAME_AFTER.match(text, end, end + LONGEST_NAME)
    return start, after.end() if after else end


def _values(seen: _Seen, name: _Named, start: int, end: int, *, flag: bool) -> Iterator[Place]:
    text = seen.text
    head = _LINE_HEAD.search(text, max(0, start - 100), start) is not None
    if head and (begins := _BLOCK_BEGINS.match(text, end)):
        yield from _block(seen, name, begins)
        return
    if head and (line := _LINE_VALUE.match(text, end)) and not _several(line["bare"]):
        yield from name.hidden(line, loose=True)
    ends = _NAME_ENDS.match(text, end)
    if ends and (rest := seen.bare.crowded(ends.end())) is not None:
        yield from rest
        return
    pair = _AFTER_NAME.match(text, end) if ends else None
    if pair and pair["bare"]:
        seen.bare.enter(*pair.span("bare"))
    if pair and not _part_of_a_path(text, start, pair):
        yield from _paired(seen, name, pair)
    else:
        yield from _changed(text, name, end, flag=flag)
    yield from _entries(seen, name, start, end)


def _block(seen: _Seen, name: _Named, begins: re.Match[str]) -> Iterator[Place]:
    place = seen.block_at(begins)
    rest = seen.block.crowded(place[0])
    if rest is None:
        seen.block.enter(*place)
        rest = seen.block.hide(name.holds(seen.text, place))
    yield from rest


def _paired(seen: _Seen, name: _Named, pair: re.Match[str]) -> Iterator[Place]:
    loose = pair["q"] is None and ":" in pair["sep"] and '"' not in pair["sep"]
    found = [] if name.only_spoken_of(pair) else list(name.hidden(pair, loose=loose))
    yield from seen.bare.hide(found) if pair["bare"] else found
    if (found or not loose) and (arrow := _ARROW.match(seen.text, pair.end())):
        yield from name.hidden(arrow)


def _changed(text: str, name: _Named, end: int, *, flag: bool) -> Iterator[Place]:
    """A value that an arrow leads to, or that stands behind a flag."""
    if (none := _FROM_NONE.match(text, end)) and (arrow := _ARROW.match(text, none.end())):
        yield from name.hidden(arrow)
    elif changed := _CHANGED.match(text, end):
        yield from name.hidden(changed)
        if arrow := _ARROW.match(text, changed.end()):
            yield from name.hidden(arrow)
    elif flag and (spaced := _FLAG.match(text, end)):
        yield from name.hidden(spaced, loose=True)


def _part_of_a_path(text: str, start: int, pair: re.Match[str]) -> bool:
    """Whether a name with a colon behind it is no key: it ends the path of an object, of an image with its
    tag, of a cloud's resource. The key of an annotation begins with a domain, and is one."""
    sep, bare = pair["sep"], pair["bare"] or ""
    if sep == "==" and _VERSION.fullmatch(bare):
        return True
    if ":" not in sep:
        return False
    before = text[start - 1 : start]
    if before == "/":
        labelled = _LABEL.search(text, max(0, start - 253), start) is not None
        return not labelled or sep == ":"
    return sep == ":" and (before == ":" or _VERSION.fullmatch(bare) is not None)


def _entries(seen: _Seen, name: _Named, start: int, end: int) -> Iterator[Place]:
    """Values that stand beside the name rather than under it: environment entries, XML, differences."""
    text, at = seen.text, end
    for _ in range(SIBLINGS):
        if not (entry := _ENTRY.match(text, at)):
            break
        yield from name.hidden(entry)
        at = entry.end() - len(entry["q"] or "")
    if entry := _entry_before(text, start):
        yield from name.hidden(entry)
    if entry := _YAML_VALUE.match(text, end):
        yield from name.hidden(entry)
    for beside in (_TAG, _ATTRIBUTE, _DESCRIBED):
        if entry := beside.match(text, end):
            yield from name.hidden(entry)
    for place in seen.tables.cells(start, end, name.kind):
        yield from name.holds(text, place)


def _entry_before(text: str, start: int) -> re.Match[str] | None:
    """The entry whose value is written before its name."""
    if text[start - 1 : start] not in ('"', "'"):
        return None
    beside = _BESIDE.search(text, max(0, start - 100), start)
    first = last = max(0, start - 4000)
    if beside:
        last = beside.start()
    # The value itself may hold the word.
    for _ in range(4):
        last = text.rfind("value", first, last)
        if last < 0:
            break
        if entry := _ENTRY_BEFORE.search(text, max(first, last - 8), start):
            return entry
    return None


def _several(value: str) -> bool:
    """Whether the rest of a line holds further pairs or a change, so that it is not one value."""
    return re.search(r"[,;&\s][\w.-]+[=:]|->|→", value) is not None
