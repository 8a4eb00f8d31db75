"""A log in few lines: alike entries counted under one template, and the errors that led to an end.

Deterministic: numbers, ids, addresses and quoted values are masked, nothing is learned. Reading single lines
is `_loglines`' business.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap

from opssquad import clock_time

from ._levels import LEVELS
from ._loglines import Entry

_SECRET = re.compile(r"(?i)([\w.-]*(?:pass|pwd|secret|token|key|cred|auth|cookie)[\w.-]*[:=]) ")
WIDTH = 80
SHOWN = 300
"""Characters of one template that are shown at most."""
CHAIN = 6

_TOKEN = re.compile(
    r"(?P<uuid>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)"
    r"|(?P<ip>\b\d{1,3}(?:\.\d{1,3}){3}\b)"
    r"|(?P<hex>\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b)"
    r"|(?P<id>(?-i:\b[A-Z]{1,5}(?=[a-f]*\d)[0-9a-f]{6,}\b))"
    r"|(?P<version>\bv\d+(?:\.\d+)*\b)"
    r"|(?P<n>\d+(?:[.,]\d+)*)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\"([^\"]*)\"|(?<![\w])'([^']*)'")
_KEPT = re.compile(r"[A-Z]+ /|\w+://|/")
_IDENTIFIER = re.compile(r"/(?!v\d+(?:/|$))[^/]*\d[^/]*")
_DIGIT = re.compile(r"\d|[0-9a-f]{12}", re.IGNORECASE)
_REMEMBERED = 50_000


@dataclass(slots=True)
class Group:
    """Entries of one level that say the same: their template, how many they are, the first and the last."""

    template: str
    level: str
    count: int
    first: Entry
    last: Entry
    alike: bool = True

    @property
    def words(self) -> str:
        """The message itself where all are word for word the same, else the template."""
        return _said(self.first) if self.alike else self.template


def mask(text: str) -> str:
    """The text without what varies: `<n>`, `<ip>`, `<hex>`, `<uuid>`, `<id>`, and `"…"` for quoted values;
    requests and addresses in quotes are kept, masked, and versions (`v3`) as they are."""
    if '"' in text or "'" in text:
        text = _QUOTED.sub(_quoted, text)
    if not _DIGIT.search(text):
        return text
    return _TOKEN.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    return found[0] if found.lastgroup == "version" else f"<{found.lastgroup}>"


def _quoted(found: re.Match[str]) -> str:
    inside = found[1] if found[1] is not None else found[2]
    return found[0] if _KEPT.match(inside) else f"{found[0][0]}…{found[0][0]}"


def _said(entry: Entry) -> str:
    if entry.access:
        return f"{entry.access.method} {entry.access.path} {entry.access.status}".strip()
    return entry.message


def _template(entry: Entry) -> str:
    if entry.access:
        path = _IDENTIFIER.sub("/<id>", entry.access.path.partition("?")[0])
        return f"{entry.access.method} {path} {entry.access.status}".strip()
    return mask(entry.message)


def groups(read: Iterable[Entry]) -> list[Group]:
    """Entries by template and level, gravest first, then the most frequent, then in order of appearance."""
    found: dict[tuple[str, str], Group] = {}
    templates: dict[str, str] = {}
    for entry in read:
        said = _said(entry)
        template = templates.get(said)
        if template is None:
            template = _template(entry)
            if len(templates) < _REMEMBERED:
                templates[said] = template
        group = found.get((template, entry.level))
        if group is None:
            found[template, entry.level] = Group(template, entry.level, 1, entry, entry)
            continue
        group.count += 1
        group.last = entry
        group.alike = group.alike and said == _said(group.first)
    return sorted(found.values(), key=lambda each: (LEVELS.index(each.level), -each.count))


def chain(read: Sequence[Entry]) -> list[Entry]:
    """The errors at the end of a log in their order, repeats left out: what led to the end of the process."""
    grave: list[Entry] = []
    for entry in reversed(read):
        if entry.level in {"fatal", "error"} and all(mask(entry.message) != mask(g.message) for g in grave):
            grave.append(entry)
        if len(grave) == CHAIN:
            break
    return grave[::-1]


def when(moment: datetime | None, now: datetime) -> str:
    """`14:36` for today by the world's clock, `03-07 14:36` for another day, `?` where unknown."""
    if moment is None:
        return "?"
    stamp = clock_time(moment)
    return stamp if moment.date() == now.date() else f"{moment:%m-%d} {stamp}"


def table(found: Sequence[Group], now: datetime, limit: int = 10) -> list[str]:
    """The groups as rows of 80 columns: count, first, last, level, words."""
    shown = _chosen(found, limit)
    if not shown:
        return []
    span = max(len(when(e.at, now)) for g in shown for e in (g.first, g.last))
    span = max(span, 5)
    rows = [f"{'COUNT':>6}  {'FIRST':<{span}}  {'LAST':<{span}}  LEVEL  WHAT"]
    for each in shown:
        first, last = when(each.first.at, now), when(each.last.at, now)
        head = f"{each.count:>6}  {first:<{span}}  {last:<{span}}  {each.level:<5}  "
        rows += hanging(head, cut(each.words))
    if left := len(found) - len(shown):
        rows.append(
            f"        and {left} more kinds of lines ({sum(g.count for g in found) - _sum(shown)} lines)"
        )
    return rows


def _chosen(found: Sequence[Group], limit: int) -> list[Group]:
    """All that is grave as far as there is room, and at least a few of the ordinary ones."""
    grave = [each for each in found if each.level in {"fatal", "error", "warn"}][:limit]
    plain = [each for each in found if each.level not in {"fatal", "error", "warn"}]
    return grave + plain[: max(limit - len(grave), 2)]


def _sum(found: Iterable[Group]) -> int:
    return sum(each.count for each in found)


def cut(text: str) -> str:
    """One line of at most 300 characters, its middle left out."""
    text = " ".join(text.split())
    half = (SHOWN - 3) // 2
    return text if len(text) <= SHOWN else f"{text[:half]} … {text[-half:]}"


def hanging(head: str, text: str) -> list[str]:
    """The head and the text, wrapped at 80 columns below where the text began."""
    room = max(WIDTH - len(head), 30)
    # A value that is torn, or stands apart from its name, could no more be told to be a secret.
    kept = _SECRET.sub("\\1\u00a0", text)
    lines = wrap(kept, room, break_on_hyphens=False, break_long_words=False) or [""]
    lines = [line.replace("\u00a0", " ") for line in lines]
    return [head + lines[0], *(" " * len(head) + line for line in lines[1:])]


def told(read: Iterable[Entry], now: datetime) -> Iterator[str]:
    """Entries one by one: time with seconds, level, words."""
    for entry in read:
        at = f"{entry.at:%H:%M:%S}" if entry.at else "?"
        if entry.at and entry.at.date() != now.date():
            at = f"{entry.at:%m-%d %H:%M:%S}"
        head = f"  {at}  {entry.level.upper():<5}  "
        yield from hanging(head, cut(_said(entry)))
        if deepest := root(entry):
            yield from hanging(" " * len(head), cut(deepest))


def root(entry: Entry) -> str:
    """The deepest cause that an entry's stack trace names; empty where it names none."""
    causes = [line for line in entry.lines[1:] if "Caused by: " in line]
    return causes[-1][causes[-1].index("Caused by: ") :].strip() if causes else ""
