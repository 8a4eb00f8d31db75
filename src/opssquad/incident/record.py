"""An incident: a thread with milestones and the durations that follow from them.

Milestones are read off the events; what people know better (when the impact began, when it was detected or
declared) is given by them and wins. A missing milestone leaves the durations that need it out.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import ValidationError, model_validator

from opssquad.errors import UsageError
from opssquad.events import Asked, Concluded, Event, Returned, Started, Verified
from opssquad.incident.timeline import CHANGES
from opssquad.types import Value

State = Literal["investigating", "identified", "fixing", "monitoring"]
METRICS = {
    "TTD": ("impact_started", "detected"),
    "TTA": ("detected", "acknowledged"),
    "TTI": ("acknowledged", "identified"),
    "TTM": ("impact_started", "mitigated"),
    "TTR": ("impact_started", "resolved"),
}


class Milestones(Value):
    """When each stage was reached, on the world's clock. Nothing may come before `impact_started`."""

    impact_started: datetime | None = None
    detected: datetime | None = None
    declared: datetime | None = None
    acknowledged: datetime | None = None
    identified: datetime | None = None
    mitigated: datetime | None = None
    resolved: datetime | None = None
    closed: datetime | None = None

    @model_validator(mode="after")
    def _impact_is_earliest(self) -> Self:
        start = self.impact_started
        for name in type(self).model_fields:
            moment = getattr(self, name)
            if start and moment and moment < start:
                raise ValueError(f"{name} is before impact_started; impact_started must be the earliest")
        return self

    def with_(self, **moments: datetime | None) -> "Milestones":
        """The same with some moments set by people. Raises UsageError if one is before the impact began."""
        try:
            return Milestones(**{**dict(self), **moments})
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise UsageError(f"milestones: {said}") from error

    def metrics(self) -> dict[str, timedelta]:
        """TTD, TTA, TTI, TTM, TTR, as far as both ends are known."""
        ends = {name: (getattr(self, a), getattr(self, b)) for name, (a, b) in METRICS.items()}
        return {name: end - start for name, (start, end) in ends.items() if start and end}


class Incident(Value):
    """What is known of an incident from its events."""

    id: str
    title: str
    state: State
    milestones: Milestones

    @classmethod
    def of(cls, events: Sequence[Event]) -> Self:
        """The incident that these events of one thread tell of. Raises UsageError if there are none."""
        asked = [event for event in events if isinstance(event, Asked)]
        if not asked:
            raise UsageError("nothing was asked in this thread yet, so there is no incident to show")
        milestones = Milestones(
            impact_started=_impact(events, asked[0].at),
            acknowledged=asked[0].at,
            identified=_first(e.at for e in events if isinstance(e, Concluded) and e.conclusion.causes),
            mitigated=_first(e.at for e in events if isinstance(e, Verified) and e.check.outcome == "better"),
        )
        return cls(id=asked[0].thread, title=asked[0].text, state=_state(events), milestones=milestones)


def _impact(events: Sequence[Event], asked: datetime) -> datetime | None:
    """When the earliest thing that is wrong began, as far as it is known; changes are no impact."""
    began = [
        signal.at
        for event in events
        if isinstance(event, Returned)
        for signal in event.result.signals
        if signal.at and signal.at <= asked and signal.severity != "info" and not signal.id.endswith(CHANGES)
    ]
    return min(began, default=None)


def _first(moments: Iterable[datetime]) -> datetime | None:
    return next(iter(moments), None)


def _state(events: Sequence[Event]) -> State:
    """The furthest stage that the last events speak of; a fix that made it worse goes back."""
    state: State = "investigating"
    acting = {e.approval.call.id for e in events if e.kind == "requested"}
    for event in events:
        match event:
            case Concluded(conclusion=held):
                state = state if state == "monitoring" else "identified" if held.causes else "investigating"
            case Started(call=call) if call.id in acting:
                state = "fixing"
            case Verified(check=check):
                state = "monitoring" if check.outcome == "better" else "identified"
            case _:
                pass
    return state
