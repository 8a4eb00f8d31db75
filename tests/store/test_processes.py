"""Processes that die, and processes that race: what is on record is whole, and only one ever wins."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from opssquad.findings import ToolResult
from opssquad.gate.grant import Signer
from opssquad.store import auditlog as log
from opssquad.store import database
from opssquad.store.audit import EVERY
from opssquad.store.backup import backup
from opssquad.store.checking import check
from opssquad.store.sqlite import Store
from opssquad.types import Needs
from tests.samples import NOW, a_call, a_card, a_decision, a_draft, a_thread

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, "-m", "tests.store.worker", str(folder), *words]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, cwd=ROOT)


@contextmanager
def working(folder: Path, *names: str) -> Iterator[None]:
    """Processes that write without a pause while the context lasts."""
    running = [start(folder, "work", name) for name in names]
    try:
        deadline = time.monotonic() + 60
        while not all((folder / f"ready-{name}").exists() for name in names):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        (folder / "go").touch()
        yield
    finally:
        (folder / "stop").touch()
        assert [process.wait(60) for process in running] == [0] * len(running)


def race(folder: Path, *commands: tuple[str, str]) -> None:
    """Start the processes, let them go at the same moment, and wait for both."""
    running = [start(folder, *words) for words in commands]
    deadline = time.monotonic() + 60
    while not all((folder / f"ready-{words[1]}").exists() for words in commands):
        assert time.monotonic() < deadline
        assert all(process.poll() is None for process in running)
        time.sleep(0.005)
    (folder / "go").touch()
    assert [process.wait(60) for process in running] == [0] * len(running)


@pytest.mark.parametrize(
    ("step", "effects", "outcome", "lines"),
    [
        ("opened", 0, "new", 0),
        ("claimed", 0, "claimed", 0),
        ("acted", 1, "claimed", 0),
        ("done", 1, "done", 0),
        ("audited", 1, "done", 1),
    ],
)
async def test_a_call_is_never_repeated_wherever_the_process_is_killed(
    tmp_path: Path, step: str, effects: int, outcome: str, lines: int
) -> None:
    assert start(tmp_path, "act", step).wait(60) == -signal.SIGKILL
    async with await Store.open(tmp_path / "state") as store:
        found = await store.outcome("c1")
        assert ("done" if isinstance(found, ToolResult) else found) == outcome
        assert await store.verify_audit() is None
        assert len(await store.audit_records()) == lines
        assert await store.claim("c1", a_call().digest) is (outcome == "new")
    # Started again, the same call acts only if it never began.
    assert start(tmp_path, "act", "never").wait(60) == 0
    done = (tmp_path / "effects").read_text().splitlines() if (tmp_path / "effects").exists() else []
    assert len(done) == effects


async def test_of_two_processes_that_decide_the_same_card_exactly_one_wins(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as store:
        for number in range(30):
            await store.add_approval(a_card(f"a{number}", a_call(f"c{number}")))
        race(tmp_path, ("decide", "kim"), ("decide", "lee"))
        records = await store.approvals()
        assert [len(record.decisions) for record in records] == [1] * 30
        for record in records:
            assert record.decision is not None
            assert record.decision.outcome == {"kim": "approved", "lee": "refused"}[record.decision.by]
        lines = await store.audit_records()
        assert {(line.approval.id, line.approval.by) for line in lines if line.approval} == {
            (record.approval.id, record.decision.by) for record in records if record.decision
        }
        assert len(lines) == 30
        assert await store.verify_audit() is None


async def test_of_two_yeses_at_once_to_a_card_that_needs_two_both_count_and_one_approves(
    tmp_path: Path,
) -> None:
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as store:
        for number in range(20):
            card = a_card(f"a{number}", a_call(f"c{number}"), needs=Needs(approvers=2))
            await store.add_approval(card)
        race(tmp_path, ("approve", "kim"), ("approve", "lee"))
        for record in await store.approvals():
            assert {each.by for each in record.consents} == {"kim", "lee"}
            assert [each.outcome for each in record.decisions] == ["approved"]
            assert record.decisions[0].by in {"kim and lee", "lee and kim"}
        assert await store.verify_audit() is None


async def test_the_same_yes_from_two_processes_is_on_record_once(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as store:
        for number in range(20):
            needs = Needs(approvers=1 + number % 2)
            await store.add_approval(a_card(f"a{number}", a_call(f"c{number}"), needs=needs))
        race(tmp_path, ("approve", "kim"), ("approve", "Kim"))
        for number, record in enumerate(await store.approvals()):
            assert (len(record.decisions), len(record.consents)) == ((1, 0), (0, 1))[number % 2]
        assert len(await store.audit_records()) == 20


async def test_a_yes_and_a_no_of_other_processes_after_the_time_is_over_approve_nothing(
    tmp_path: Path,
) -> None:
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as store:
        for number in range(20):
            await store.add_approval(a_card(f"a{number}", a_call(f"c{number}"), minutes=0))
        race(tmp_path, ("decide", "kim"), ("decide", "lee"))
        outcomes = [[each.outcome for each in record.decisions] for record in await store.approvals()]
        assert outcomes == [["expired"]] * 20
        assert len(await store.audit_records()) == 20


async def test_of_two_processes_with_one_grant_exactly_one_is_admitted(tmp_path: Path) -> None:
    card = a_card()
    grant = Signer.open(tmp_path, now=lambda: NOW).grant(card.call, a_decision(card), card.expires_at)
    (tmp_path / "grant.json").write_text(grant.model_dump_json())
    race(tmp_path, ("admit", "kim"), ("admit", "lee"))
    assert (tmp_path / "effects").read_text() == "acted\n"
    (mark,) = (tmp_path / "grants").iterdir()
    assert (mark.name, mark.stat().st_mode & 0o777) == (grant.signature, 0o600)


async def test_a_card_outlives_the_process_and_is_decided_in_another(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as chat:
        await chat.add_approval(a_card())
        (tmp_path / "go").touch()
        assert start(tmp_path, "decide", "kim").wait(60) == 0
        assert await chat.decision("a-c1") == a_decision(a_card(), by="kim")


async def test_two_processes_write_one_audit_chain(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "state") as store:
        await store.audit(a_draft())
        race(tmp_path, ("audit", "kim"), ("audit", "lee"))
        lines = await store.audit_records()
        assert [line.seq for line in lines] == list(range(1, 52))
        for who in ("kim", "lee"):
            assert [line.ms for line in lines if line.requested_by == who] == list(range(25))
        assert await store.verify_audit() is None


async def test_two_processes_that_open_a_new_folder_at_once_both_can(tmp_path: Path) -> None:
    running = [start(tmp_path, "act", "never") for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert (tmp_path / "effects").read_text() == "acted\n"


def test_a_check_and_a_backup_beside_two_that_write_see_one_whole_state(tmp_path: Path) -> None:
    state = tmp_path / "state"

    async def begin() -> None:
        async with await Store.open(state) as store:
            await store.create_thread(a_thread())

    asyncio.run(begin())
    with closing(sqlite3.connect(state / "checkpoints.sqlite")) as c, c:
        c.execute("create table checkpoints (thread_id text)")
    lengths = []
    with working(tmp_path, "kim", "lee"):
        for number in range(6):
            found = [line for line in check(state) if line.state == "fail" and line.name != "files"]
            assert found == []
            made = backup(state, tmp_path / f"copy-{number}", NOW)
            assert made.problem == ""
            lengths.append(made.audit_records)
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0], "they wrote meanwhile"
    for number in range(6):
        # A call may have begun and not ended when the copy was made; nothing else is open.
        found = [line for line in check(tmp_path / f"copy-{number}") if line.state != "ok"]
        assert {(line.state, line.name) for line in found} <= {("warn", "calls")}, found
    written = sum(int((tmp_path / f"made-{who}").read_text()) for who in ("kim", "lee"))
    assert [line for line in check(state) if line.state != "ok"] == []
    assert backup(state, tmp_path / "last", NOW).audit_records == 2 * written + (2 * written) // (EVERY - 1)


async def test_a_reader_sees_the_state_of_before_during_a_long_write(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as writer, await Store.open(tmp_path) as reader:
        await writer.audit(a_draft())
        entered, leave = threading.Event(), threading.Event()

        def long(c: sqlite3.Connection) -> None:
            log.append(c, a_draft(ms=1))
            entered.set()
            assert leave.wait(30)

        writing = asyncio.create_task(writer._db.write(long, durable=True))
        await asyncio.to_thread(entered.wait, 30)
        began = time.monotonic()
        assert len(await reader.audit_records()) == 1
        assert await reader.verify_audit() is None
        assert [line.text for line in check(tmp_path) if line.name == "audit log"] == [
            "1 record, every one fits"
        ]
        assert time.monotonic() - began < database.BUSY_SECONDS, "nobody waited for the writer"
        leave.set()
        await writing
        assert len(await reader.audit_records()) == 2
