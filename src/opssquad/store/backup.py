"""A copy of the state folder that can be taken while others write, and is verified before it counts.

What is copied first is the oldest: graph checkpoints, then the store, then the journals of recorded worlds.
So a copy is what a crash between two writes would have left, and a thread goes on from it as after one.
"""

import hashlib
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from opssquad import __version__
from opssquad.errors import StoreError, UsageError
from opssquad.store import auditlog, schema
from opssquad.store.checking import KEYS, must_be_there
from opssquad.store.database import looking, translate
from opssquad.store.folder import CHECKPOINTS, STORE
from opssquad.types import Value

MANIFEST = "manifest.json"
PACKED = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip")


class Copied(Value):
    """One file of a copy: where it stands in it, its size in bytes, its sha256."""

    name: str
    size: int
    sha256: str


class Manifest(Value):
    """What a copy holds. `anchor` is the head of the audit log in it, as `SEQ:HASH`, empty for an empty log;
    `problem` what does not fit in that log, which was copied as it is."""

    made_at: datetime
    opssquad: str
    state: str
    threads: int
    audit_records: int
    anchor: str
    problem: str
    keys: bool
    files: tuple[Copied, ...]


def place_of(folder: Path, to: Path | None, now: datetime) -> Path:
    """Where a copy goes: the file or new folder that was named, else a new one in `backups` or in the folder
    that was named. Raises UsageError if something is there."""
    name = f"opssquad-{now:%Y%m%dT%H%M%SZ}"
    place = folder / "backups" / name if to is None else to / name if to.is_dir() else to
    if place.suffix in PACKED:
        raise UsageError(f"{place}: a backup is a folder or a .tar file; pack it afterwards")
    if place.exists():
        raise UsageError(f"{place} is there already; a backup never overwrites: name another place")
    return place


def backup(folder: Path, place: Path, now: datetime, *, keys: bool = False) -> Manifest:
    """Copy the state folder to a new folder, or to a new file if `place` ends with `.tar`.

    Raises UsageError where there is no store, StoreError if a copy cannot be made or does not verify; then
    nothing of it is left.
    """
    must_be_there(folder)
    making = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        making.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        making.mkdir(mode=0o700)
        manifest = _made(folder, making, now, keys)
        if place.suffix == ".tar":
            _pack(making, place)
        else:
            making.rename(place)
    except OSError as error:
        raise StoreError(
            f"{place}: {error.strerror or error}; choose another place for the backup"
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return manifest


def _made(folder: Path, making: Path, now: datetime, keys: bool) -> Manifest:
    with looking(folder / STORE) as c:
        schema.standing(c, folder / STORE)
    for name in (CHECKPOINTS, STORE):
        if (folder / name).is_file():
            _copy_database(folder / name, making / name)
    for journal in sorted((folder / "worlds").glob("*.jsonl")):
        # A line that is being written at this moment is not there yet.
        whole, line_end, _ = journal.read_bytes().rpartition(b"\n")
        _write(making / "worlds" / journal.name, whole + line_end)
    for name in KEYS if keys else ():
        if (folder / name).is_file():
            _write(making / name, (folder / name).read_bytes())
    manifest = _manifest(folder, making, now, keys)
    _write(making / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
    _verify(making, manifest)
    return manifest


def _copy_database(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    # In one step: others go on writing to their log beside the file, and the copy is of one moment.
    with looking(source) as c, translate(target), closing(sqlite3.connect(target)) as copy:
        c.execute("rollback")
        c.backup(copy)
        # One file, whatever the source keeps beside it.
        copy.execute("pragma journal_mode = delete")
    _sync(target)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(data)
    _sync(path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _manifest(folder: Path, making: Path, now: datetime, keys: bool) -> Manifest:
    with looking(making / STORE) as c:
        head = auditlog.head(c)
        (threads,) = c.execute("select count(*) from threads").fetchone()
        misfit = auditlog.verify(c, {})
    return Manifest(
        made_at=now,
        opssquad=__version__,
        state=str(folder),
        threads=threads,
        audit_records=head[0] if head else 0,
        anchor=f"{head[0]}:{head[1]}" if head else "",
        problem=str(misfit or ""),
        keys=keys,
        files=tuple(_files(making)),
    )


def _files(making: Path) -> Iterator[Copied]:
    for path in sorted(p for p in making.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        yield Copied(name=path.relative_to(making).as_posix(), size=path.stat().st_size, sha256=sha256)


def _verify(making: Path, manifest: Manifest) -> None:
    """Look at the copy as somebody who restores it would. Raises StoreError."""
    for name in (CHECKPOINTS, STORE):
        if not (making / name).is_file():
            continue
        with looking(making / name) as c:
            (said,) = c.execute("pragma integrity_check(1)").fetchone()
        if said != "ok":
            raise StoreError(f"the copy of {name} is damaged: {said}; see `opssquad store check`")
    if [f for f in _files(making) if f.name != MANIFEST] != list(manifest.files):
        raise StoreError("the copy is not what was written; is the disk sound?")


def _pack(making: Path, place: Path) -> None:
    """The folder as one file (0600), read back."""
    # Made for its owner alone: who opened it before it was tightened would go on reading.
    made = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(made, "wb") as file:
        try:
            with tarfile.open(fileobj=file, mode="w") as tar:
                for path in sorted(making.iterdir()):
                    tar.add(path, path.name)
            file.flush()
            os.fsync(file.fileno())
            _compare(making, place)
        except BaseException:
            place.unlink()
            raise


def _compare(making: Path, place: Path) -> None:
    with tarfile.open(place) as tar:
        packed = {m.name: _digest(tar.extractfile(m)) for m in tar.getmembers() if m.isfile()}
    if packed != {f.name: f.sha256 for f in _files(making)}:
        raise StoreError(f"{place} is not what was written; is the disk sound?")


def _digest(file: Any) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()
