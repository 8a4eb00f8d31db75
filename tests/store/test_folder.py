"""The state folder and its file: private, versioned, and refused in one line when they cannot be used."""

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.errors import OpsError, StoreError
from opssquad.store import database
from opssquad.store.sqlite import Store
from tests.samples import NOW, a_call, a_card, a_decision, a_draft, a_result, a_thread

FILES = ["checkpoints.sqlite", "opssquad.sqlite"]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def filled(folder: Path) -> Path:
    """A state folder with something in every table; returns the database's path."""
    async with await Store.open(folder, now=lambda: NOW) as store:
        await store.create_thread(a_thread())
        await store.add_approval(a_card())
        await store.decide(a_decision(a_card()))
        await store.claim("c1", a_call().digest)
        await store.done("c1", a_result())
        await store.audit(a_draft())
    return folder / "opssquad.sqlite"


async def refusal(folder: Path) -> str:
    with pytest.raises(StoreError) as caught:
        await Store.open(folder)
    said = str(caught.value)
    assert "\n" not in said
    return said


async def test_a_new_folder_and_its_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "a" / "state") as store:
        await store.audit(a_draft())
        assert mode(store.folder) == 0o700
        files = sorted(store.folder.iterdir())
        assert [f.name for f in files if f.suffix == ".sqlite"] == FILES
        assert {mode(f) for f in files} == {0o600}
        assert store.checkpoints == store.folder / "checkpoints.sqlite"


async def test_our_folder_is_tightened_and_an_empty_one_taken(tmp_path: Path) -> None:
    for folder in (tmp_path / "ours", tmp_path / "empty"):
        folder.mkdir()
        folder.chmod(0o755)
    (tmp_path / "ours" / "opssquad.sqlite").touch(mode=0o644)
    for folder in (tmp_path / "ours", tmp_path / "empty"):
        async with await Store.open(folder):
            assert mode(folder) == 0o700
            assert mode(folder / "opssquad.sqlite") == 0o600


async def test_a_folder_of_others_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "thesis.txt").touch()
    assert await refusal(folder) == (
        f"state folder {folder} holds other files and is open to others;"
        f" choose an empty folder, or run: chmod 700 {folder}"
    )
    assert mode(folder) == 0o755


async def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    assert (
        await refusal(tmp_path / "state") == f"state folder {tmp_path}/state: File exists; choose another one"
    )


async def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with await Store.open(tmp_path) as store:
        assert [thread.id for thread in await store.threads()] == ["t1"]
        assert await store.outcome("c1") == a_result()
        assert await store.verify_audit() is None


async def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "opssquad.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table songs (id)")
    assert await refusal(tmp_path) == f"{path} is a database of another program; choose another state folder"


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "opssquad.sqlite"
    path.write_bytes(b"not a database at all " * 100)
    assert (await refusal(tmp_path)).startswith(f"{path}: file is not a database; it is damaged or not ours")


async def use(folder: Path) -> None:
    async with await Store.open(folder) as store:
        await store.threads()
        await store.approvals()
        await store.outcome("c1")
        await store.audit(a_draft())
        await store.verify_audit()


def zero(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * length)


@pytest.mark.parametrize("damage", [lambda p: zero(p, 100, 4000), lambda p: zero(p, 4096, 8192)])
async def test_a_damaged_database_is_one_clear_line(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = await filled(tmp_path)
    damage(path)
    with pytest.raises(StoreError, match="damaged or not ours: move it away") as caught:
        await use(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")


@given(st.data())
def test_damage_anywhere_never_shows_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("state")
    path = asyncio.run(filled(folder))
    start = data.draw(st.integers(0, path.stat().st_size - 1))
    zero(path, start, data.draw(st.integers(1, 3000)))
    said = ""
    try:
        asyncio.run(use(folder))
    except OpsError as error:
        said = str(error)
    assert "\n" not in said


async def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = await filled(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update threads set body = '{}'")
    async with await Store.open(tmp_path) as store:
        with pytest.raises(StoreError, match="^thread t1 on disk cannot be read"):
            await store.threads()


async def test_a_folder_that_another_process_holds_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await filled(tmp_path)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        async with await Store.open(tmp_path) as store:
            other.execute("begin immediate")
            with pytest.raises(StoreError, match="database is locked; another process holds it; try again"):
                await store.audit(a_draft())
            other.execute("rollback")
            await store.audit(a_draft())


async def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with await Store.open(tmp_path) as store:
        await store._db.read(lambda c: c.execute("pragma max_page_count = 1"))
        with pytest.raises(StoreError, match="full; make room on the disk; nothing was half-written"):
            await store.keep(a_result("c9", "x" * 10**6))
        with pytest.raises(StoreError, match="no output of call c9"):
            await store.output("c9")
        assert await store.verify_audit() is None


def test_what_to_do_fits_what_sqlite_said() -> None:
    for said, advice in {
        "attempt to write a readonly database": "check the permissions",
        "unable to open database file": "check the permissions",
        "disk I/O error": "make room",
        "database disk image is malformed": "damaged",
    }.items():
        with pytest.raises(StoreError, match=advice), database.translate(Path("x")):
            raise sqlite3.OperationalError(said)


async def test_a_write_that_was_begun_is_finished_though_its_asker_is_cancelled(tmp_path: Path) -> None:
    async with await Store.open(tmp_path) as store:
        task = asyncio.create_task(store.claim("c1", a_call().digest))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await store.outcome("c1") == "claimed"
