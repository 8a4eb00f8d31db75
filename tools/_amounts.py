"""Amounts of resources as people write them on one line: `cpu=500m,memory=512Mi`; pure."""

import re

from opssquad import ToolError

from ._quantity import parse

AMOUNT = re.compile(r"(?P<name>[a-z0-9][a-z0-9./-]*[a-z0-9])(?:=(?P<value>\S+)|-)")


def amounts(side: str, text: str) -> dict[str, str | None]:
    """`cpu=500m,memory-` as resources with their quantities, None to remove. Raises ToolError."""
    found: dict[str, str | None] = {}
    for word in filter(None, (each.strip() for each in text.split(","))):
        match = AMOUNT.fullmatch(word)
        if match is None:
            raise ToolError(f"{side}: {word!r} is neither NAME=QUANTITY nor NAME- (to remove it)")
        value = match["value"]
        try:
            negative = value is not None and parse(value) < 0
        except ValueError as error:
            raise ToolError(f"{side}: {match['name']}: {error}") from error
        if negative:
            raise ToolError(f"{side}: {word!r}: a quantity is 0 or more")
        found[match["name"]] = value
    return found


def same(one: str | None, other: str | None) -> bool:
    """Whether two amounts are one, however they are written; None is none."""
    return one == other or (one is not None and other is not None and parse(one) == parse(other))
