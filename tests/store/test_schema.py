"""The steps of the schema: each applied once by its name; what others left is taken over or refused."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from opssquad import __version__
from opssquad.errors import StoreError
from opssquad.store import schema
from opssquad.store.migrations import APPLICATION_ID, MIGRATIONS, NUMBERED, Step
from opssquad.store.sqlite import Store
from tests.samples import NOW, a_card, a_decision, a_thread

NAMES = [step.name for step in MIGRATIONS]
EXTRA = Step("extra", ("create table extra (id integer primary key)", "insert into extra values (7)"))


async def refusal(folder: Path) -> str:
    with pytest.raises(StoreError) as caught:
        await Store.open(folder)
    said = str(caught.value)
    assert "\n" not in said
    return said


@contextmanager
def file(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "opssquad.sqlite")) as connection, connection:
        yield connection


def steps(folder: Path) -> list[tuple[str, str]]:
    with file(folder) as c:
        return c.execute("select name, applied_by from steps order by position").fetchall()


async def filled(folder: Path) -> Path:
    async with await Store.open(folder, now=lambda: NOW) as store:
        await store.create_thread(a_thread())
        await store.add_approval(a_card())
        await store.decide(a_decision(a_card()))
    return folder / "opssquad.sqlite"


async def test_each_step_is_applied_once_and_told_by_whom(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with await Store.open(tmp_path) as store:
        assert (await store.thread("t1")).id == "t1"
    assert steps(tmp_path) == [(name, __version__) for name in NAMES]
    with file(tmp_path) as c:
        assert c.execute("pragma user_version").fetchone() == (len(NAMES),)


@pytest.mark.parametrize("version", range(1, NUMBERED + 1))
async def test_a_database_of_before_there_were_names_is_taken_over(tmp_path: Path, version: int) -> None:
    with file(tmp_path) as c:
        for step in MIGRATIONS[:version]:
            for statement in step.statements:
                c.execute(statement)
        c.execute(f"pragma application_id = {APPLICATION_ID}")
        c.execute(f"pragma user_version = {version}")
        c.execute("insert into threads values ('t1', 1.0, ?)", (a_thread().model_dump_json(),))
    async with await Store.open(tmp_path) as store:
        assert (await store.thread("t1")).id == "t1"
        await store.add_approval(a_card())
        await store.decide(a_decision(a_card()))
    noted, applied = steps(tmp_path)[:version], steps(tmp_path)[version:]
    assert {by for _, by in noted} == {f"before names were kept; noted by {__version__}"}
    assert {by for _, by in applied} == {__version__}
    assert [name for name, _ in noted + applied] == NAMES


async def test_a_program_that_adds_a_step_applies_only_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(tmp_path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, EXTRA))
    for _ in range(2):
        async with await Store.open(tmp_path) as store:
            assert (await store.thread("t1")).id == "t1"
    with file(tmp_path) as c:
        assert c.execute("select id from extra").fetchall() == [(7,)]
    assert [name for name, _ in steps(tmp_path)] == [*NAMES, "extra"]


async def test_a_step_that_fails_leaves_the_old_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(tmp_path)
    broken = Step("extra", ("create table extra (id integer primary key)", "insert into absent values (7)"))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, broken))
        assert "no such table: absent" in await refusal(tmp_path)
    assert [name for name, _ in steps(tmp_path)] == NAMES
    with file(tmp_path) as c:
        assert c.execute("select 1 from sqlite_master where name = 'extra'").fetchall() == []
    async with await Store.open(tmp_path) as store:
        assert (await store.thread("t1")).id == "t1"


@pytest.mark.parametrize("named", [True, False])
async def test_a_newer_schema_is_refused_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    path, newer = await filled(tmp_path), len(NAMES) + 1
    if named:
        with monkeypatch.context() as patch:
            patch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, EXTRA))
            await (await Store.open(tmp_path)).close()
    else:
        with file(tmp_path) as c:
            c.execute(f"pragma user_version = {newer}")
    before = path.read_bytes()
    numbered = f"schema {newer}, this one knows {newer - 1}"
    why = "step 'extra' of its schema is not known here" if named else numbered
    assert await refusal(tmp_path) == (
        f"{path} was written by a newer opssquad ({why}); update opssquad, or choose another state folder"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "place", "due", "found"),
    [
        ("delete from steps where position = 1", 1, NAMES[0], NAMES[1]),
        ("delete from steps where position = 2", 2, NAMES[1], NAMES[2]),
        ("delete from steps where position = 3", 3, NAMES[2], NAMES[3]),
        ("delete from steps where position = 4", 4, NAMES[3], "none"),
        ("update steps set position = 9 - position", 1, NAMES[0], NAMES[-1]),
        ("pragma user_version = 2", 3, "none", NAMES[2]),
        ("drop table steps", 1, NAMES[0], "none"),
    ],
)
async def test_steps_with_a_gap_or_in_another_order_are_told(
    tmp_path: Path, damage: str, place: int, due: str, found: str
) -> None:
    path = await filled(tmp_path)
    with file(tmp_path) as c:
        c.execute(damage)
    assert await refusal(tmp_path) == (
        f"{path}: step {place} of its schema should be {due!r} and is {found!r}; no opssquad made it so:"
        " restore a copy, or choose another state folder"
    )


def test_names_are_told_apart() -> None:
    assert len(set(NAMES)) == len(NAMES)


async def test_two_that_open_a_file_of_before_at_once_apply_each_step_once(tmp_path: Path) -> None:
    with file(tmp_path) as c:
        for statement in MIGRATIONS[0].statements:
            c.execute(statement)
        c.execute(f"pragma application_id = {APPLICATION_ID}")
        c.execute("pragma user_version = 1")
    for opened in await asyncio.gather(*(Store.open(tmp_path) for _ in range(8))):
        await opened.close()
    assert [name for name, _ in steps(tmp_path)] == NAMES
