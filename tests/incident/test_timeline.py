"""The timeline: what stands in it, when, and how it reads."""

from datetime import UTC, datetime, timedelta
from typing import Any

from opssquad import Preview, Ref, Signal, Undo
from opssquad.events import Asked, Concluded, Decided, Event, Requested, Returned, Started, Verified
from opssquad.findings import Check, Conclusion, ToolResult
from opssquad.incident.timeline import fold, render
from opssquad.types import Approval, Decision, Target, ToolCall

T0 = datetime(2026, 1, 1, 14, 37, tzinfo=UTC)
API = Ref(kind="Deployment", namespace="ns", name="api")
CALL = ToolCall(id="c1", tool="rollback", args={}, target=Target(cluster="c"))


def event(kind: type, minute: int, **fields: Any) -> Event:
    at = T0 + timedelta(minutes=minute)
    made: Event = kind(thread="t", turn=1, at=at, recorded_at=at, **fields)
    return made


def release() -> Signal:
    return Signal(
        id="rollout.recent",
        entity=API,
        owner=API,
        text="api: revision 7 rolled out",
        at=T0 - timedelta(minutes=52),
    )


def card() -> Approval:
    return Approval(
        id="a1",
        thread="t",
        call=CALL,
        preview=Preview(command="kubectl rollout undo deploy/api", impact="", risk="medium", risk_rule=""),
        undo=Undo(note=""),
        why="",
        requested_by="ada",
        requested_at=T0,
        expires_at=T0,
        world_time=T0,
        rule="",
    )


def decision(reason: str = "") -> Decision:
    return Decision(
        approval="a1", call_digest=CALL.digest, outcome="approved", by="ada", at=T0, reason=reason
    )


def test_a_whole_incident_reads_as_one_would_tell_it() -> None:
    looked = event(
        Returned, 1, call=CALL, result=ToolResult(call="c0", status="ok", text="", signals=(release(),))
    )
    lines = render(
        fold(
            [
                event(Asked, 0, text="why?", squad="k8s", by="ada", target=Target(cluster="c")),
                looked,
                looked,
                event(
                    Concluded, 2, conclusion=Conclusion(status="concluded", summary="the release broke it")
                ),
                event(Requested, 3, approval=card()),
                event(Decided, 4, approval=card(), decision=decision("go")),
                event(Started, 4, call=CALL),
                event(Verified, 5, call=CALL, check=Check(outcome="better", text="3 of 3 ready")),
            ]
        )
    ).splitlines()
    assert lines == [
        "Timeline (UTC)",
        "2026-01-01",
        "13:45 - api: revision 7 rolled out",
        "14:37 - ada asked: why?",
        "14:39 - Cause: the release broke it",
        "14:40 - Approval asked for: kubectl rollout undo deploy/api (medium risk)",
        "14:41 - Approved by ada: kubectl rollout undo deploy/api (go)",
        "14:41 - Carried out: kubectl rollout undo deploy/api",
        "14:42 - Verified, better: 3 of 3 ready",
    ]


def test_a_long_text_is_summarised_and_kept_whole() -> None:
    (entry,) = fold([event(Asked, 0, text="x " * 200, squad="k8s", by="ada", target=Target(cluster="c"))])
    assert len(entry.summary) == 140
    assert entry.details["text"].count("x") == 200


def test_a_day_that_changes_is_named() -> None:
    asked = {"text": "?", "squad": "k8s", "by": "ada", "target": Target(cluster="c")}
    lines = render(fold([event(Asked, 0, **asked), event(Asked, 600, **asked)])).splitlines()
    assert lines[3] == "2026-01-02"


def test_nothing_yet_is_said() -> None:
    assert render(fold([])) == "Nothing has happened yet."
