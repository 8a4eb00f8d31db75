"""Which tables a statement names and by which columns it filters, told by its words; what cannot be told is
left out. Also the look at statements itself, for servers that cannot show any."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from opssquad import Database, DatabaseError, Json, Rows

from ._common import Place, place_of

TOKEN = re.compile(
    r"""(?P<skip>--[^\n]*|/\*.*?\*/|\s+)
    |(?P<string>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")+")
    |(?P<word>[^\W\d][\w$]*)
    |(?P<value>\$\d+|\d[\w.]*|\?|%s)
    |(?P<sign>::|[<>=!]+|.)""",
    re.DOTALL | re.VERBOSE,
)
STARTS = frozenset({"from", "join", "update", "into", "using", "copy"})
"""Words after which a table is named."""
CALLED = frozenset({"from", "join", "using"})
"""Those of them after which a name before a parenthesis is a function's."""
NOT_BEFORE = {"update": {"for", "key", "do"}, "from": {"distinct"}}
"""Words before one of those that make it another clause: `for update`, `is distinct from`."""
_WORDS = """where set on using order group limit left right inner outer join cross natural values select full
returning as and or not from for window fetch offset union having default tablesample when with to"""
WORDS = frozenset(_WORDS.split())
"""Words that may stand where an alias could."""
FILTERING = frozenset({"where", "on"})
ELSEWHERE = frozenset({"select", "set", "group", "order", "having", "returning", "limit", "values", "from"})
"""Words after which comparisons are no filter, until the next `where` or `on`."""
TURNS = FILTERING | ELSEWHERE
BEFORE = frozenset({"where", "and", "or", "on", "("})
"""What stands before a column that is compared as it is."""


class Token(NamedTuple):
    """A piece of a statement; a word is folded as the server does it, a quoted name is not."""

    kind: str
    text: str


@lru_cache(maxsize=1024)
def _tokens(statement: str) -> tuple[Token, ...]:
    found = []
    for match in TOKEN.finditer(statement):
        kind, text = str(match.lastgroup), match[0]
        if kind == "name":
            found.append(Token("name", text[1:-1].replace('""', '"')))
        elif kind != "skip":
            found.append(Token(kind, text.lower() if kind == "word" else text))
    return tuple(found)


def has_parameters(statement: str) -> bool:
    """Whether `$1` stands for a value somewhere."""
    return any(token.kind == "value" and token.text.startswith("$") for token in _tokens(statement))


class Mention(NamedTuple):
    """A table as a statement names it: `schema` and `alias` are empty where there is none."""

    schema: str
    name: str
    alias: str


@lru_cache(maxsize=1024)
def mentions(statement: str) -> tuple[Mention, ...]:
    """The tables that the statement seems to name, those that it defines itself left out."""
    tokens = _tokens(statement)
    own = {tokens[at].text for at in range(len(tokens) - 2) if _defines(tokens, at)}
    found: list[Mention] = []
    for at, token in enumerate(tokens):
        if token.kind != "word" or token.text not in STARTS:
            continue
        if at and tokens[at - 1].text in NOT_BEFORE.get(token.text, ()):
            continue
        found += _listed(tokens, at + 1, token.text)
    return tuple(each for each in found if each.schema or each.name not in own)


def _defines(tokens: Sequence[Token], at: int) -> bool:
    """Whether a `with` names a table of its own here: `name as [not materialized] (`."""
    if tokens[at].kind not in ("word", "name") or tokens[at + 1] != ("word", "as"):
        return False
    after = [each.text for each in tokens[at + 2 : at + 5]]
    while after and after[0] in ("not", "materialized"):
        after.pop(0)
    return bool(after) and after[0] == "("


def _listed(tokens: Sequence[Token], at: int, clause: str) -> list[Mention]:
    """The names from there on, as many as commas join."""
    found = []
    while at < len(tokens):
        if tokens[at] == ("word", "only"):
            at += 1
        parts: list[str] = []
        while at < len(tokens) and _names(tokens[at], first=not parts):
            parts.append(tokens[at].text)
            at += 1
            if at >= len(tokens) or tokens[at].text != ".":
                break
            at += 1
        if not parts or (clause in CALLED and at < len(tokens) and tokens[at].text == "("):
            break
        at, alias = _alias(tokens, at)
        found.append(Mention(parts[-2] if len(parts) > 1 else "", parts[-1], alias))
        if clause != "from" or at >= len(tokens) or tokens[at].text != ",":
            break
        at += 1
    return found


def _names(token: Token, first: bool) -> bool:
    return token.kind == "name" or (token.kind == "word" and not (first and token.text in WORDS))


def _alias(tokens: Sequence[Token], at: int) -> tuple[int, str]:
    if at < len(tokens) and tokens[at].text == "*":
        at += 1
    if at < len(tokens) and tokens[at] == ("word", "as"):
        at += 1
    if at < len(tokens) and _names(tokens[at], first=True):
        return at + 1, tokens[at].text
    return at, ""


@lru_cache(maxsize=1024)
def compared(statement: str) -> tuple[tuple[str, str], ...]:
    """Columns that the statement compares with a value for equality where it filters, each with what it is
    qualified by."""
    tokens = _tokens(statement)
    found: list[tuple[str, str]] = []
    filtering, outer = False, [False]
    for at, token in enumerate(tokens):
        if token.kind == "word" and token.text in TURNS:
            filtering = token.text in FILTERING
        elif token.text == "(":
            outer.append(filtering)
        elif token.text == ")":
            filtering = outer.pop() if len(outer) > 1 else False
        elif filtering and (column := _column(tokens, at)) and column not in found:
            found.append(column)
    return tuple(found)


def _column(tokens: Sequence[Token], at: int) -> tuple[str, str] | None:
    """The column that is compared from here on: `[alias.]column = value`, or the other way round."""
    if at and tokens[at - 1].text not in BEFORE:
        return None
    if tokens[at].kind in ("value", "string"):
        return _named(tokens, at + 2)[0] if _text(tokens, at + 1) == "=" else None
    column, end = _named(tokens, at)
    if column is None:
        return None
    if _text(tokens, end) == "=":
        return column if _valued(tokens, end + 1) else None
    listed = _text(tokens, end) == "in" and _text(tokens, end + 1) == "("
    return column if listed and _valued(tokens, end + 2) else None


def _named(tokens: Sequence[Token], at: int) -> tuple[tuple[str, str] | None, int]:
    """A column with its qualifier, and where it ends."""
    if at >= len(tokens) or not _names(tokens[at], first=True):
        return None, at
    if _text(tokens, at + 1) == "." and at + 2 < len(tokens) and _names(tokens[at + 2], first=False):
        return (tokens[at].text, tokens[at + 2].text), at + 3
    return ("", tokens[at].text), at + 1


def _valued(tokens: Sequence[Token], at: int) -> bool:
    """Whether a value stands there: a parameter, a literal, one with its type before it, or any of a list."""
    while _text(tokens, at) in ("(", "-"):
        at += 1
    if at >= len(tokens):
        return False
    if tokens[at].kind in ("value", "string") or tokens[at] == ("word", "any"):
        return True
    return tokens[at].kind == "word" and at + 1 < len(tokens) and tokens[at + 1].kind == "string"


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text if at < len(tokens) else ""


class Names:
    """The tables that there are, to find those that statements name. A partitioned table stands for its
    partitions: their rows are in `parts`, summed. Built once for all statements."""

    def __init__(self, tables: Iterable[Json], columns: Iterable[Json] = ()) -> None:
        self._rows = {place_of(row): row for row in with_roots(tables)}
        self._called: dict[str, list[Json]] = defaultdict(list)
        for (_, name), row in self._rows.items():
            self._called[name].append(row)
        self._columns: dict[Place, set[str]] = defaultdict(set)
        for row in columns:
            self._columns[place_of(row)].add(str(row["column"]))

    @property
    def rows(self) -> list[Json]:
        """All tables."""
        return list(self._rows.values())

    def tables(self, statement: str) -> list[Json]:
        """Rows of the look `tables` that the statement names, in its order, each once."""
        found: list[Json] = []
        for each in mentions(statement):
            if (row := self._row(each)) is not None and row not in found:
                found.append(row)
        return found

    def filters(self, statement: str, table: Json) -> list[str]:
        """Columns of the table that the statement compares with a value for equality. One without a qualifier
        is of this table where only this one, of those that the statement names, has it."""
        mine, others, key = set(), [], place_of(table)
        for each in mentions(statement):
            if (row := self._row(each)) is not None and place_of(row) == key:
                mine |= {each.alias or each.name, each.name}
            else:
                others.append(place_of(row) if row is not None else ("", ""))
        own, found = self._columns.get(key), []
        for owner, column in compared(statement):
            if own and column not in own:
                continue
            if owner in mine or (not owner and self._only(column, own, others)):
                found.append(column)
        return found

    def _row(self, each: Mention) -> Json | None:
        """The table that is meant. Of several of a name that of `public`: the search path is not known."""
        if each.schema:
            return self._rows.get((each.schema, each.name))
        called = self._called.get(each.name, [])
        return called[0] if len(called) == 1 else self._rows.get(("public", each.name))

    def _only(self, column: str, own: set[str] | None, others: Sequence[Place]) -> bool:
        if not others:
            return True
        return bool(own) and all(
            other in self._columns and column not in self._columns[other] for other in others
        )


SUMMED = ("n_live_tup", "n_dead_tup", "seq_tup_read", "n_tup_ins", "n_tup_upd", "n_tup_del", "heap_size")


def with_roots(tables: Iterable[Json]) -> list[Json]:
    """The rows, those of partitioned tables filled with what their partitions sum up to."""
    rows = {place_of(row): row for row in tables}
    parts: dict[Place, list[Json]] = defaultdict(list)
    for row in rows.values():
        if row.get("root"):
            parts[str(row["root_schema"]), str(row["root"])].append(row)
    for key, mine in parts.items():
        whole = {name: sum(int(row.get(name) or 0) for row in mine) for name in SUMMED}
        # A statement that reads all of the table reads each partition once.
        scans = max(int(row.get("seq_scan") or 0) for row in mine)
        base = rows.get(key, {"schema": key[0], "table": key[1]})
        rows[key] = {**base, **whole, "seq_scan": scans, "parts": mine}
    return list(rows.values())


async def statements_of(database: Database) -> Rows:
    """The look `statements`. An extension that is created but not loaded shows nothing, and says how to mend
    that."""
    try:
        return await database.rows("statements")
    except DatabaseError as error:
        if "shared_preload_libraries" not in error.said:
            raise
        return Rows("statements", database.name, missing=f"{error.said}; that takes a restart of the server")
