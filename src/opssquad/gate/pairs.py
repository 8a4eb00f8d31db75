"""Finds names with their values in text: KEY=VALUE, JSON, YAML, flags, headers, environment entries.

What makes a name secret is in `names`; here is only where the value of a name stands.
"""

import re
from collections.abc import Iterator

from opssquad.gate.names import Lexicon
from opssquad.gate.tables import cells

Place = tuple[int, int]
"""Begin and end of a value."""

LONGEST_NAME = 80

_NAME_AFTER = re.compile(r"[\w.-]*")
_QUOTE = r"""(?:''|\\*["'])"""
_STOP = r"""[,;&](?!\s|\Z|\\*["']|[\w .-]{1,40}[=:])|[)\]}](?![\s,;.)\]}"']|\Z)"""
_HOLE = r"\$\{[^}\s]*\}|\$\([^)\s]*\)|\{\{[^}\n]*\}\}|«redacted[^»\n]*»"
_BARE = rf"""(?:{_HOLE}|[^\s"'<>\\,;&)\]}}«]|{_STOP})+"""
_END = r"(?<!\\)(?P=q)"
_CLOSED = rf"""(?P<quoted>(?:(?!{_END})[^\n]){{0,4000}}){_END}"""
_QUOTED = rf"""(?P<q>''(?=[^'\s,;)}}\]])|\\*["'])(?:{_CLOSED}|(?P<open>[^\n]{{1,4000}}))"""
_VALUE = rf"(?:{_QUOTED}|(?P<bare>{_BARE}))"
_FROM_NONE = re.compile(r"[ \t]+\([^)\n]*\)(?=[ \t]*(?:->|→))")
_ARROW = re.compile(rf"[ \t]*(?:->|→|=>)[ \t]*{_VALUE}", re.DOTALL)
_AFTER_NAME = re.compile(
    rf"""(?P<sep>(?:{_QUOTE})?[ \t]*(?:=>|:=|==|=|:)[ \t]*(?:\n[ \t]+(?=''))?){_VALUE}""",
    re.DOTALL,
)
_FLAG = re.compile(
    rf"""(?:[ \t]+|{_QUOTE}[ \t]*,?\s*(?={_QUOTE})|[ \t]*\n(?:[ \t]*-[ \t]+|[ \t]{{2,}})(?!-)){_VALUE}""",
    re.DOTALL,
)
_TAG = re.compile(rf"""(?:{_QUOTE}[ \t]*>\s*<value)?[ \t]*>(?P<bare>[^<>\n]{{1,4000}})</""")
_ATTRIBUTE = re.compile(rf"""{_QUOTE}\s+(?:value|val|default)\s*=\s*{_VALUE}""", re.DOTALL)
_DESCRIBED = re.compile(r":\n-{4}\n(?P<bare>[^\n]+)")
_UNEXPECTED = re.compile(r"(?i:\b(?:unexpected|next|offending|illegal)\s+)\Z")
_LABEL = re.compile(r"""[\w-]+(?:\.[\w-]+)+/\Z""")
_VERSION = re.compile(r"v?\d+(?:\.\d+)+[\w.+-]*|[0-9a-f]{7,64}")
_ENTRY = re.compile(
    rf"""{_QUOTE}\s*,\s*{_QUOTE}(?:value|from|to|old|new|before|after|default){_QUOTE}\s*:\s*{_VALUE}""",
    re.DOTALL,
)
_ENTRY_BEFORE = re.compile(
    rf"""{_QUOTE}value{_QUOTE}\s*:\s*(?P<q>\\*["']){_CLOSED}\s*,\s*{_QUOTE}name{_QUOTE}\s*:\s*{_QUOTE}\Z"""
)
_YAML_VALUE = re.compile(rf"""(?:{_QUOTE})?[ \t]*\n[ \t+-]*value:[ \t]*(?P<bare>[^\n]+)""")
_LINE_HEAD = re.compile(r"""(?:^|\n)[ \t]*(?:[+-][ \t]*)*(?:export[ \t]+)?["']?\Z""")
_LINE_VALUE = re.compile(r"""["']?[ \t]*:[ \t]+(?P<bare>[^\s"'{\[|>&*!][^\n]*)""")
_BLOCK = re.compile(
    r"""["']?[ \t]*:[ \t]*[|>][+-]?\d?[ \t]*\n"""
    r"""(?P<bare>(?P<indent>[ \t]+)[^\n]*\n?(?:(?P=indent)[^\n]*\n?|[ \t]*\n)*)"""
)
_CHANGED = re.compile(rf"[ \t]+(?:{_VALUE})[ \t]*(?=->|→)")


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
        """The place, if what stands there is a secret."""
        if self._lexicon.hides(self._name, text[slice(*place)]):
            yield place


def find(text: str, lexicon: Lexicon) -> Iterator[Place]:
    """Where the values of secret names stand, in no particular order; places may overlap."""
    past = 0
    for start, end in lexicon.keywords(text):
        if start < past:
            continue
        start, past = _name(text, start, end)
        written = text[start:past]
        name = written.lstrip("-.").rstrip("-.")
        if lexicon.strength(name) and not _UNEXPECTED.search(text, max(0, start - 20), start):
            end = start + len(written.rstrip("-."))
            known = _Named(lexicon, name)
            yield from _values(text, known, start, end, flag=written.startswith("-"))


def _name(text: str, start: int, end: int) -> Place:
    """The whole name around a keyword."""
    first = max(0, start - LONGEST_NAME)
    while start > first and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    after = _NAME_AFTER.match(text, end, end + LONGEST_NAME)
    return start, after.end() if after else end


def _values(text: str, name: _Named, start: int, end: int, *, flag: bool) -> Iterator[Place]:
    head = _LINE_HEAD.search(text, max(0, start - 100), start) is not None
    if head and (block := _BLOCK.match(text, end)):
        yield from name.hidden(block)
        return
    if head and (line := _LINE_VALUE.match(text, end)) and not _several(line["bare"]):
        yield from name.hidden(line, loose=True)
    pair = _AFTER_NAME.match(text, end)
    if pair and not _part_of_a_path(text, start, pair):
        loose = pair["q"] is None and ":" in pair["sep"] and '"' not in pair["sep"]
        found = [] if name.only_spoken_of(pair) else list(name.hidden(pair, loose=loose))
        yield from found
        if (arrow := _ARROW.match(text, pair.end())) and (found or not loose):
            yield from name.hidden(arrow)
    elif (none := _FROM_NONE.match(text, end)) and (arrow := _ARROW.match(text, none.end())):
        yield from name.hidden(arrow)
    elif changed := _CHANGED.match(text, end):
        yield from name.hidden(changed)
        if arrow := _ARROW.match(text, changed.end()):
            yield from name.hidden(arrow)
    elif flag and (spaced := _FLAG.match(text, end)):
        yield from name.hidden(spaced, loose=True)
    yield from _entries(text, name, start, end)


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


def _entries(text: str, name: _Named, start: int, end: int) -> Iterator[Place]:
    """Values that stand beside the name rather than under it: environment entries, XML, differences."""
    at = end
    while entry := _ENTRY.match(text, at):
        yield from name.hidden(entry)
        at = entry.end() - len(entry["q"] or "")
    quoted = text[start - 1 : start] in ('"', "'")
    if quoted and (entry := _ENTRY_BEFORE.search(text, max(0, start - 4000), start)):
        yield from name.hidden(entry)
    if entry := _YAML_VALUE.match(text, end):
        yield from name.hidden(entry)
    for beside in (_TAG, _ATTRIBUTE, _DESCRIBED):
        if entry := beside.match(text, end):
            yield from name.hidden(entry)
    for place in cells(text, start, end):
        yield from name.holds(text, place)


def _several(value: str) -> bool:
    """Whether the rest of a line holds further pairs or a change, so that it is not one value."""
    return re.search(r"[,;&\s][\w.-]+[=:]|->|→", value) is not None
