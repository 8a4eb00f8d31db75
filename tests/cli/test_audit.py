"""`opssquad audit`: tampering named by its record, lines found, anchors."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.cli.which import KINDS, moment
from opssquad.errors import UsageError
from opssquad.store import audit as chain
from opssquad.store.base import AuditKind, AuditRecord
from tests.cli import terminal
from tests.cli.printing import LENGTH, filled, opssquad
from tests.samples import NOW, a_draft


@pytest.fixture
def state(tmp_path: Path) -> Path:
    asyncio.run(filled(tmp_path / "state"))
    return tmp_path / "state"


def body(c: sqlite3.Connection, seq: int) -> str:
    (text,) = c.execute("select body from audit where seq = ?", (seq,)).fetchone()
    return str(text)


def edited(c: sqlite3.Connection) -> None:
    c.execute("update audit set body = replace(body, '\"ada\"', '\"eve\"') where seq = 3")


def deleted(c: sqlite3.Connection) -> None:
    c.execute("delete from audit where seq = 3")


def deleted_and_numbered_anew(c: sqlite3.Connection) -> None:
    deleted(c)
    for seq in range(4, LENGTH + 1):
        c.execute("update audit set seq = ? where seq = ?", (seq - 1, seq))


def reordered(c: sqlite3.Connection) -> None:
    third, fourth = body(c, 3), body(c, 4)
    c.execute("update audit set body = ? where seq = 3", (fourth,))
    c.execute("update audit set body = ? where seq = 4", (third,))


def truncated(c: sqlite3.Connection) -> None:
    c.execute("delete from audit where seq > 6")


def appended(c: sqlite3.Connection) -> None:
    last = AuditRecord.model_validate_json(body(c, LENGTH))
    forged = chain.seal(a_draft(requested_by="eve"), (LENGTH, last.hash))
    c.execute("insert into audit values (?, 't1', ?)", (forged.seq, chain.canonical(forged)))


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        (edited, "record 3: was changed after it was written"),
        (deleted, "record 3: missing; the next one on disk is 4"),
        (deleted_and_numbered_anew, "record 3: says it is number 4"),
        (reordered, "record 3: says it is number 4"),
        (truncated, "record 7: missing; the log ended at record 9"),
        (appended, "record 10: added behind the end of the log, which is record 9"),
    ],
)
def test_the_command_names_the_first_bad_record(
    state: Path, tampering: Callable[[sqlite3.Connection], None], said: str
) -> None:
    with closing(sqlite3.connect(state / "opssquad.sqlite")) as connection, connection:
        tampering(connection)
    done = terminal.run(state, "audit", "verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"the audit log was altered: {said}\n"


def test_a_log_that_fits_is_told_with_its_length(state: Path) -> None:
    assert opssquad(state, "audit", "verify") == (0, f"{LENGTH} records, every one fits\n")
    quick = f"{LENGTH} records, every one from the last checkpoint on fits\n"
    assert opssquad(state, "audit", "verify", "--quick") == (0, quick)
    assert opssquad(state.parent / "new", "audit", "verify") == (0, "0 records, every one fits\n")


def test_an_anchor_that_was_noted_finds_a_log_that_was_emptied(state: Path) -> None:
    code, out = opssquad(state, "audit", "anchor")
    noted, when = out.splitlines()
    assert (code, when) == (0, "written 2026-03-08T22:37:00Z")
    assert noted.startswith(f"{LENGTH}:")
    asyncio.run(filled(state))
    fits = f"{2 * LENGTH} records, every one fits, and 1 anchor\n"
    assert opssquad(state, "audit", "verify", "--anchor", noted) == (0, fits)
    with closing(sqlite3.connect(state / "opssquad.sqlite")) as connection, connection:
        connection.executescript("delete from audit; delete from audit_head")
    assert opssquad(state, "audit", "anchor") == (
        2,
        "opssquad: the audit log is empty; there is nothing to note yet\n",
    )
    code, out = opssquad(state, "audit", "verify", "--anchor", noted)
    assert (code, out) == (
        1,
        "the audit log was altered: record 1: missing; by its anchor there was a record 9\n",
    )


def test_a_log_that_was_altered_gives_no_anchor(state: Path) -> None:
    with closing(sqlite3.connect(state / "opssquad.sqlite")) as connection, connection:
        edited(connection)
    code, out = opssquad(state, "audit", "anchor")
    assert (code, out) == (
        1,
        "the audit log was altered, so its end is no anchor: record 3: was changed after it was written\n",
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--anchor", "nine"), "'nine' is no anchor; one is `SEQ:HASH`"),
        (("--anchor", f"1:{'a' * 64}", "--anchor", f"1:{'b' * 64}"), "two anchors of record 1 differ"),
        (("--quick", "--anchor", f"1:{'a' * 64}"), "leave it out with --anchor or --file"),
    ],
)
def test_anchors_that_cannot_be_meant_are_refused(state: Path, options: tuple[str, ...], said: str) -> None:
    code, out = opssquad(state, "audit", "verify", *options)
    assert (code, len(out.splitlines())) == (2, 1)
    assert said in out


def numbers(state: Path, *options: str) -> list[int]:
    code, out = opssquad(state, "audit", "show", "--json", *options)
    assert code == 0, out
    return [json.loads(line)["seq"] for line in out.splitlines()]


def test_lines_are_found_by_incident_thread_actor_kind_and_time(state: Path) -> None:
    assert numbers(state, "--thread", "t1") == [2, 4, 6, 8]
    assert numbers(state, "--incident", "i2") == [3, 6, 9]
    assert numbers(state, "--actor", "ada") == [1, 2, 3, 4]
    assert numbers(state, "--kind", "verdict") == [6]
    assert numbers(state, "--since", "2026-03-08T16:37", "--until", "2026-03-08T18:37:00Z") == [3, 4]
    assert numbers(state, "--since", "2026-03-08T20:37+01:00", "--last", "2") == [8, 9]
    assert numbers(state, "--until", "20000d") == []
    assert (
        opssquad(state, "audit", "show", "--thread", "no")[1] == "no line of the audit log is one of these\n"
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("90min", 5400), ("90m", 5400), ("2h", 7200), ("3d ago", 259200)]
)
def test_a_time_can_be_given_as_how_long_ago(text: str, seconds: int) -> None:
    assert moment(text, NOW, "--since") == NOW - timedelta(seconds=seconds)


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_refused_in_one_line(text: str) -> None:
    said = ""
    try:
        assert (moment(text, NOW, "--since") is None) == (not text.strip())
    except UsageError as error:
        said = str(error)
    assert "\n" not in said


def test_times_that_cannot_be_meant_are_refused(state: Path) -> None:
    code, out = opssquad(state, "audit", "show", "--since", "yesterday")
    assert (code, "opssquad: --since is 'yesterday'; give a time as 2026-03-08" in out) == (2, True)
    code, out = opssquad(state, "audit", "export", "--since", "1h", "--until", "2h")
    assert (code, "--since is not before --until" in out) == (2, True)


def test_the_kinds_of_the_option_are_those_of_the_log() -> None:
    assert get_args(AuditKind) == KINDS
