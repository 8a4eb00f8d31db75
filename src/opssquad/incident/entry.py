"""A line of an incident's timeline, and how a timeline is written down for people."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from opssquad.times import clock_time
from opssquad.types import Json, Value

Kind = Literal[
    "hypothesis",
    "finding",
    "approval_requested",
    "approval_decided",
    "action",
    "verification",
    "decision",
    "note",
    "imported",
]
SUMMARY = 140


class TimelineEntry(Value):
    """What happened (`occurred_at`, the world's clock) and when it was noted (`recorded_at`, real time).

    `evidence` holds evidence ids or the places that were quoted.
    """

    id: str
    incident_id: str
    occurred_at: datetime
    ended_at: datetime | None = None
    recorded_at: datetime
    kind: Kind
    source: Literal["human", "squad", "tool"]
    actor: str
    summary: str = Field(max_length=SUMMARY)
    details: Json = Field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    pinned: bool = False


def summarise(text: str) -> str:
    """The text as one line of at most 140 characters."""
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY else line[: SUMMARY - 1].rstrip() + "…"


def render(entries: Iterable[TimelineEntry]) -> str:
    """`HH:MM - text` a line, whole; the zone is named once, the day where it changes."""
    lines, day = ["Timeline (UTC)"], ""
    for entry in entries:
        date = entry.occurred_at.astimezone(UTC).strftime("%Y-%m-%d")
        if date != day:
            lines.append(date)
            day = date
        lines.append(f"{clock_time(entry.occurred_at)} - {entry.details.get('text', entry.summary)}")
    return "\n".join(lines) if day else "Nothing has happened yet."
