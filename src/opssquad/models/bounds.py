"""How much an endpoint may send, and what of it can be kept: bounds, text that can be
encoded, arguments that every later step (checkpoints, JSON, redaction) can carry. Knows no protocol.
"""

import math
from typing import Any

MEGA = 1024 * 1024
WIRE = 64 * MEGA
"""Bytes of one answer, with everything that is wrapped around its words."""
SAID = MEGA
"""Characters of text and arguments of one answer."""
DEPTH = 60
WHOLE_NUMBER = 2**63


def clean(text: str) -> str:
    """The text without halves of characters, which nothing can write."""
    return text.encode("utf-8", "replace").decode("utf-8")


def fault(value: Any, depth: int = DEPTH) -> str:
    """Why these arguments cannot be kept as they are; empty when they can."""
    match value:
        case dict() | list() if not depth:
            return f"nested deeper than {DEPTH} levels"
        case dict():
            return next(filter(None, (fault(each, depth - 1) for item in value.items() for each in item)), "")
        case list():
            return next(filter(None, (fault(each, depth - 1) for each in value)), "")
        case str() if clean(value) != value:
            return "a text with half a character in it"
        case int() if not -WHOLE_NUMBER <= value < WHOLE_NUMBER:
            return "a number too large for 64 bits"
        case float() if not math.isfinite(value):
            return f"{value} is no number of JSON"
    return ""
