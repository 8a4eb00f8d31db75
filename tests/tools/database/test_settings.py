"""What the tool `settings` tells on real servers."""

from collections.abc import Iterator

import pytest
from tools.database.settings import settings

from tests.postgres.server import Server, running
from tests.tools.database.looked import look, one, signals, until, value

SAFE = {"fsync": "on", "full_page_writes": "on"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that is set as one should be."""
    with running(**SAFE) as made:
        yield made


def test_a_server_that_is_set_well_shows_nothing(server: Server) -> None:
    found = look(server, settings)
    assert not found.signals
    assert "deadlock_timeout" in found.text
    assert "command line" in found.text
    # Our own session is read-only and has timeouts; the server is not, and has none.
    assert "default_transaction_read_only" not in found.text
    assert "statement_timeout" not in found.text


def test_what_waits_for_a_restart_is_told() -> None:
    with running(**SAFE) as changed:
        changed.run("alter system set max_locks_per_transaction = 128", "select pg_reload_conf()")
        query = "select count(*) from pg_settings where pending_restart"
        until(lambda: value(changed, query), "a pending restart")
        signal = one(look(changed, settings), "setting.pending_restart")
    assert str(signal.entity) == "Setting//max_locks_per_transaction"
    assert "it is 64" in signal.text


def test_values_that_hurt_are_told_with_how(server: Server) -> None:
    server.run(
        "alter system set autovacuum = off",
        "alter system set max_wal_size = '128MB'",
        "select pg_reload_conf()",
    )
    until(
        lambda: value(server, "select setting = 'off' from pg_settings where name = 'autovacuum'"), "a reload"
    )
    found = signals(look(server, settings), "setting.risky")
    assert {each.data["name"]: each.data["value"] for each in found} == {
        "autovacuum": "off",
        "max_wal_size": "128",
    }
    assert "max_wal_size is 128 MB" in look(server, settings).text
    server.run(
        "alter system reset autovacuum", "alter system set max_wal_size = '256MB'", "select pg_reload_conf()"
    )
    until(
        lambda: value(server, "select setting = '256' from pg_settings where name = 'max_wal_size'"),
        "a reload",
    )
    assert not look(server, settings).signals
    server.run("alter system reset max_wal_size", "select pg_reload_conf()")


def test_settings_of_roles_and_databases_are_told(server: Server) -> None:
    server.run(
        'create role "Büro" login',
        "alter role \"Büro\" set statement_timeout = '5s'",
        'alter role "Büro" in database postgres set enable_indexscan = off',
    )
    found = look(server, settings)
    assert "Büro in all databases: statement_timeout=5s" in found.text
    signal = one(found, "setting.risky")
    assert "Büro in postgres" in signal.text
    server.run('alter role "Büro" in database postgres reset all')


def test_a_login_without_rights_is_told_what_it_can_see(server: Server) -> None:
    server.run("create role small login")
    assert "deadlock_timeout" in look(server, settings, user="small").text
