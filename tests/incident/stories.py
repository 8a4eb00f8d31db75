"""Events of small stories, minute by minute on 8 March 2026."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from opssquad.events import (
    Asked,
    Concluded,
    Decided,
    Judged,
    Occurred,
    Requested,
    Returned,
    Started,
    Verified,
)
from opssquad.findings import Cause, Check, Conclusion, Evidence, Finding, Quote, Signal
from opssquad.types import Approval, Ref, Verdict
from tests.samples import TARGET, a_call, a_card, a_decision, a_result

E = TypeVar("E", bound=Occurred)
DEPLOYMENT = Ref(kind="Deployment", namespace="web", name="api")


def at(clock: str, day: int = 8) -> datetime:
    hour, minute = clock.split(":")
    return datetime(2026, 3, day, int(hour), int(minute), tzinfo=UTC)


def event(kind: type[E], clock: str, day: int = 8, **fields: Any) -> E:
    moment = at(clock, day)
    return kind(thread="t1", turn=1, at=moment, recorded_at=moment + timedelta(days=100), **fields)


def asked(clock: str, text: str = "logins fail, why?", day: int = 8) -> Asked:
    return event(Asked, clock, day, text=text, squad="k8s", by="sam", target=TARGET)


def signal(id: str, text: str, clock: str = "", pod: str = "", **fields: Any) -> Signal:
    entity = Ref(kind="Pod", namespace="web", name=pod) if pod else DEPLOYMENT
    quotes = (Quote(locator=str(entity), text="x"),)
    when = at(clock) if clock else None
    return Signal(id=id, entity=entity, owner=DEPLOYMENT, text=text, at=when, quotes=quotes, **fields)


def looked(clock: str, *signals: Signal, tool: str = "health", id: str = "r1") -> Returned:
    return event(Returned, clock, call=a_call(id, tool), result=a_result(id, signals=signals))


def concluded(clock: str, confidence: str = "likely", **fields: Any) -> Concluded:
    evidence = Evidence(id="e3", call="r1", locator="Pod/web/api-1", text="x")
    finding = Finding(claim="pods crash", confidence="confirmed", evidence=(evidence,))
    cause = Cause(
        component=DEPLOYMENT,
        fault="K01",
        root_cause="v2.4.1 cut the pool to 20",
        confidence=confidence,
        findings=(finding,),
    )
    values = {"status": "concluded", "causes": (cause,), **fields}
    return event(Concluded, clock, conclusion=Conclusion(**values))


def requested(clock: str, card: Approval | None = None) -> Requested:
    return event(Requested, clock, approval=card or a_card())


def decided(clock: str, outcome: str = "approved", **fields: Any) -> Decided:
    decision = a_decision(a_card(), outcome, at=at(clock), **fields)
    return event(Decided, clock, approval=a_card(), decision=decision)


def started(clock: str) -> Started:
    return event(Started, clock, call=a_call())


def returned(clock: str, status: str = "ok", text: str = "rolled back") -> Returned:
    return event(Returned, clock, call=a_call(), result=a_result(status=status, text=text))


def verified(clock: str, outcome: str = "better", text: str = "3 of 3 pods ready") -> Verified:
    return event(Verified, clock, call=a_call(), check=Check(outcome=outcome, text=text))


def judged(clock: str, outcome: str, reason: str = "not ours") -> Judged:
    verdict = Verdict(outcome=outcome, rule="kube-system is closed", reason=reason)
    return event(Judged, clock, call=a_call(), verdict=verdict)
