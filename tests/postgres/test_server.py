"""The servers that tests start: they come up, replicate, ask for passwords, crash and come back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres.binaries import NOBODY
from tests.postgres.faults.crowd import until
from tests.postgres.server import Server, replica_of, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as made:
        yield made


def value(server: Server, query: str) -> object:
    with server.connect() as connection:
        return connection.execute(query).fetchone()[0]


def test_a_server_answers_over_tcp_with_its_settings() -> None:
    with running(work_mem="7MB") as server:
        assert value(server, "show work_mem") == "7MB"
        assert value(server, "select inet_server_port()") == server.port
        assert "database system is ready" in server.log.read_text()
        home = server.home
    assert not home.exists()


def test_a_wrong_setting_is_told_with_the_end_of_the_log() -> None:
    with pytest.raises(RuntimeError, match="no_such_setting"), running(no_such_setting="1"):
        pass


def test_as_root_it_runs_as_nobody(server: Server) -> None:
    assert server.process is not None
    owner = Path(f"/proc/{server.process.pid}").stat().st_uid
    assert owner == (NOBODY if os.getuid() == 0 else os.getuid())


def test_a_replica_gets_what_the_primary_writes_and_refuses_writes(server: Server) -> None:
    server.run("create table visits (n integer)", "insert into visits values (41)")
    with replica_of(server, slot="second", name="second") as replica:
        assert value(replica, "select pg_is_in_recovery()") is True
        server.run("update visits set n = 42")
        until(lambda: value(replica, "select n from visits") == 42, "the update on the replica")
        assert value(server, "select application_name from pg_stat_replication") == "second"
        assert value(server, "select active from pg_replication_slots where slot_name = 'second'") is True
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            replica.run("insert into visits values (1)")
    until(lambda: not value(server, "select count(*) from pg_stat_replication"), "a replica that is gone")


def test_rules_ask_a_role_for_its_password(server: Server) -> None:
    server.run("create role guest login password 'first'")
    server.hba("host all guest 127.0.0.1/32 scram-sha-256")
    server.connect("guest", password="first").close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server.connect("guest", password="second")
    assert value(server, "select 1") == 1


def test_a_crash_loses_nothing_and_is_in_the_log() -> None:
    with running() as server:
        server.run("create table visits (n integer)", "insert into visits values (7)", "checkpoint")
        server.stop(signal.SIGQUIT)
        assert server.process is None
        server.start()
        assert value(server, "select n from visits") == 7
        assert "was not properly shut down" in server.log.read_text()


def test_a_server_of_the_wanted_version_or_a_word_on_what_there_is() -> None:
    with pytest.raises(RuntimeError, match="no PostgreSQL 9 server"), running("9"):
        pass
