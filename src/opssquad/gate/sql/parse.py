"""Text into PostgreSQL's own tree. What no proof should be asked of is refused before the parser sees it.

The parser is C and recursive: a bound on what can nest spares its stack, so that no text ends the process.
"""

import re
from typing import Any, TypeAlias

from opssquad.gate.sql.unproven import Unproven, place, short
from opssquad.gate.visible import hidden

Message: TypeAlias = Any
"""A protobuf message of the parser's."""

LONGEST = 20_000
"""Characters."""
MOST = 1_000
"""Tokens that may open one more level each: operators, brackets and key words. So deep, the parser takes less
than 512 kB of stack."""
FLAT = (
    "IDENT", "SCONST", "USCONST", "ICONST", "FCONST", "BCONST", "XCONST", "PARAM",
    "SQL_COMMENT", "C_COMMENT", "ASCII_44", "ASCII_46", "ASCII_59",
)  # fmt: skip
"""Tokens that open none; the last three are a comma, a dot and a semicolon."""
BLANKS = "\n\t\r"
TORN = re.compile(r"(?<!\\)(?:\\\\)*\\'")
"""A quote behind a backslash: another end of the string with standard_conforming_strings off."""


def parse(text: str) -> Message:
    """The tree of a text. Raises Unproven for text that is not SQL or cannot be looked at."""
    _check_characters(text)
    # Late: only who proves something waits for it.
    from opssquad.gate.sql.parser import DecodeError, postgast

    try:
        _check_tokens(text, postgast.scan(text).tokens, postgast.pg_query_pb2.Token)
        return postgast.parse(text)
    except postgast.PgQueryError as error:
        raise Unproven(_syntax(text, error.message, error.cursorpos)) from None
    except DecodeError:
        raise Unproven("the statement is nested too deeply to be looked at; write it flatter") from None


def _check_characters(text: str) -> None:
    if len(text) > LONGEST:
        raise Unproven(f"the text has {len(text)} characters, and {LONGEST} are taken at most; ask for less")
    for at, char in enumerate(text):
        if char not in BLANKS and hidden(char):
            raise Unproven(
                f"U+{ord(char):04X} at character {at + 1} would not be seen as itself; leave it out"
            )


def _check_tokens(text: str, tokens: Any, kinds: Any) -> None:
    source = text.encode()
    flat, string = {kinds.Value(name) for name in FLAT}, kinds.Value("SCONST")
    many = sum(token.token not in flat for token in tokens)
    if many > MOST:
        raise Unproven(
            f"{many} operators, brackets and key words are more than the {MOST} looked at; split it up"
        )
    for token in tokens:
        written = source[token.start : token.end].decode()
        if token.token == string and written.startswith("'") and TORN.search(written):
            raise Unproven(
                f"the string{place(text, token.start)} has a backslash before a quote, which not every server"
                " reads alike; write E'...' with the backslash doubled"
            )


def _syntax(text: str, message: str, position: int) -> str:
    """PostgreSQL's own words, with the place and the next move."""
    where = place(text, position - 1) if position else ""
    rest = text.encode()[max(position - 1, 0) :].decode(errors="ignore")
    if position and rest.startswith("\\"):
        return f"{short(rest)!r}{where} is a command of psql, not SQL; SELECT from pg_catalog instead"
    return f"not SQL that PostgreSQL reads: {short(message)}{where}; correct it there"
