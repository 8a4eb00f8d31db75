"""The object that `ask --json` prints, folded from events."""

import json
from datetime import timedelta

import pytest

from opssquad.cli.report import AskReport, fold, status_of
from opssquad.events import Decided, Event, Returned, Started, Stopped
from tests.cli.replay import recorded


def report(events: list[Event]) -> AskReport:
    timeline = "Times in UTC\n14:37 - asked\n14:38 - concluded"
    return fold(events, thread="t-7k2m", squad="k8s", model="offline", timeline=timeline)


def test_the_object_has_exactly_the_documented_fields() -> None:
    told = json.loads(report(recorded("ask")).model_dump_json())
    assert list(told) == [
        *("thread", "squad", "model", "status", "conclusion"),
        *("actions", "suspicious", "calls", "tokens", "seconds", "timeline"),
    ]
    assert set(told["conclusion"]) == {"no_fault", "causes", "options", "missing"}
    (cause,) = told["conclusion"]["causes"]
    assert set(cause) == {"component", "fault", "root_cause", "confidence", "findings", "runbooks"}
    assert cause["component"] == {
        "kind": "Deployment",
        "namespace": "authentication",
        "name": "auth-service",
    }
    assert set(cause["findings"][0]) == {"claim", "confidence", "evidence"}
    assert set(cause["findings"][0]["evidence"][0]) == {"call", "locator", "text"}
    option = told["conclusion"]["options"][0]
    fields = {"label", "action", "target", "tool", "args", "risk", "minutes", "reversible"}
    assert set(option) == fields
    assert (told["calls"], told["tokens"]) == (2, {"prompt": 900, "completion": 80})
    assert set(told["seconds"]) == {"total", "model", "tools", "human"}
    assert told["timeline"] == ["14:37 - asked", "14:38 - concluded"]


def test_an_approved_action_is_reported_with_its_check() -> None:
    (action,) = report(recorded("golden")).actions
    assert (action.tool, action.decision, action.status, action.verify) == (
        *("rollback", "approved"),
        *("ok", "better"),
    )


def test_a_card_that_waits_is_a_pending_action() -> None:
    events = recorded("golden")
    first = next(n for n, e in enumerate(events) if isinstance(e, Decided))
    told = report(events[:first])
    assert told.status == "pending"
    assert (told.actions[0].decision, told.actions[0].status, told.actions[0].verify) == ("pending", "", "")


def test_the_time_of_a_human_is_from_card_to_decision() -> None:
    assert report(recorded("golden")).seconds.human == pytest.approx(6.0)


def test_calls_side_by_side_are_not_counted_twice() -> None:
    events = recorded("ask")
    start = next(e for e in events if isinstance(e, Started))
    end = next(e for e in events if isinstance(e, Returned))
    twin = start.call.model_copy(update={"id": "twin"})
    began = start.recorded_at

    def at(event: Event, seconds: float) -> Event:
        return event.model_copy(update={"recorded_at": began + timedelta(seconds=seconds)})

    other = (start.model_copy(update={"call": twin}), end.model_copy(update={"call": twin}))
    side_by_side = [at(start, 0), at(other[0], 1), at(end, 3), at(other[1], 4)]
    assert report(side_by_side).seconds.tools == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("stopped", "status"),
    [
        ("concluded", "concluded"),
        ("inconclusive", "inconclusive"),
        ("answered", "inconclusive"),
        ("pending", "pending"),
        ("failed", "failed"),
        ("cancelled", "failed"),
    ],
)
def test_how_a_run_stopped_decides_the_status(stopped: str, status: str) -> None:
    last = recorded("ask")[-1].model_copy(update={"status": stopped})
    assert isinstance(last, Stopped)
    assert status_of([last]) == status


def test_a_run_without_an_end_has_failed() -> None:
    assert status_of([]) == "failed"
