"""Ages as the server prints them in Tables: `14m`, `6d21h`, `<unknown>`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from opssquad.times import parse_time


def human(seconds: float) -> str:
    """A duration in the server's short form: precise while it is young, coarse when it is old."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    if total < 120:
        return f"{max(total, 0)}s"
    minutes, hours = total // 60, total // 3600
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    return _days(hours)


def since(stamp: str | None, now: datetime) -> str:
    """How long ago an RFC 3339 time stamp was; `<unknown>` without one."""
    return human((now - parse_time(stamp)).total_seconds()) if stamp else "<unknown>"


def age(obj: Mapping[str, Any], now: datetime) -> str:
    """How old an object is."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def _days(hours: int) -> str:
    days = hours // 24
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, lower: str) -> str:
    return f"{large}{unit}{small}{lower}" if small else f"{large}{unit}"
