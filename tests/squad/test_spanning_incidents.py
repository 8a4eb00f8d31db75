"""Incidents that span a cluster and its database: the question goes to the squad that can tell, with what was
seen as evidence, from either side; and what mends it is done in the same conversation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from opssquad import content
from opssquad.evals.evidence import cited, place
from opssquad.events import Called, Concluded, Event, HandedOver, Requested, Returned, Verified
from opssquad.findings import Conclusion
from opssquad.investigation import Investigation, Options
from opssquad.store.base import AuditFilter
from opssquad.store.sqlite import Store
from opssquad.worlds.kube.recording import load_truth
from opssquad.worlds.kube.recording.load import load_incident

RECORDINGS = content.recordings()
SPANNING = ("bieb-0114", "bieb-0128", "olio-1103", "olio-1117")
FROM_THE_DATABASE = ("bieb-0114", "olio-1103", "olio-1117")
"""Those of which the database alone does not show the cause."""
LOCKS = "bieb-0128"


def options(state: Path, id: str, squad: str, mode: Literal["ask", "chat"] = "ask") -> Options:
    return Options(state=state, by="kim", squad=squad, recording=RECORDINGS[id], mode=mode, speed=20)


async def asked(run: Investigation, id: str) -> list[Event]:
    return [event async for event in run.ask(load_incident(RECORDINGS[id]).questions[0])]


def concluded(events: Sequence[Event]) -> Conclusion:
    return next(event.conclusion for event in events if isinstance(event, Concluded))


def kinds(events: Sequence[Event]) -> set[str]:
    return {place(each.locator)[0] for each in cited(concluded(events))}


def assert_true(events: Sequence[Event], id: str) -> None:
    truth = load_truth(RECORDINGS[id])
    (cause,) = concluded(events).causes
    assert (cause.fault, str(cause.component)) == (truth.fault, str(truth.component))
    first = concluded(events).options[0]
    accepted = {(each.action, each.target) for each in truth.fix.accept}
    assert (first.action, first.target) in accepted


@pytest.mark.parametrize("id", SPANNING)
async def test_the_cluster_squad_hands_over_what_logs_say_of_the_database(id: str, tmp_path: Path) -> None:
    async with await Investigation.open(options(tmp_path, id, "k8s")) as run:
        events = await asked(run, id)
    (over,) = [event for event in events if isinstance(event, HandedOver)]
    assert (over.squad, over.to) == ("k8s", "database")
    assert {place(each.locator)[0] for each in over.evidence} == {"log"}
    before = [event.call.id for event in events[: events.index(over)] if isinstance(event, Returned)]
    assert {each.call for each in over.evidence} <= set(before), "what is handed over was seen by then"
    tools = [event.call.tool for event in events if isinstance(event, Called)]
    assert tools.index("find") < tools.index("overview")
    assert "rows" in kinds(events)
    assert_true(events, id)


@pytest.mark.parametrize("id", FROM_THE_DATABASE)
async def test_the_database_squad_hands_over_what_rows_say_of_a_client(id: str, tmp_path: Path) -> None:
    async with await Investigation.open(options(tmp_path, id, "database")) as run:
        events = await asked(run, id)
    (over,) = [event for event in events if isinstance(event, HandedOver)]
    assert (over.squad, over.to) == ("database", "k8s")
    assert {place(each.locator)[0] for each in over.evidence} == {"rows"}
    tools = [event.call.tool for event in events if isinstance(event, Called)]
    assert tools.index("overview") < tools.index("find")
    assert kinds(events) > {"rows"}, "both squads saw a part of it"
    assert_true(events, id)


async def test_the_database_squad_asks_nobody_where_its_rows_show_the_cause(tmp_path: Path) -> None:
    async with await Investigation.open(options(tmp_path, LOCKS, "database")) as run:
        events = await asked(run, LOCKS)
    assert not [event for event in events if isinstance(event, HandedOver)]
    assert_true(events, LOCKS)


async def test_a_session_is_told_with_the_job_whose_pod_it_comes_from(tmp_path: Path) -> None:
    async with await Investigation.open(options(tmp_path, LOCKS, "k8s")) as run:
        events = await asked(run, LOCKS)
    (cause,) = concluded(events).causes
    assert "Job/bieb/" in cause.root_cause


async def test_from_a_complaint_of_pods_to_the_session_that_is_ended_in_one_conversation(
    tmp_path: Path,
) -> None:
    async with await Investigation.open(options(tmp_path, LOCKS, "k8s", mode="chat")) as run:
        events = await asked(run, LOCKS)
        assert_true(events, LOCKS)
        (card,) = [e.approval for e in [event async for event in run.ask("1")] if isinstance(e, Requested)]
        assert (card.call.tool, card.squad) == ("terminate_session", "database")
        await run.decide(card.id, "approved", by="kim")
        done = [event async for event in run.resume()]
        timeline = await run.timeline()
    (verified,) = [event for event in done if isinstance(event, Verified)]
    assert verified.check.outcome == "better"
    told = ["asked:", "handed over to squad database", "Approval requested", "kim approved", "it helped"]
    async with await Store.open(tmp_path) as store:
        (handed,) = await store.audit_records(wanted=AuditFilter(kind="handover"))
    assert (handed.agent, handed.args["to"], handed.status) == ("k8s", "database", "to database")
    assert handed.args["evidence"]
    places = [timeline.index(each) for each in told]
    assert places == sorted(places), "one timeline, in the order in which it happened"
