"""A database that was captured from a real server with a real fault answers like it, also after an act."""

import asyncio
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opssquad.documents import BadFile
from opssquad.errors import Refused, ToolError
from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.sql import viewing
from opssquad.worlds.sql.capture import read_database
from opssquad.worlds.sql.database import Database
from opssquad.worlds.sql.dsn import parse
from opssquad.worlds.sql.looks import known_looks
from opssquad.worlds.sql.material import ROWS, Material, load_material
from opssquad.worlds.sql.postgres import Postgres
from opssquad.worlds.sql.recorded import Recorded
from tests.postgres.faults.catalogue import standing
from tests.postgres.faults.companies import SHOP
from tests.postgres.faults.truth import Truth

ROLE = {"role": "orders_rw"}
TABLE = {"schema": "public", "table": "orders"}
SOME = 150
"""Characters of a log that are a line or so."""


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Truth, dict[str, int]]]:
    """A lock chain, captured into a folder; what it was; how many rows each quiet look had live."""
    folder = tmp_path_factory.mktemp("recording")
    with standing("D03", SHOP) as (stage, truth):
        material, counts = asyncio.run(_read(stage.watcher()))
        for path, content in material.files():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(content)
        yield folder, truth, counts


async def _read(dsn: str) -> tuple[Material, dict[str, int]]:
    database = Database(Postgres(parse(dsn)))
    material = await read_database(database, lambda row: row, lambda line: line)
    quiet = ("tables", "indexes", "columns", "foreign_keys", "roles", "grants", "settings", "schemas")
    counts = {look: len((await database.rows(look)).rows) for look in quiet}
    await database.close()
    return material, counts


@pytest.fixture
async def world(captured: tuple[Path, Truth, dict[str, int]], tmp_path: Path) -> Recorded:
    material = load_material(captured[0])
    return Recorded(material, "a-case", _clock(material), tmp_path / "journal.jsonl")


def _clock(material: Material) -> "Clock":
    return Clock(parse_time(material.server["now"]))


class Clock:
    """The world's time, moved by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def prove(statement: str, *, binds: bool = False) -> str:
    return statement


def _pid(truth: Truth) -> int:
    return int(truth.component.rsplit("/", 1)[1])


async def _session(world: Recorded, pid: int) -> Json:
    rows = (await world.rows("sessions", {"pid": str(pid)})).rows
    assert len(rows) == 1
    return rows[0]


async def _waiting(world: Recorded) -> set[int]:
    rows = (await world.rows("sessions", {})).rows
    return {row["pid"] for row in rows if row["wait_event_type"] == "Lock"}


async def test_every_look_is_answered_and_quiet_ones_as_the_server_did(
    world: Recorded, captured: tuple[Path, Truth, dict[str, int]]
) -> None:
    for look in known_looks():
        found = await world.rows(look, {})
        assert found.rows or found.missing or look in world._material.rows, look
    for look, count in captured[2].items():
        assert len((await world.rows(look, {})).rows) == count, look


async def test_what_was_kept_is_read_again_byte_for_byte(
    captured: tuple[Path, Truth, dict[str, int]],
) -> None:
    for path, content in load_material(captured[0]).files():
        assert (captured[0] / path).read_bytes() == content


async def test_the_log_is_there_and_its_end_is_what_is_given(world: Recorded) -> None:
    whole, end = await world.log(10**6), await world.log(SOME)
    assert 0 < len(end.rows) < len(whole.rows)
    assert list(whole.rows)[-len(end.rows) :] == list(end.rows)


async def test_the_clock_is_the_worlds(world: Recorded) -> None:
    before = (await world.facts())["now"]
    world._clock.at += timedelta(minutes=5)  # type: ignore[attr-defined]
    assert parse_time((await world.facts())["now"]) - parse_time(before) == timedelta(minutes=5)


async def test_when_the_blocker_is_terminated_its_victims_go_on(
    world: Recorded, captured: tuple[Path, Truth, dict[str, int]]
) -> None:
    pid, victims = _pid(captured[1]), set(captured[1].victims)
    assert victims <= await _waiting(world)
    row = await _session(world, pid)
    done = await world.act("terminate", {"pid": pid, "started": row["backend_start"]})
    assert f"pg_terminate_backend({pid})" in done.statement
    assert not await _waiting(world)
    assert not (await world.rows("sessions", {"pid": str(pid)})).rows
    assert not (await world.rows("locks", {"pid": str(pid)})).rows


async def test_when_a_victim_is_terminated_the_others_wait_on(
    world: Recorded, captured: tuple[Path, Truth, dict[str, int]]
) -> None:
    waiting = await _waiting(world)
    leaf = [pid for pid in captured[1].victims if not await _blocks(world, pid)][0]
    row = await _session(world, leaf)
    await world.act("terminate", {"pid": leaf, "started": row["backend_start"]})
    assert await _waiting(world) == waiting - {leaf}


async def _blocks(world: Recorded, pid: int) -> bool:
    return any(pid in (row["blocked_by"] or ()) for row in (await world.rows("sessions", {})).rows)


async def test_a_session_of_another_start_is_not_terminated(
    world: Recorded, captured: tuple[Path, Truth, dict[str, int]]
) -> None:
    pid = _pid(captured[1])
    with pytest.raises(ToolError, match=f"no session {pid} of that start"):
        await world.act("terminate", {"pid": pid, "started": "2020-01-01T00:00:00+00:00"})
    assert await _session(world, pid)


async def test_a_world_that_is_opened_again_is_the_same(
    captured: tuple[Path, Truth, dict[str, int]], tmp_path: Path
) -> None:
    journal, pid = tmp_path / "journal.jsonl", _pid(captured[1])
    first = Recorded(load_material(captured[0]), "a-case", lambda: datetime.now(UTC), journal)
    row = await _session(first, pid)
    await first.act("terminate", {"pid": pid, "started": row["backend_start"]})
    await first.act("analyze", TABLE)
    with journal.open("a") as file:
        file.write('{"at": "20')
    again = Recorded(load_material(captured[0]), "a-case", lambda: datetime.now(UTC), journal)
    for look in ("sessions", "locks", "tables"):
        assert (await again.rows(look, {})).rows == (await first.rows(look, {})).rows


async def test_a_handle_that_reads_acts_on_nothing(world: Recorded) -> None:
    with pytest.raises(Refused):
        await Database(world, prove).limited("read").act("analyze", **TABLE)


ACTS: list[tuple[str, Json, str, Json, Json]] = [
    ("vacuum", TABLE, "tables", {"table": "orders"}, {"n_mod_since_analyze": 0}),
    (
        "create_index", {**TABLE, "name": "orders_x", "columns": ["status"]},
        "indexes", {"index": "orders_x"}, {"valid": True, "table": "orders"},
    ),
    ("role_limit", {**ROLE, "limit": 7}, "roles", ROLE, {"connection_limit": 7}),
    ("setting", {"name": "work_mem", "value": "8MB"}, "settings", {"name": "work_mem"}, {"setting": "8MB"}),
    (
        "role_setting", {"role": "orders_rw", "name": "work_mem", "value": "8MB"},
        "role_settings", {"role": "orders_rw"}, {"settings": ["work_mem=8MB"]},
    ),
    (
        "grant", {**TABLE, "role": "reporting_ro", "privileges": ["truncate"]},
        "grants", {"table": "orders", "role": "reporting_ro"}, {},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("act", "args", "look", "where", "shows"), ACTS, ids=[each[0] for each in ACTS])
async def test_an_act_shows_in_the_rows(
    world: Recorded, act: str, args: Json, look: str, where: Json, shows: Json
) -> None:
    await world.act(act, args)
    (row,) = (await world.rows(look, where)).rows
    assert {key: row[key] for key in shows} == shows
    if act == "grant":
        assert "truncate" in row["privileges"].split()


async def test_dead_rows_stay_while_an_old_snapshot_needs_them(world: Recorded) -> None:
    tables = world._material.rows["tables"]
    next(row for row in tables if row["table"] == "orders")["n_dead_tup"] = 500
    world._material.rows["sessions"][0]["xmin_age"] = 10_000
    await world.act("vacuum", TABLE)
    assert (await world.rows("tables", {"table": "orders"})).rows[0]["n_dead_tup"] == 500
    for row in world._material.rows["sessions"]:
        row["xmin_age"] = None
    await world.act("vacuum", TABLE)
    assert (await world.rows("tables", {"table": "orders"})).rows[0]["n_dead_tup"] == 0


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("select pid, usename from pg_stat_activity where wait_event_type = 'Lock'", ["pid", "usename"]),
        ("select count(*) from pg_catalog.pg_locks where not granted", ["count_star()"]),
        ("select max(now() - xact_start) as oldest from pg_stat_activity", ["oldest"]),
        ("select relname from pg_stat_user_tables order by n_live_tup desc limit 3", ["relname"]),
        ("select setting from pg_settings where name = 'max_connections'", ["setting"]),
    ],
)  # fmt: skip
async def test_statements_of_ones_own_are_answered_from_the_recorded_views(
    world: Recorded, statement: str, columns: list[str]
) -> None:
    found = await Database(world, prove).select(statement)
    assert list(found.columns) == columns
    assert found.rows


async def test_values_of_parameters_go_beside_a_recorded_statement(world: Recorded) -> None:
    named = "select setting from pg_settings where name = $1"
    database = Database(world, prove)
    assert (await database.select(named, binds=["max_connections"])).rows
    assert not (await database.select(named, binds=["x' or name = 'max_connections"])).rows


@pytest.mark.parametrize(
    "statement",
    [
        "select * from orders",
        "select dblink_connect('x')",
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/passwd'",
        "install httpfs",
        "explain select * from orders",
    ],
)
async def test_what_was_not_recorded_is_said_to_be_so(world: Recorded, statement: str) -> None:
    with pytest.raises(ToolError, match="not recorded"):
        await Database(world, prove).select(statement)


async def test_a_statement_without_end_is_ended(world: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "LONGEST", 0.2)
    endless = "with recursive t(n) as (select 1 union all select n from t) select count(*) from t"
    with pytest.raises(ToolError, match="(?i)interrupt"):
        await world.select(endless, 5, 500)


async def test_rows_and_characters_of_an_answer_are_capped(world: Recorded) -> None:
    database = Database(world, prove)
    few = await database.select("select * from range(100000)", most=5)
    small = await database.select("select repeat('x', 1000) from range(100)", size=2500)
    assert (len(few.rows), few.cut, len(small.rows), small.cut) == (5, True, 2, True)


BAD: dict[str, tuple[bytes | None, str]] = {
    "no gzip": (None, "not a gzip file"),
    "no look": (b"{}\n", "line 1: nothing called None can be looked at"),
    "no row": (b'{"look": "sessions"}\n', "line 1: give row, missing, cut or empty"),
    "no server": (b'{"look": "sessions", "row": {"pid": 1}}\n', "not one row of the look 'server'"),
    "a list": (b"[1]\n", "line 1: not a JSON object"),
    "half an object": (b"{\n", "line 1: not JSON"),
    "no UTF-8": (b"\xff\n", "not a gzip file of UTF-8 text"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_one_line_with_its_place(what: str, tmp_path: Path) -> None:
    content, said = BAD[what]
    (tmp_path / ROWS).parent.mkdir()
    (tmp_path / ROWS).write_bytes(b"as it is" if content is None else gzip.compress(content))
    with pytest.raises(BadFile, match=said) as raised:
        load_material(tmp_path)
    assert "\n" not in str(raised.value)
