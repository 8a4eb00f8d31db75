"""The squad, without a model, before faults that stand on real servers: what it finds, and how it mends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from opssquad import Database, content
from opssquad.errors import ToolError
from opssquad.events import Concluded, Event, Requested, Returned, Verified
from opssquad.findings import Conclusion
from opssquad.investigation import Investigation
from opssquad.investigation.systems import proven
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.postgres import Postgres
from tests.postgres.faults.application import OPERATOR, WATCHER, Application, password
from tests.postgres.faults.catalogue import standing
from tests.postgres.faults.companies import CLINIC, FREIGHT, SHOP
from tests.postgres.faults.truth import server_of
from tests.postgres.live import QUESTION, options, right
from tests.postgres.server import Server

FINDS: Sequence[tuple[str, Application, str]] = [
    ("D01", SHOP, ""), ("D03", CLINIC, "15"), ("D04", FREIGHT, ""), ("D05", SHOP, ""),
    ("D06", CLINIC, ""), ("D07", FREIGHT, ""), ("D08", CLINIC, ""), ("D09", FREIGHT, ""),
    ("D11", CLINIC, ""), ("D12", FREIGHT, ""), ("D13", SHOP, "15"), ("D14", CLINIC, ""),
    ("D14-setting", FREIGHT, ""), ("D15", SHOP, ""),
]  # fmt: skip
"""A fault, whose database it stands in, and the server's version; each fault once."""


@asynccontextmanager
async def conversation(
    state: Path, server: Server, app: Application, role: str
) -> AsyncIterator[Investigation]:
    """The database squad on a server, as that role."""
    async with await Investigation.open(options(state, server, app, role)) as run:
        yield run


async def asked(run: Investigation, text: str) -> list[Event]:
    return [event async for event in run.ask(text)]


def concluded(events: Sequence[Event]) -> Conclusion:
    return next(event.conclusion for event in events if isinstance(event, Concluded))


def ours(server: Server) -> int:
    """How many sessions of ours are open there."""
    with server.connect() as root:
        row = root.execute(
            "select count(*) from pg_stat_activity where application_name = 'opssquad'"
        ).fetchone()
        assert row
        return int(row[0])


@pytest.mark.parametrize(("fault", "app", "version"), FINDS, ids=[each[0] for each in FINDS])
async def test_the_cause_is_found_with_evidence_and_nothing_is_left_open(
    fault: str, app: Application, version: str, tmp_path: Path
) -> None:
    with standing(fault, app, version) as (stage, truth):
        server = server_of(stage, truth)
        async with conversation(tmp_path, server, app, WATCHER) as run:
            await _settled(fault)
            found = concluded(await asked(run, QUESTION))
        assert right(found, fault, truth), found.causes
        assert all(finding.evidence for finding in found.causes[0].findings)
        assert ours(server) == 0


async def _settled(fault: str) -> None:
    """Let what takes time show: waiting that lasts, statistics that are flushed once a second."""
    await asyncio.sleep(5.5 if fault in ("D03", "D05", "D09") else 3.0)


@pytest.mark.parametrize("fault", ["Z1", "Z2", "Z5"])
async def test_nothing_is_blamed_where_nothing_is_wrong(fault: str, tmp_path: Path) -> None:
    with standing(fault, SHOP) as (stage, _):
        async with conversation(tmp_path, stage.server, SHOP, WATCHER) as run:
            await _settled(fault)
            found = concluded(await asked(run, QUESTION))
        assert found.no_fault
        assert not [option for option in found.options if option.tool]


async def test_a_blocker_is_terminated_after_a_yes_and_those_who_waited_go_on(tmp_path: Path) -> None:
    with standing("D03", SHOP) as (stage, truth):
        async with conversation(tmp_path, stage.server, SHOP, OPERATOR) as run:
            await _settled("D03")
            events = await asked(run, QUESTION)
            assert concluded(events).options[0].tool == "terminate_session"
            events = await asked(run, "1")
            card = next(event.approval for event in events if isinstance(event, Requested))
            assert "last: alter table" in card.preview.impact.lower()
            assert f"{len(truth.victims)} sessions wait for it" in card.preview.impact
            assert card.undo.tool == ""
            assert stage.waiting()
            await run.decide(card.id, "approved", "lee")
            events = [event async for event in run.resume()]
        check = next(event.check for event in events if isinstance(event, Verified))
        assert check.outcome == "better"
        assert not set(stage.waiting()) & set(truth.victims)
        assert ours(stage.server) == 0


async def test_a_card_is_void_when_the_blocker_has_gone_by_itself(tmp_path: Path) -> None:
    with standing("D03", SHOP) as (stage, truth):
        async with conversation(tmp_path, stage.server, SHOP, OPERATOR) as run:
            await _settled("D03")
            await asked(run, QUESTION)
            events = await asked(run, "1")
            card = next(event.approval for event in events if isinstance(event, Requested))
            truth.heal()
            await run.decide(card.id, "approved", "lee")
            events = [event async for event in run.resume()]
        result = next(event.result for event in events if isinstance(event, Returned))
        assert result.status == "refused"
        assert "changed after the card was shown" in result.text


async def test_a_server_without_a_free_connection_is_told_of(tmp_path: Path) -> None:
    with standing("D01", SHOP, "15") as (stage, _):
        # On 15 no reserved slot is for the likes of us.
        async with conversation(tmp_path, stage.server, SHOP, WATCHER) as run:
            found = concluded(await asked(run, QUESTION))
        assert [cause.fault for cause in found.causes] == ["D01"]


async def test_a_statement_of_ones_own_is_proven_to_read_before_it_is_run(tmp_path: Path) -> None:
    (query,) = content.tools(["query"])
    with standing("Z1", SHOP) as (stage, _):
        dsn = stage.server.dsn("orders_rw", SHOP.database, password=password("orders_rw"))
        handle = Database(Postgres(parse(dsn)), proven)
        found = await query.run({"statement": "select count(*) from orders -- all"}, {Database: handle})
        assert "60000" in found.text
        for statement in (
            "with x as (delete from orders returning *) select * from x",
            "select 1; drop table orders",
        ):
            with pytest.raises(ToolError):
                await query.run({"statement": statement}, {Database: handle})
        await handle.close()
        with psycopg.connect(dsn) as connection:
            assert connection.execute("select count(*) from orders").fetchone() == (60000,)
