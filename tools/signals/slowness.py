"""What a log says of being slow, in the words that programs and frameworks use for it. Pure."""

import re

HINTS = ("slow", "too long", "throttl", "event loop", "latency", "response time", "lagging")
"""One of these, in lower case, stands in all that the pattern matches."""
_WHAT = r"(?:request|response|handler|call|rpc|operation|transaction|consumer|processing)"
_SLOW = re.compile(
    rf"\bslow {_WHAT}s?\b|\b{_WHAT}s? (?:is |are |was |were )?(?:too )?slow\b|\btook too long\b"
    r"|\bcpu[^\n]{0,40}\bthrottl|\bthrottl\w*[^\n]{0,40}\bcpu\b"
    r"|\bevent loop (?:lag|delay|is lagging|was blocked|blocked)"
    r"|\b(?:latency|response time)(?: \S+){0,3} (?:above|over|exceeds|exceeded)\b",
    re.IGNORECASE,
)


def slow(text: str) -> str:
    """The words that say so; "" where none do. Slow queries are the database's business."""
    lower = text.lower()
    found = _SLOW.search(text) if any(hint in lower for hint in HINTS) else None
    return found[0] if found else ""
