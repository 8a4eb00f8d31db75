"""Which lines of the audit log a command is about: its options, and times as people give them."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opssquad.errors import UsageError
from opssquad.times import duration, parse_time, wall_clock

if TYPE_CHECKING:
    from opssquad.store.base import AuditFilter

F = TypeVar("F", bound=Callable[..., Any])

KINDS = (
    "call",
    "verdict",
    "check",
    "suspicion",
    "decision",
    "handover",
    "connection",
    "configuration",
    "policy",
    "checkpoint",
)

_AGO = re.compile(r"(\d{1,6})\s*(s|m|min|h|d|w)(?:\s+ago)?")
_UNIT = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def which_options(function: F) -> F:
    """Add the options that say which lines; `wanted` makes a filter of their values."""
    options = (
        click.option("--incident", default="", metavar="INCIDENT", help="Only lines of this incident."),
        click.option("--thread", default="", metavar="THREAD", help="Only lines of this thread."),
        click.option("--actor", default="", metavar="NAME", help="Who asked, who decided, or which squad."),
        click.option(
            "--kind",
            type=click.Choice(KINDS),
            default=None,
            metavar="KIND",
            help=f"One of {', '.join(KINDS)}.",
        ),
        click.option("--since", default="", metavar="TIME", help="2026-03-08T14:00, or 2h, 3d (ago)."),
        click.option("--until", default="", metavar="TIME", help="The same; this moment is left out."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def wanted(given: dict[str, Any], last: int = 0) -> "AuditFilter":
    """The filter of the options' values. Raises UsageError for a time that is none."""
    from opssquad.store.base import AuditFilter

    now = wall_clock()
    since, until = (moment(given[name], now, f"--{name}") for name in ("since", "until"))
    if since and until and since >= until:
        raise UsageError("--since is not before --until, so no line can fit; exchange them")
    return AuditFilter.model_validate({**given, "since": since, "until": until, "last": last})


def span(text: str, option: str, least: timedelta, most: timedelta) -> timedelta:
    """A span of time as people give it: 60s, 5min, 2h, 90d. Raises UsageError outside of the bounds."""
    given = _AGO.fullmatch(text.strip().lower())
    found = timedelta(**{_UNIT[given[2]]: int(given[1])}) if given else None
    if found is None or not least <= found <= most:
        raise UsageError(
            f"{option} is {text!r}; give {duration(least)} to {duration(most)}, as 60s, 5min or 2h"
        )
    return found


def moment(text: str, now: datetime, option: str) -> datetime | None:
    """The instant meant: ISO (without a zone: UTC), or so long before now. None for an empty text."""
    text = text.strip()
    if not text:
        return None
    try:
        if ago := _AGO.fullmatch(text.lower()):
            return now - timedelta(**{_UNIT[ago[2]]: int(ago[1])})
        return parse_time(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} is {text!r}; give a time as 2026-03-08 or 2026-03-08T14:00 (UTC), or as 90min, 2h, 3d"
        ) from None
