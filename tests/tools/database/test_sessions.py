"""The tool `sessions` on a real server, and whose workloads sessions are."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tools.database._workloads import addresses_by_client, place, workloads_by_address
from tools.database.sessions import sessions
from tools.database.signals.sessions import session_signals

from opssquad import Json, Rows, parse_time
from tests.postgres.server import Server, running
from tests.tools.database.looked import blocked, client, grave, look, one, signals, until, value, waiting
from tests.tools.recorded import of_kind
from tests.tools.served import cluster_of

NOW = parse_time("2026-03-01T12:00:00Z")
RECORDING = "ward-0323"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as made:
        made.run(
            "create role shop login",
            "create table goods (id int primary key, n int)",
            "insert into goods values (1, 1), (2, 2)",
            "grant all on goods to shop",
        )
        yield made


def test_a_light_load_has_no_fault(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for name in ("web", "web", "worker"):
            stack.enter_context(client(server, name, "shop")).execute("select * from goods")
        busy = stack.enter_context(client(server, "api", "shop"))
        stack.enter_context(waiting(busy, "select pg_sleep(20)"))
        until(lambda: value(server, ACTIVE) == 1, "a statement that runs")
        result = look(server, sessions)
    assert grave(result) == []
    quiet = one(result, "sessions.quiet")
    assert (quiet.data["active"], quiet.data["sessions"]) == (1, 4)
    assert result.text.startswith("4 sessions.\n")
    lines = result.text.splitlines()
    assert any(line.split()[:2] == ["web", "2"] for line in lines)
    assert "WORKLOAD" not in result.text
    assert "select pg_sleep(20)" in result.text


ACTIVE = "select count(*) from pg_stat_activity where query like '%pg_sleep(20)%' and pid <> pg_backend_pid()"


def test_only_a_client_or_a_state(server: Server) -> None:
    with client(server, "web", "shop"), client(server, "worker", "shop") as other:
        other.execute("begin")
        assert look(server, sessions, client_name="web").text.startswith("1 session.\n")
        open_ = look(server, sessions, state="idle in transaction")
        assert open_.data["sessions"] == [f"Session/postgres/{other.info.backend_pid}"]


def test_many_that_wait_for_the_same(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        holder = stack.enter_context(client(server, "migrator"))
        holder.execute("begin")
        holder.execute("lock table goods")
        for _ in range(4):
            stack.enter_context(
                waiting(stack.enter_context(client(server, "web", "shop")), "select * from goods")
            )
        blocked(server, 4)
        result = look(server, sessions)
        wait = one(result, "sessions.waiting")
        assert wait.data == {"type": "Lock", "event": "relation", "count": 4, "clients": ["web"]}
        assert signals(result, "sessions.quiet") == []
        assert "4 at work; of them wait 4 for Lock: relation." in result.text
        holder.execute("rollback")


def test_a_transaction_left_open_is_told_with_what_it_holds(server: Server) -> None:
    """Its age is moved: a test does not wait for it."""
    with client(server, "batch", "shop") as connection:
        connection.execute("begin")
        connection.execute("update goods set n = 5 where id = 1")
        with server.connect() as root:
            rows = root.execute("select row_to_json(a) from (" + SESSIONS + ") a").fetchall()
            locks = root.execute("select row_to_json(l) from (" + LOCKS + ") l").fetchall()
    found = Rows("sessions", "postgres", [row[0] for row in rows])
    held = Rows("locks", "postgres", [row[0] for row in locks])
    (row,) = (each for each in found.rows if each["application"] == "batch")
    now = parse_time(row["state_change"]) + timedelta(minutes=10)
    (idle,) = (s for s in session_signals(found, now, held) if s.id == "session.idle_in_transaction")
    assert str(idle.entity) == f"Session/postgres/{row['pid']}"
    assert idle.at == parse_time(row["state_change"])
    assert idle.data["client"] == "batch"
    assert idle.data["holds"] == ["RowExclusiveLock on public.goods"]
    assert idle.data["idle_seconds"] == 600
    assert idle.data["wrote"] is True


SESSIONS = """select pid, datname as database, usename as role, application_name as application,
    host(client_addr) as client, backend_type, state, wait_event_type, wait_event, backend_start, xact_start,
    query_start, state_change, backend_xid::text as xid, age(backend_xmin) as xmin_age,
    null::int[] as blocked_by, query from pg_stat_activity where pid <> pg_backend_pid()"""
LOCKS = """select l.pid, l.locktype, l.mode, l.granted, n.nspname as schema, c.relname as relation,
    c.relkind as kind from pg_locks l join pg_class c on c.oid = l.relation
    join pg_namespace n on n.oid = c.relnamespace where l.pid <> pg_backend_pid()"""


def _row(pid: int, minutes: float, **more: object) -> Json:
    at = (NOW - timedelta(minutes=minutes)).isoformat()
    times = {name: at for name in ("backend_start", "xact_start", "query_start", "state_change")}
    base: Json = {
        "pid": pid, "database": "shop", "role": "app", "application": "web", "client": "10.0.0.5",
        "backend_type": "client backend", "state": "active", "wait_event_type": None, "wait_event": None,
        "xid": None, "xmin_age": None, "blocked_by": None, "query": "select 1",
    }  # fmt: skip
    return {**base, **times, **more}


def _ids(*rows: Json) -> Counter[str]:
    return Counter(s.id for s in session_signals(Rows("sessions", "shop", rows), NOW) if s.severity != "info")


def test_what_takes_long_by_its_kind() -> None:
    assert _ids(_row(1, 0.5)) == {}
    assert _ids(_row(1, 5)) == {"session.long_query": 1}
    assert _ids(_row(1, 5, blocked_by=[2], wait_event_type="Lock", wait_event="relation")) == {}
    assert _ids(_row(1, 5, query="VACUUM goods")) == {}
    assert _ids(_row(1, 5, state="idle")) == {}
    assert _ids(_row(1, 5, state="idle in transaction", xmin_age=5000)) == {
        "session.idle_in_transaction": 1,
        "session.old_snapshot": 1,
    }


def test_a_client_that_leaves_hundreds_of_transactions_open_is_told_once_and_the_oldest_of_them() -> None:
    rows = [_row(pid, pid, state="idle in transaction") for pid in range(1, 301)]
    found = Rows("sessions", "shop", rows)
    told = list(session_signals(found, NOW))
    (together,) = (s for s in told if s.id == "sessions.idle_in_transaction")
    assert (str(together.entity), together.data["count"]) == ("Client/shop/web", 300)
    single = [s for s in told if s.id == "session.idle_in_transaction"]
    assert len(single) == 20
    assert single[0].data["pid"] == 300


async def test_pods_are_known_by_their_addresses_with_their_workloads() -> None:
    async with cluster_of(RECORDING) as cluster:
        where = await workloads_by_address(cluster)
    pods = [pod for pod in of_kind(RECORDING, "Pod") if pod["status"].get("podIP")]
    shared = Counter(pod["status"]["podIP"] for pod in pods)
    deployed = [
        pod
        for pod in pods
        if shared[pod["status"]["podIP"]] == 1 and pod["status"]["phase"] == "Running" and _hash(pod)
    ]
    assert deployed
    for pod in deployed:
        meta = pod["metadata"]
        name = meta["ownerReferences"][0]["name"].removesuffix(f"-{_hash(pod)}")
        assert where[pod["status"]["podIP"]] == f"Deployment/{meta['namespace']}/{name}"


def _hash(pod: Json) -> str:
    return str(pod["metadata"].get("labels", {}).get("pod-template-hash", ""))


def test_a_signal_names_the_workload_of_its_client() -> None:
    found = Rows("sessions", "shop", [_row(1, 5), _row(2, 5, client="10.0.0.6")])
    where = {"10.0.0.5": "Deployment/shop/web", "10.0.0.6": "Deployment/shop/web", "10.0.0.7": "Job/shop/x"}
    of = addresses_by_client(found)
    long = next(s for s in session_signals(found, NOW) if s.id == "session.long_query")
    told = place(long, where, of)
    assert told.data["workload"] == "Deployment/shop/web"
    assert told.text.endswith("(Deployment/shop/web)")
    assert place(long, {}, of) == long


def test_who_may_not_see_others_is_told_so(server: Server) -> None:
    with client(server, "web"):
        result = look(server, sessions, "shop")
    assert "shop is no member of pg_read_all_stats" in result.text
    assert result.data["unread"]
