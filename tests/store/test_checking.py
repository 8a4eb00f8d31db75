"""The check-up of a state folder: a sound one is told so, what is wrong in one line each."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from opssquad.errors import UsageError
from opssquad.events import Judged, Returned, Started
from opssquad.store import checking, schema
from opssquad.store.checking import check
from opssquad.store.finding import Finding
from opssquad.store.migrations import APPLICATION_ID, MIGRATIONS, Step
from opssquad.store.sqlite import Store
from opssquad.types import Needs, Verdict
from tests.samples import NOW, a_call, a_card, a_decision, a_draft, a_result, a_thread

STAMP = {"thread": "t1", "turn": 1, "at": NOW, "recorded_at": NOW}


async def filled(folder: Path, started: str = "c1") -> None:
    """A thread with a change that was approved by two, carried out and told; and its keys. `started`: what
    the line of its start names."""
    card, call = a_card(needs=Needs(approvers=2)), a_call()
    async with await Store.open(folder, now=lambda: NOW) as store:
        await store.create_thread(a_thread())
        verdict = Judged(**STAMP, call=call, verdict=Verdict(outcome="ask", rule="mutations ask"))
        await store.append(verdict, audit=[a_draft(kind="verdict", status="ask")])
        await store.add_approval(card)
        await store.decide(a_decision(card, by="kim"))
        await store.decide(a_decision(card, by="lee"))
        await store.claim(call.id, call.digest)
        line = a_draft(status="started", effect="mutate", output_ref=started)
        await store.append(Started(**STAMP, call=call), audit=[line])
        await store.done(call.id, a_result())
        await store.append(Returned(**STAMP, call=call, result=a_result()), audit=[a_draft(output_ref="c1")])
    for name in checking.KEYS:
        (folder / name).write_bytes(b"k" * 32)
        (folder / name).chmod(0o600)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "state"
    asyncio.run(filled(folder))
    # The graph's own file is no database of ours.
    with closing(sqlite3.connect(folder / "checkpoints.sqlite")) as c, c:
        c.execute("create table checkpoints (thread_id text)")
    return folder


@pytest.fixture
def state(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "state"))


def wrong(folder: Path) -> list[Finding]:
    return [line for line in check(folder) if line.state != "ok"]


def test_a_sound_folder_is_told_line_by_line_and_left_as_it_is(state: Path) -> None:
    before = {p.name: p.read_bytes() for p in state.iterdir() if p.is_file()}
    found = check(state)
    assert {line.state for line in found} == {"ok"}, found
    names = ["files", "room", "store", "checkpoints", "schema", "audit log", "content"]
    assert [line.name for line in found] == names
    assert {p.name: p.read_bytes() for p in state.iterdir() if p.is_file()} == before


def test_a_folder_without_a_store_is_refused_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no store in"):
        check(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sql", "how", "name", "said"),
    [
        ("update ledger set status = 'claimed'", "warn", "calls", "their end is not known: c1; look"),
        ("delete from outputs", "fail", "calls", "their outputs are gone: c1"),
        ("delete from outputs", "fail", "outputs", "gone of calls that came back: c1"),
        ("delete from ledger", "fail", "calls", "begun by the audit log, and not on record: c1; restore"),
        (
            "delete from decisions",
            "fail",
            "decisions",
            "in the audit log alone: a-c1 approved by kim and lee",
        ),
        ("delete from consents", "fail", "decisions", "a-c1 consented by kim, a-c1 consented by lee"),
        (
            "insert into decisions select approval, 1, replace(body, 'approved', 'refused') from decisions",
            "fail",
            "decisions",
            "not in the audit log: a-c1 refused by kim and lee",
        ),
        (
            "insert into events select 9, thread, kind, replace(body, 'c1', 'c7') from events"
            " where kind = 'returned'",
            "fail",
            "events",
            "results without a line in the audit log: c7",
        ),
        ("delete from events where kind = 'returned'", "fail", "events", "in the audit log alone: c1"),
        ("delete from threads", "warn", "threads", "events of threads that are not on record: t1"),
        ("delete from threads", "warn", "threads", "approvals of threads that are not on record: t1"),
        ("update events set body = 'x' where seq = 2", "fail", "content", "cannot be read: events 2;"),
        ("update decisions set body = '{}'", "fail", "content", "a decision on a-c1 on disk cannot be read"),
        (
            "update audit set body = replace(body, 'sam', 'eve') where seq = 1",
            "fail",
            "audit log",
            "record 1",
        ),
        ("delete from audit where seq = 2", "fail", "audit log", "record 2: missing"),
        ("drop index events_by_thread", "fail", "schema", "not what its steps make: events_by_thread"),
        ("create table extra (id)", "fail", "schema", "not what its steps make: extra"),
        ("delete from approvals", "fail", "store", "a row of decisions points to none of approvals"),
    ],
)
def test_each_thing_that_is_wrong_has_its_line(state: Path, sql: str, how: str, name: str, said: str) -> None:
    with closing(sqlite3.connect(state / "opssquad.sqlite")) as c, c:
        assert c.execute(sql).rowcount
    found = wrong(state)
    assert [line for line in found if (line.state, line.name) == (how, name) and said in line.text], found
    assert not [line for line in found if "\n" in line.text]


def spoil(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 3000)


@pytest.mark.parametrize("name", ["opssquad.sqlite", "checkpoints.sqlite"])
def test_a_damaged_database_is_found(state: Path, name: str) -> None:
    spoil(state / name, 4096)
    failed = [line for line in check(state) if line.state == "fail"]
    assert failed[0].name == ("store" if name.startswith("opssquad") else "checkpoints")
    assert str(state / name) in failed[0].text


def test_files_that_are_open_to_others_and_keys_that_are_none_are_told(state: Path) -> None:
    (state / "grant.key").chmod(0o644)
    (state / "redact.key").write_bytes(b"short")
    state.chmod(0o755)
    assert [(line.state, line.name, line.text) for line in wrong(state)] == [
        ("fail", "files", f"{state} is open to others; run: chmod 700 {state}"),
        ("fail", "files", f"{state}/grant.key is open to others; run: chmod 600 {state}/grant.key"),
        ("fail", "keys", f"{state}/redact.key is no key of 32 bytes; move it away to have a new one made"),
    ]


def older(c: sqlite3.Connection) -> None:
    for statement in MIGRATIONS[0].statements:
        c.execute(statement)
    c.execute(f"pragma application_id = {APPLICATION_ID}")
    c.execute("pragma user_version = 1")


def newer(c: sqlite3.Connection) -> None:
    older(c)
    c.execute("pragma user_version = 99")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (older, "warn schema of an older version; at the next run it gets: consents, last changes"),
        (newer, "fail content was written by a newer opssquad (schema 99"),
    ],
)
def test_a_store_of_another_version_is_told(
    tmp_path: Path, make: Callable[[sqlite3.Connection], None], said: str
) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "opssquad.sqlite").touch(mode=0o600)
    with closing(sqlite3.connect(tmp_path / "opssquad.sqlite")) as c, c:
        make(c)
    found = [line for line in wrong(tmp_path) if line.name != "checkpoints"]
    (line,) = found
    assert f"{line.state} {line.name} {line.text.removeprefix(f'{tmp_path}/opssquad.sqlite ')}".startswith(
        said
    )


def test_a_step_that_another_process_has_not_yet_applied_is_due(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (*MIGRATIONS, Step("extra", ("create table extra (id)",)))
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(checking, "MIGRATIONS", steps)
    assert [(line.state, line.text) for line in wrong(state)] == [
        ("warn", "of an older version; at the next run it gets: extra")
    ]


def test_a_file_that_goes_away_while_it_is_looked_at_is_no_fault(state: Path) -> None:
    # Listed and not there: as what SQLite keeps beside a database when its last user closes it.
    (state / "opssquad.sqlite-gone").symlink_to(state / "absent")
    assert wrong(state) == []


@pytest.mark.parametrize(
    ("started", "said"),
    [
        ("c1", "begun by the audit log, and not on record: c1; restore a copy"),
        ("", "changes that began by the audit log: 1, on record: 0; restore a copy"),
    ],
)
async def test_a_read_that_was_approved_does_not_hide_a_change_that_was_lost(
    tmp_path: Path, started: str, said: str
) -> None:
    folder, read = tmp_path / "state", a_card("a-r1", a_call("r1", "logs"), effect="read")
    await filled(folder, started)
    async with await Store.open(folder, now=lambda: NOW) as store:
        await store.add_approval(read)
        await store.decide(a_decision(read))
        await store.claim("r1", read.call.digest)
        await store.done("r1", a_result("r1"))
    # The graph's own file is made by the graph.
    assert {line.name for line in wrong(folder)} <= {"checkpoints"}
    with closing(sqlite3.connect(folder / "opssquad.sqlite")) as c, c:
        c.execute("delete from ledger where call = 'c1'")
    assert ("fail", "calls", said) in wrong(folder)


async def test_suggestions_are_no_decisions_that_were_lost(state: Path) -> None:
    suggested = a_draft(kind="decision", status="suggested", effect="mutate")
    async with await Store.open(state) as store:
        await store.append(audit=[suggested])
    assert wrong(state) == []
    with closing(sqlite3.connect(state / "opssquad.sqlite")) as c, c:
        c.execute("delete from decisions")
    (line,) = wrong(state)
    assert line.text == "in the audit log alone: a-c1 approved by kim and lee; restore a copy"


def test_a_disk_that_is_nearly_full_is_told(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "ROOM", 10**18)
    (line,) = wrong(state)
    assert (line.state, line.name, "make room before it is full" in line.text) == ("warn", "room", True)
