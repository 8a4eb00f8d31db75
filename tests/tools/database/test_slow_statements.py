"""What the tool `slow_statements` tells on real servers."""

import threading
import time
from collections.abc import Iterator

import pytest
from tools.database.slow_statements import slow_statements

from opssquad import Result
from tests.postgres.server import Server, running
from tests.tools.database.looked import client, grave, look, one, signals, waiting

ROWS = 200_000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server whose statements are counted, with a table of some size."""
    with running() as made:
        made.run(
            "create extension pg_stat_statements",
            'create table "Größe" (id int, code int)',
            f'insert into "Größe" select n, n from generate_series(1, {ROWS}) n',
            'create index codes on "Größe" (code)',
            'analyze "Größe"',
            "create role reader login",
            'grant select on "Größe" to reader',
        )
        yield made


@pytest.fixture(autouse=True)
def counted_anew(server: Server) -> None:
    server.run("select pg_stat_statements_reset()")


SEARCH = 'select id from "Größe" where code = 7'
"""By an index, unless there is none."""


def test_a_statement_that_lost_its_index_is_slower_now_than_before(server: Server) -> None:
    with client(server, "shop") as shop:
        for _ in range(200):
            shop.execute(SEARCH)
        shop.execute("drop index codes")
        try:
            found = _while_busy(server)
        finally:
            server.run('create index codes on "Größe" (code)')
    signal = one(found, "statement.slower_now")
    assert str(signal.entity) == "Table/postgres/public.Größe"
    assert signal.data["tables"] == ["public.Größe"]
    assert signal.data["calls"] >= 3
    assert signal.data["ratio"] >= 3
    assert signal.data["mean_ms"] > signal.data["mean_before_ms"]
    assert signal.data["blocks_now"] > 100 > signal.data["blocks_before"]
    assert "where code = $1" in signal.data["query"]


def _while_busy(server: Server) -> Result:
    """Look while a client searches all the time."""
    stop = threading.Event()

    def search() -> None:
        with server.connect() as connection:
            while not stop.is_set():
                connection.execute(SEARCH)

    thread = threading.Thread(target=search)
    thread.start()
    try:
        return look(server, slow_statements, seconds=1)
    finally:
        stop.set()
        thread.join()


def test_a_server_with_a_light_load_shows_nothing_grave(server: Server) -> None:
    for _ in range(50):
        server.run(SEARCH)
    found = _while_busy(server)
    assert not grave(found)
    assert not signals(found, "statement.dominates")


def test_one_statement_that_reads_much_for_little_dominates(server: Server) -> None:
    count = 'select count(*) from "Größe" where id % 7 = 1'
    with server.connect() as connection:
        while not _spent(server, 1000):
            connection.execute(count)
    signal = one(look(server, slow_statements, seconds=0), "statement.dominates")
    assert str(signal.entity) == "Table/postgres/public.Größe"
    assert signal.data["share"] > 0.5
    assert signal.data["blocks_per_row"] > 100


def _spent(server: Server, ms: int) -> bool:
    with server.connect() as connection:
        row = connection.execute("select sum(total_exec_time) > %s from pg_stat_statements", [ms]).fetchone()
        return bool(row and row[0])


def test_statements_of_two_roles_are_counted_apart(server: Server) -> None:
    for user in ("postgres", "reader"):
        server.run(SEARCH, user=user)
    found = look(server, slow_statements, seconds=0)
    (rows,) = [each.text for each in found.sources if each.locator.endswith("/statements")]
    assert sum("code = $1" in line for line in rows.splitlines()) == 2


def test_statistics_that_are_reset_in_between_are_no_news(server: Server) -> None:
    for _ in range(20):
        server.run(SEARCH)

    def reset() -> None:
        time.sleep(0.5)
        server.run("select pg_stat_statements_reset()")

    thread = threading.Thread(target=reset)
    thread.start()
    found = look(server, slow_statements, seconds=1)
    thread.join()
    assert not found.signals


def test_what_runs_now_is_told_where_nothing_is_counted() -> None:
    with running() as bare, client(bare, "shop") as shop, waiting(shop, "select pg_sleep(30)"):
        found = look(bare, slow_statements)
        assert "Running now" in found.text
        assert "pg_sleep" in found.text
        assert "CREATE EXTENSION pg_stat_statements" in found.text
        assert found.data["unread"][0]["what"] == "statements"
        assert not found.signals


def test_an_extension_that_is_not_loaded_is_said() -> None:
    with running(shared_preload_libraries="") as bare:
        bare.run("create extension pg_stat_statements")
        found = look(bare, slow_statements)
    assert "shared_preload_libraries" in found.text
    assert not found.signals


def test_a_role_that_sees_little_still_gets_what_there_is(server: Server) -> None:
    server.run(SEARCH)
    found = look(server, slow_statements, user="reader", seconds=0)
    assert "reader is no member of pg_read_all_stats" in found.text


def test_our_own_looks_are_left_out(server: Server) -> None:
    server.run(SEARCH)
    look(server, slow_statements, seconds=0)
    found = look(server, slow_statements, seconds=0)
    (rows,) = [each.text for each in found.sources if each.locator.endswith("/statements")]
    assert "code = $1" in rows
    assert "pg_stat_activity" not in rows
