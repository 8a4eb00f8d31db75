"""A question goes from squad to squad with its ledger, on a real database and a served cluster."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from opssquad import content
from opssquad.errors import ToolError
from opssquad.events import Called, Concluded, Event, HandedOver, Returned, Warned
from opssquad.findings import Hypothesis, Signal
from opssquad.investigation import Investigation, Options
from opssquad.models.base import Case, SeenSignal
from opssquad.squad.crew import crew_of, taken_over
from opssquad.squad.spec import World
from opssquad.types import Ref
from opssquad.worlds.kube.serve import open_recording
from tests.postgres.faults.catalogue import standing
from tests.postgres.faults.companies import SHOP

QUESTION = "clients get no connection to the database, why?"
CLIENT = Ref(kind="Client", namespace="shop", name="orders-api")


def only(world: World) -> bool:
    return world == "database"


def seen(id: str, evidence: str) -> SeenSignal:
    signal = Signal(id=id, entity=CLIENT, owner=CLIENT, text=f"{id} was seen")
    return SeenSignal(signal=signal, evidence=(evidence,))


async def test_the_database_squad_hands_over_and_the_cluster_squad_concludes_on_both(tmp_path: Path) -> None:
    with standing("D01", SHOP) as (stage, truth):
        async with open_recording(content.recording("auth-0308")) as served:
            options = Options(
                state=tmp_path,
                by="kim",
                squad="database",
                kubeconfig=served.kubeconfig,
                dsn=SecretStr(stage.watcher()),
                mode="ask",
            )
            async with await Investigation.open(options) as run:
                events = [event async for event in run.ask(QUESTION)]
                timeline = await run.timeline()
                messages = [message.text for message in (await run._engine.state()).messages]
    (over,) = [event for event in events if isinstance(event, HandedOver)]
    assert (over.squad, over.to) == ("database", "k8s")
    assert over.evidence
    assert "has" in over.why
    tools = [event.call.tool for event in events if isinstance(event, Called)]
    assert tools.index("sessions") < tools.index("find")
    conclusion = next(event.conclusion for event in events if isinstance(event, Concluded))
    # The cluster that was recorded has trouble of its own, and both are named.
    assert {cause.fault for cause in conclusion.causes} == {"D01", "K01"}
    assert truth.component in {str(cause.component) for cause in conclusion.causes}
    assert "Squad database handed over to squad k8s" in timeline
    assert [message for message in messages if "goes on from here" in message and "«data " in message]


async def test_without_a_cluster_the_question_stays_and_nothing_is_asked_of_one(tmp_path: Path) -> None:
    with standing("D01", SHOP) as (stage, _):
        options = Options(
            state=tmp_path, by="kim", squad="database", dsn=SecretStr(stage.watcher()), mode="ask"
        )
        async with await Investigation.open(options) as run:
            events: list[Event] = [event async for event in run.ask(QUESTION)]
    assert not [event for event in events if isinstance(event, HandedOver | Warned)]
    assert all(event.result.status == "ok" for event in events if isinstance(event, Returned))


def test_a_squad_that_has_nothing_to_work_on_here_is_told_of_with_the_reason() -> None:
    crew = crew_of("database", None, only)
    case = Case(squad="database", squads=("database",), signals=(seen("log.undefined_column", "e4"),))
    (transfer,) = crew.transfers(case)
    assert (transfer.to, transfer.evidence) == ("k8s", ("e4",))
    assert transfer.closed == "no cluster is connected here"


async def test_a_conclusion_says_who_could_have_told_more_unless_it_is_certain(tmp_path: Path) -> None:
    with standing("D15", SHOP) as (stage, _):
        options = Options(
            state=tmp_path, by="kim", squad="database", dsn=SecretStr(stage.watcher()), mode="ask"
        )
        async with await Investigation.open(options) as run:
            events = [event async for event in run.ask("orders fail, why?")]
    conclusion = next(event.conclusion for event in events if isinstance(event, Concluded))
    assert conclusion.causes[0].confidence != "confirmed"
    assert "squad k8s could tell more, but no cluster is connected here" in conclusion.missing


def test_a_squad_that_has_worked_on_it_is_not_asked_again() -> None:
    crew = crew_of("database", None, lambda world: True)
    case = Case(squad="k8s", squads=("database", "k8s"), signals=(seen("log.database", "e1"),))
    assert crew.transfers(case) == ()


def test_a_question_may_come_back_and_does_not_go_to_and_fro() -> None:
    crew = crew_of("database", None, lambda world: True)
    back = taken_over(crew, Case(squad="k8s", squads=("database", "k8s")), {"squad": "database"})
    assert back.to == "database"
    squads = ("database", "k8s", "database", "k8s")
    with pytest.raises(ToolError, match="has had this question 2 times"):
        taken_over(crew, Case(squad="k8s", squads=squads), {"squad": "database"})


def test_the_first_clause_says_why_whatever_was_seen_first() -> None:
    crew = crew_of("database", None, lambda world: True)
    signals = (seen("sessions.quiet", "e1"), seen("connections.one_client", "e2"))
    (transfer,) = crew.transfers(Case(squad="database", squads=("database",), signals=signals))
    assert "connections.one_client was seen" in transfer.why
    assert transfer.evidence == ("e2", "e1")


def test_each_call_is_judged_as_one_of_the_squad_that_has_the_tool() -> None:
    crew = crew_of("database", None, lambda world: True)
    assert crew.owner("rollback", "database") == "k8s"
    assert crew.owner("terminate_session", "database") == "database"
    assert crew.owner("timeline", "database") == "database"


def test_what_each_knows_counts_once_it_has_worked_on_the_question() -> None:
    crew = crew_of("database", None, lambda world: True)
    alone = {fault.id for fault in crew.catalogue(("database",)).faults}
    both = {fault.id for fault in crew.catalogue(("database", "k8s")).faults}
    assert "D01" in alone
    assert "K01" not in alone
    assert {"D01", "K01"} <= both


def likely(score: float) -> Hypothesis:
    return Hypothesis(
        fault="K01",
        title="it crashes",
        component=Ref.parse("Deployment/shop/web"),
        score=score,
        confidence="likely",
        root_cause="it crashes",
    )


def test_a_question_is_handed_to_the_network_only_while_nothing_is_likely() -> None:
    crew = crew_of("k8s", None, lambda world: True)
    case = Case(squad="k8s", squads=("k8s",), signals=(seen("calls.fail_by_node", "e1"),))
    (transfer,) = crew.transfers(case)
    assert transfer.to == "network"
    assert crew.transfers(case.model_copy(update={"differential": (likely(0.2),)})) == (transfer,)
    assert crew.transfers(case.model_copy(update={"differential": (likely(0.8),)})) == ()
