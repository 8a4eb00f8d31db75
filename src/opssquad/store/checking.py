"""The check-up of a state folder: files and who can read them, both databases, the schema, the audit log.
Whether the tables agree with each other is `agreement`'s. Nothing is changed or made.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from opssquad.errors import StoreError, UsageError
from opssquad.store import auditlog, schema
from opssquad.store.agreement import disagreements
from opssquad.store.database import looking
from opssquad.store.finding import Finding
from opssquad.store.folder import CHECKPOINTS, STORE
from opssquad.store.migrations import MIGRATIONS

KEYS = ("grant.key", "redact.key")
KEY_BYTES = 32
ROOM = 100 * 1000 * 1000
"""Bytes that should be free on the disk."""


def check(folder: Path) -> list[Finding]:
    """Every check in order. Raises UsageError where there is no store."""
    must_be_there(folder)
    return [
        *_files(folder),
        _room(folder),
        _database(folder / STORE, "store"),
        _database(folder / CHECKPOINTS, "checkpoints"),
        *_content(folder),
    ]


def must_be_there(folder: Path) -> None:
    """Raises UsageError where there is no store."""
    if not (folder / STORE).is_file():
        raise UsageError(f"there is no store in {folder}; name its folder with --state")


def _files(folder: Path) -> Iterator[Finding]:
    """Who else can read or write what."""
    ours = _ours(folder)
    opened = [path for path, found in ours.items() if found.st_mode & 0o077]
    for path in opened:
        wanted = "700" if path == folder else "600"
        yield Finding("fail", "files", f"{path} is open to others; run: chmod {wanted} {path}")
    if foreign := [path for path, found in ours.items() if found.st_uid != os.geteuid()]:
        yield Finding("warn", "files", f"{foreign[0]} belongs to another user; run this as its owner")
    if not opened:
        yield Finding("ok", "files", f"{folder} and what is in it are for their owner alone")
    for name in KEYS:
        if (folder / name).is_file() and (folder / name).stat().st_size != KEY_BYTES:
            text = f"{folder / name} is no key of {KEY_BYTES} bytes; move it away to have a new one made"
            yield Finding("fail", "keys", text)


def _ours(folder: Path) -> dict[Path, os.stat_result]:
    """The folder and our files in it."""
    ours = {folder: folder.stat()}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((STORE, CHECKPOINTS, *KEYS)):
            # What SQLite keeps beside a database goes away with the last who has it open.
            with suppress(FileNotFoundError):
                ours[path] = path.stat()
    return ours


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        return Finding("warn", "room", f"{free // 1000} kB are free on the disk; make room before it is full")
    return Finding("ok", "room", f"{free / 1e9:.1f} GB are free on the disk")


def _database(path: Path, name: str) -> Finding:
    """Whether the file is a whole database."""
    if not path.is_file():
        return Finding("warn", name, f"{path} is not there; it is made at the next run")
    try:
        with looking(path) as c:
            wrong = [str(row[0]) for row in c.execute("pragma integrity_check(3)") if row[0] != "ok"]
            wrong += [
                f"a row of {row[0]} points to none of {row[2]}"
                for row in c.execute("pragma foreign_key_check")
            ]
    except StoreError as error:
        return Finding("fail", name, str(error))
    if wrong:
        return Finding("fail", name, f"{path} is damaged: {'; '.join(wrong[:3])}; restore a copy")
    return Finding("ok", name, f"{path.name}, {path.stat().st_size / 1e6:.1f} MB, is whole")


def _content(folder: Path) -> Iterator[Finding]:
    """What stands in the store, as one state of it shows it."""
    path = folder / STORE
    try:
        with looking(path) as c:
            yield _schema(c, schema.standing(c, path))
            yield _audit(c)
            found = list(disagreements(c))
    except StoreError as error:
        yield Finding("fail", "content", str(error))
        return
    yield from found or [Finding("ok", "content", "calls, decisions, outputs, events and audit log agree")]


def _schema(c: sqlite3.Connection, done: int) -> Finding:
    """The steps that were applied, and whether the tables are what these steps make."""
    if made := _differing(c, done):
        return Finding("fail", "schema", f"not what its steps make: {', '.join(made)}; restore a copy")
    if done < len(MIGRATIONS):
        due = ", ".join(step.name for step in MIGRATIONS[done:])
        return Finding("warn", "schema", f"of an older version; at the next run it gets: {due}")
    return Finding("ok", "schema", f"{done} of {len(MIGRATIONS)} steps, the last is {MIGRATIONS[-1].name!r}")


def _differing(c: sqlite3.Connection, done: int) -> list[str]:
    """Tables and indices that are missing, unknown or made otherwise."""
    listed = "select name, sql from sqlite_master where sql is not null and name <> 'steps'"
    with closing(sqlite3.connect(":memory:")) as fresh:
        for step in MIGRATIONS[:done]:
            for statement in step.statements:
                fresh.execute(statement)
        wanted = dict(fresh.execute(listed).fetchall())
    # SQLite keeps lists of its own for keys that count by themselves, and statistics where somebody asked.
    found = {name: sql for name, sql in c.execute(listed) if not name.startswith("sqlite_")}
    wanted = {name: sql for name, sql in wanted.items() if not name.startswith("sqlite_")}
    return sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))


def _audit(c: sqlite3.Connection) -> Finding:
    if misfit := auditlog.verify(c, {}):
        return Finding("fail", "audit log", f"it was altered: {misfit}")
    end = auditlog.head(c)
    count = end[0] if end else 0
    return Finding("ok", "audit log", f"{count} record{'s' * (count != 1)}, every one fits")
