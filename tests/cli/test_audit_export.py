"""`opssquad audit export`: files that prove themselves, tables without formulas."""

import asyncio
import csv
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.errors import UsageError
from opssquad.store import audit as chain
from opssquad.store import export
from opssquad.store.base import AuditRecord
from opssquad.store.sqlite import Store
from opssquad.types import Target
from tests.cli.printing import LENGTH, filled, opssquad
from tests.samples import a_draft


@pytest.fixture
def state(tmp_path: Path) -> Path:
    asyncio.run(filled(tmp_path / "state"))
    return tmp_path / "state"


def test_an_export_is_the_records_byte_by_byte_and_proves_itself(state: Path) -> None:
    file = state.parent / "log.jsonl"
    assert opssquad(state, "audit", "export", "--to", str(file)) == (0, f"{LENGTH} records to {file}\n")
    assert file.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(state / "opssquad.sqlite")) as connection:
        rows = [text for (text,) in connection.execute("select body from audit order by seq")]
    assert file.read_text() == "".join(f"{row}\n" for row in rows)
    code, out = opssquad(state, "audit", "verify", "--file", str(file))
    noted = opssquad(state, "audit", "anchor")[1].splitlines()[0]
    assert (code, out) == (0, f"records 1 to {LENGTH}, every one fits; the last is\n{noted}\n")


def test_a_file_is_replaced_only_when_that_is_said(state: Path) -> None:
    file = state.parent / "log.csv"
    file.write_text("mine")
    line = ("audit", "export", "--format", "csv", "--to", str(file))
    code, out = opssquad(state, *line)
    assert (code, out.splitlines()[-1]) == (
        2,
        f"opssquad: {file} is there already; name another file, or pass --force to replace it",
    )
    assert file.read_text() == "mine"
    assert opssquad(state, *line, "--force")[0] == 0
    assert (file.read_text().startswith("kind,ts,"), file.stat().st_mode & 0o777) == (True, 0o600)
    assert [f.name for f in file.parent.iterdir() if f.is_file()] == ["log.csv"]
    code, out = opssquad(state, "audit", "export", "--to", str(file.parent / "absent" / "log"))
    assert (code, "No such file or directory; choose another place" in out) == (1, True)


def exported(state: Path, *options: str) -> bytes:
    file = state.parent / "part.jsonl"
    assert opssquad(state, "audit", "export", "--to", str(file), "--force", *options)[0] == 0
    return file.read_bytes()


def test_a_range_proves_itself_and_fits_an_anchor_before_it(state: Path) -> None:
    whole = exported(state).splitlines(keepends=True)
    part = exported(state, "--since", "2026-03-08T16:37", "--until", "2026-03-08T20:37")
    assert part == b"".join(whole[2:6])
    before, inside = (json.loads(whole[n])["hash"] for n in (1, 3))
    found = export.verify(part, {2: before, 4: inside})
    assert (found.first, found.last, found.misfit) == (3, 6, None)
    assert str(export.verify(part, {2: inside}).misfit) == (
        "record 3: does not follow from record 2 of the anchor"
    )
    assert str(export.verify(part, {8: inside}).misfit) == (
        "record 7: missing; by its anchor there was a record 8"
    )
    with pytest.raises(UsageError, match="anchor of record 1 says nothing about records from 3 on"):
        export.verify(part, {1: before})


def swapped(rows: list[bytes]) -> list[bytes]:
    return [*rows[:3], rows[4], rows[3], *rows[5:]]


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        (lambda rows: [*rows[:3], rows[3].replace(b'"ms":3', b'"ms":7'), *rows[4:]], 4),
        (lambda rows: [*rows[:3], rows[3].replace(b'"ms":3', b'"ms": 3'), *rows[4:]], 4),
        (lambda rows: [*rows[:3], b"{\n", *rows[4:]], 4),
        (lambda rows: [*rows[:3], rows[3].replace(b"ada", "àda".encode()), *rows[4:]], 4),
        (lambda rows: [*rows[:3], rows[3].replace(b'"seq":4', b'"seq":1e9'), *rows[4:]], 4),
        (lambda rows: [*rows[:3], *rows[4:]], 4),
        (swapped, 4),
        (lambda rows: [*rows, rows[-1]], 10),
        (lambda rows: [*rows[:-1], rows[-1][:50]], 9),
        (lambda rows: [b"\n", *rows[1:]], 1),
    ],
)
def test_an_export_that_was_altered_is_found_at_its_first_bad_record(
    state: Path, change: Callable[[list[bytes]], list[bytes]], seq: int
) -> None:
    rows = exported(state).splitlines(keepends=True)
    file = state.parent / "changed.jsonl"
    file.write_bytes(b"".join(change(rows)))
    assert file.read_bytes() != b"".join(rows)
    code, out = opssquad(state, "audit", "verify", "--file", str(file))
    assert (code, out.splitlines()[0].startswith(f"{file} was altered, or has a gap: record {seq}: ")) == (
        1,
        True,
    ), out


def test_a_selection_with_gaps_says_that_it_proves_nothing(state: Path) -> None:
    _, out = opssquad(state, "audit", "export", "--thread", "t0")
    assert "5 records; with 4 gaps between them, so no chain that can be verified" in out


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_a_file_without_records_is_told(state: Path, content: bytes) -> None:
    file = state.parent / "empty.jsonl"
    file.write_bytes(content)
    code, out = opssquad(state, "audit", "verify", "--file", str(file))
    assert (code, out) == (
        2,
        f"opssquad: {file}: it holds no records; `opssquad audit export` writes them\n",
    )


@given(st.binary(max_size=200))
def test_no_file_brings_a_traceback(content: bytes) -> None:
    try:
        assert export.verify(content).misfit is not None
    except UsageError:
        assert content in (b"", b"\n")


FORMULAS = tuple("=+-@\t\r＝＋－＠")
NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", 'a,b\nc"d\r\n', "\ud800", "", "plain"]


async def nasty(state: Path) -> None:
    async with await Store.open(state) as store:
        for text in NASTY:
            target = Target(cluster=text or "c")
            await store.audit(a_draft(requested_by=text, why=text, args={"said": text}, target=target))


def test_a_table_holds_every_field_and_no_formula(tmp_path: Path) -> None:
    asyncio.run(nasty(tmp_path / "state"))
    file = tmp_path / "log.csv"
    assert opssquad(tmp_path / "state", "audit", "export", "--format", "csv", "--to", str(file))[0] == 0
    with file.open(encoding="utf-8", newline="") as text:
        rows: list[dict[str, Any]] = list(csv.DictReader(text))
    assert list(rows[0]) == list(AuditRecord.model_fields)
    assert [row["why"].removeprefix("'") for row in rows] == [
        text.encode("utf-8", "backslashreplace").decode() for text in NASTY
    ]
    assert [json.loads(row["args"]) for row in rows] == [{"said": text} for text in NASTY]
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(FORMULAS)]
    assert {row["approval"] for row in rows} == {""}


@given(st.lists(st.text(max_size=9), min_size=1, max_size=3))
def test_any_text_comes_back_from_a_table(texts: list[str]) -> None:
    records = [chain.seal(a_draft(why=text), (number, "")) for number, text in enumerate(texts)]
    read = list(csv.DictReader(io.StringIO(export.table(records), newline="")))
    plain = [text.encode("utf-8", "backslashreplace").decode() for text in texts]
    assert [row["why"] for row in read] == [f"'{t}" if t.startswith(FORMULAS) else t for t in plain]
