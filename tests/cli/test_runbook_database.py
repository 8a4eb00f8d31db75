"""The database squad's runbooks, walked on a real server: with the faults that they are for, and without."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from opssquad import content
from opssquad.cli.app import run
from opssquad.cli.failures import INCONCLUSIVE, OK, PENDING
from opssquad.squad.runbooks.known import shelf
from tests.postgres.faults.application import WATCHER, password
from tests.postgres.faults.catalogue import FAULTS, installed, staged, standing
from tests.postgres.faults.companies import SHOP
from tests.postgres.faults.truth import Stage, Truth
from tests.postgres.server import SUPERUSER, Server

BOOKS = sorted(path.stem for path in (content.squad("database") / "runbooks").glob("*.md"))
LINES = 120
UNREADING = "looks_on"
"""A login that may look at everything but the server's log."""
Walk = Callable[..., "Walked"]


class Walked:
    """What a run printed: its exit code, the walk and the conclusion."""

    def __init__(self, code: int, told: Any) -> None:
        self.code = code
        self.thread: str = told["report"]["thread"]
        self.ended: str = told["walk"]["ended"]
        self.left: str = " ".join(told["walk"]["left"])
        self.steps: list[str] = [step["step"] for step in told["walk"]["steps"]]
        self.conclusion: Any = told["report"]["conclusion"] or {"no_fault": False, "causes": []}
        self.looked: list[str] = told["walk"]["looked_at"]
        self.unlooked: list[str] = told["walk"]["not_looked_at"]
        self.said = " ".join(step["said"] for step in told["walk"]["steps"])
        self.faults = [cause["fault"] for cause in self.conclusion["causes"]]
        self.books = [book for cause in self.conclusion["causes"] for book in cause["runbooks"]]
        self.asked = [action["tool"] for action in told["report"]["actions"]]

    @property
    def clear(self) -> bool:
        """Whether anybody would take it for an all-clear."""
        return self.code == OK or self.ended == "steady" or bool(self.conclusion["no_fault"])


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A server on which the faults of this module stand one after another."""
    with installed(SHOP) as data, staged("D10", SHOP, "", data) as stage:
        stage.server.run(f"create role {UNREADING} login in role pg_monitor")
        yield stage


@contextmanager
def fault(stage: Stage, name: str, settling: float = 2.5) -> Iterator[Truth]:
    """The fault on that server, with nothing in its log and counters of what stood there before. Healed at
    the end."""
    forget(stage)
    with FAULTS[name].make(stage) as truth:
        # Waiting has to last, and statistics are flushed once a second.
        time.sleep(settling)
        try:
            yield truth
        finally:
            truth.heal()


def forget(stage: Stage) -> None:
    """Nothing is told of what stood before, and how many rows there are is known again."""
    stage.server.run("select pg_stat_reset()", "analyze", dbname=SHOP.database)
    stage.server.log.write_text("")


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Walk:
    """Walks a runbook on a server as that role, or goes on with one."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OPSSQUAD_STATE", str(tmp_path / "state"))
    for name in ("OPSSQUAD_RUNBOOKS", "OPSSQUAD_FAULTS", "OPSSQUAD_MODEL", "OPSSQUAD_READ_ONLY"):
        monkeypatch.delenv(name, raising=False)

    def walked(book: str, server: Server, role: str = WATCHER) -> Walked:
        given = {"password": password(role)} if role == WATCHER else {}
        dsn = server.dsn(role, SHOP.database, **given)
        capsys.readouterr()
        words = ["--squad", "database", "--dsn", dsn, "--set", f"database={SHOP.database}"]
        code = run(["runbook", "run", book, *words, "--json"])
        out = capsys.readouterr()
        assert out.err == ""
        return Walked(code, json.loads(out.out))

    return walked


def test_none_is_longer_than_a_reader_at_night_takes() -> None:
    for book in BOOKS:
        lines = (content.squad("database") / "runbooks" / f"{book}.md").read_text().splitlines()
        assert len(lines) <= LINES, book


@pytest.mark.parametrize("book", BOOKS)
def test_on_a_healthy_database_each_says_what_it_looked_at_and_what_it_did_not(
    stage: Stage, walk: Walk, book: str
) -> None:
    forget(stage)
    known = shelf("database", None).get(book)
    done = walk(book, stage.server)
    assert (done.code, done.ended, done.faults) == (OK, "steady", [])
    for check, said in zip(known.checks, done.looked, strict=True):
        about = f"{check.tool}: {check.say} "
        assert said.startswith(about)
        assert len(said) > len(about)
    assert done.unlooked == known.head.value.not_looked_at != []


def test_deadlocks_are_found_while_they_go_on_and_once_they_are_over(stage: Stage, walk: Walk) -> None:
    forget(stage)
    with ExitStack() as standing:
        standing.enter_context(fault(stage, "D04"))
        for over in (False, True):
            done = walk("deadlocks", stage.server)
            assert (done.faults, done.books, done.clear) == (["D04"], ["deadlocks"], False)
            assert "tables: public.products. Have the owners of both statements lock" in done.left
            done = walk("locks", stage.server)
            assert (done.faults, done.books, done.clear) == (["D04"], ["deadlocks"], False)
            assert "deadlock detected: use the runbook deadlocks" in done.left
            done = walk("connections", stage.server)
            assert (done.ended, done.faults, done.clear) == ("elsewhere", ["D04"], False)
            if not over:
                standing.close()
    done = walk("deadlocks", stage.server, UNREADING)
    assert (done.ended, done.clear) == ("broken", False)
    assert "deadlocks since statistics were reset, but no deadlock was found in the log" in done.left
    assert "log could not be read" in done.said
    assert not walk("locks", stage.server, UNREADING).clear


def test_a_database_that_is_set_to_read_only_is_found_by_whatever_runbook_is_asked(
    stage: Stage, walk: Walk
) -> None:
    with fault(stage, "D14-setting"):
        done = walk("read-only", stage.server)
        assert (done.faults, done.books, done.clear) == (["D14"], ["read-only"], False)
        assert done.conclusion["causes"][0]["component"]["name"] == "default_transaction_read_only"
        assert f"ALTER DATABASE {SHOP.database} RESET default_transaction_read_only" in done.left
        done = walk("replication-lag", stage.server)
        assert (done.faults, done.books, done.clear) == (["D14"], ["read-only"], False)
        assert "use the runbook read-only" in done.left
        for book in ("connections", "locks"):
            done = walk(book, stage.server)
            assert (done.ended, done.books, done.clear) == ("elsewhere", ["read-only"], False)
        done = walk("read-only", stage.server, UNREADING)
        assert (done.ended, done.clear) == ("broken", False)
        assert f"read-only by default in database {SHOP.database}" in done.left


def test_a_server_that_is_set_to_read_only_ends_at_a_card(
    stage: Stage, walk: Walk, capsys: pytest.CaptureFixture[str]
) -> None:
    forget(stage)
    stage.server.run("alter system set default_transaction_read_only = on", "select pg_reload_conf()")
    try:
        done = walk("read-only", stage.server, SUPERUSER)
        assert (done.code, done.asked) == (PENDING, ["set_setting"])
        assert run(["approvals", "approve", f"a-{done.thread}-3.1"]) == OK
        code = run(["runbook", "run", "--resume", done.thread, "--json"])
        told = Walked(code, json.loads(capsys.readouterr().out.partition("\n{")[2].join(("{", ""))))
        assert (
            stage.one("select reset_val from pg_settings where name = 'default_transaction_read_only'")
            == "off"
        )
        # The log still has the writes that were refused before.
        assert (told.ended, told.clear) == ("broken", False)
        assert "run this again in 15 minutes" in told.left
    finally:
        stage.server.run(
            "set default_transaction_read_only = off",
            "alter system reset default_transaction_read_only",
            "select pg_reload_conf()",
        )


def test_a_standby_that_clients_write_to_is_told_and_not_mended(stage: Stage, walk: Walk) -> None:
    with fault(stage, "D14") as truth:
        assert truth.replica
        done = walk("read-only", truth.replica)
        assert (done.faults, done.asked, done.clear) == (["D14"], [], False)
        assert "the server is a standby and takes no writes. Send the clients" in done.left
        done = walk("replication-lag", truth.replica)
        assert (done.faults, done.clear) == (["D14"], False)


def test_what_holds_replay_up_is_ended_on_the_replica(stage: Stage, walk: Walk) -> None:
    with fault(stage, "D10", 5.5) as truth:
        assert truth.replica
        done = walk("replication-lag", truth.replica)
        assert (done.code, done.asked) == (PENDING, ["terminate_session"])
        done = walk("replication-lag", stage.server)
        assert (done.faults, done.clear) == (["D10"], False)
        assert done.looked == ["replication", "server_log", "overview"]
        assert "the other side; run it against the primary and against the replica" in done.unlooked


@pytest.mark.parametrize(
    ("name", "book", "settling", "tool"),
    [
        ("D03", "locks", 5.5, "terminate_session"),
        ("D05", "dead-rows", 5.5, "terminate_session"),
        ("D06", "slow-query", 2.5, "create_index"),
        ("D08", "slow-query", 2.5, "analyze_table"),
        ("D11", "disk", 2.5, "drop_slot"),
    ],
)
def test_a_fault_that_can_be_mended_ends_at_a_card(
    stage: Stage, walk: Walk, name: str, book: str, settling: float, tool: str
) -> None:
    with fault(stage, name, settling):
        done = walk(book, stage.server)
        assert (done.code, done.asked) == (PENDING, [tool])


def test_slow_statements_lead_to_the_runbook_for_dead_rows(stage: Stage, walk: Walk) -> None:
    with fault(stage, "D05", 5.5):
        done = walk("slow-query", stage.server)
        assert (done.ended, done.clear) == ("broken", False)
        assert done.conclusion["causes"][0]["component"]["name"] == f"public.{SHOP.hot.table}"
        assert "use the runbook dead-rows" in done.left


def test_a_client_that_takes_all_connections_ends_at_a_card(walk: Walk) -> None:
    with standing("D01", SHOP) as (stage, _):
        done = walk("connections", stage.server)
        assert (done.code, done.asked) == (PENDING, ["set_connection_limit"])


def test_a_burst_of_writes_is_told_by_its_statement_or_its_checkpoints(walk: Walk) -> None:
    with standing("D09", SHOP) as (stage, _):
        time.sleep(3.0)
        done = walk("disk", stage.server)
        assert done.clear is False
        assert "max_wal_size" in done.left


def test_without_the_log_nobody_knows_whether_clients_are_refused(stage: Stage, walk: Walk) -> None:
    forget(stage)
    done = walk("connections", stage.server, UNREADING)
    assert (done.code, done.ended, done.clear) == (INCONCLUSIVE, "unknown", False)
    assert done.steps == ["before", "who-has-them", "refused-login", "own-pool"]
    assert "log could not be read" in done.said


def test_a_password_that_is_no_longer_right_is_told(stage: Stage, walk: Walk) -> None:
    # Last: it leaves the rules by which clients come in changed.
    with fault(stage, "D12"):
        done = walk("connections", stage.server)
        assert (done.faults, done.clear) == (["D12"], False)
        assert f"Give the client that comes as {SHOP.worker.role} the one of now" in done.left
