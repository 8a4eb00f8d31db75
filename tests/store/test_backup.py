"""Backups: of one moment, private, verified, never over anything; a thread goes on from a restored one."""

import asyncio
import hashlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from opssquad import content
from opssquad.errors import StoreError, UsageError
from opssquad.events import Requested, Returned, Verified
from opssquad.investigation import Investigation, Options
from opssquad.store.audit import anchor
from opssquad.store.backup import MANIFEST, Manifest, backup, place_of
from opssquad.store.checking import check
from opssquad.store.sqlite import Store
from tests.cli.terminal import run
from tests.investigation.test_unrecorded import no_room
from tests.samples import NOW, a_draft, a_thread
from tests.store.test_processes import working

RECORDING = content.recordings()["auth-0308"]


async def filled(folder: Path) -> None:
    async with await Store.open(folder) as store:
        await store.create_thread(a_thread())
        await store.audit(a_draft(kind="verdict", status="allow"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    asyncio.run(filled(tmp_path / "state"))
    for name in ("grant.key", "redact.key"):
        (tmp_path / "state" / name).write_bytes(name.encode().ljust(32, b"."))
        (tmp_path / "state" / name).chmod(0o600)
    return tmp_path / "state"


async def test_a_thread_goes_on_from_a_backup_that_was_made_while_others_wrote(tmp_path: Path) -> None:
    options = Options(state=tmp_path / "state", by="ada", recording=RECORDING)
    copy, restored = tmp_path / "copy", tmp_path / "restored"
    async with await Investigation.open(options) as chat:
        _ = [e async for e in chat.ask("why do logins fail?")]
        (card,) = [e.approval for e in [e async for e in chat.ask("1")] if isinstance(e, Requested)]
        with working(tmp_path, "kim"):
            made = await asyncio.to_thread(backup, options.state, copy, NOW)
        await chat.decide(card.id, "refused", by="kim")
    shutil.copytree(copy, restored)
    assert [line for line in check(restored) if line.state == "fail"] == []
    async with await Store.open(restored) as store:
        assert await store.verify_audit(dict([anchor(made.anchor)])) is None
    again = replace(options, state=restored)
    async with await Investigation.open(again, resume=chat.thread) as run:
        (waiting,) = await run.pending()
        assert waiting.id == card.id, "in the copy nobody has answered yet"
        await run.decide(card.id, "approved", by="lee")
        events = [e async for e in run.resume()]
    (end,) = [e.result for e in events if isinstance(e, Returned) and e.call.id == card.call.id]
    (looked,) = [e.check for e in events if isinstance(e, Verified)]
    assert (end.status, looked.outcome) == ("ok", "better")
    async with await Store.open(restored) as store:
        assert await store.verify_audit(dict([anchor(made.anchor)])) is None


def test_the_manifest_names_every_file_as_it_is(state: Path, tmp_path: Path) -> None:
    (state / "worlds").mkdir()
    (state / "worlds" / "t1.jsonl").write_text('{"whole": 1}\n{"half')
    made = backup(state, tmp_path / "copy", NOW)
    assert Manifest.model_validate_json((tmp_path / "copy" / MANIFEST).read_text()) == made
    names = ["checkpoints.sqlite", "opssquad.sqlite", "worlds/t1.jsonl"]
    assert [(f.name, f.size, f.sha256) for f in made.files] == [
        (name, len(data), hashlib.sha256(data).hexdigest())
        for name in names
        for data in [(tmp_path / "copy" / name).read_bytes()]
    ]
    assert (tmp_path / "copy" / "worlds" / "t1.jsonl").read_text() == '{"whole": 1}\n'
    assert (made.threads, made.audit_records, made.keys) == (1, 1, False)
    everything = [tmp_path / "copy", *(tmp_path / "copy").rglob("*")]
    assert {(p.is_dir(), p.stat().st_mode & 0o777) for p in everything} == {(True, 0o700), (False, 0o600)}


def test_keys_are_copied_only_when_asked_for(state: Path, tmp_path: Path) -> None:
    backup(state, tmp_path / "without", NOW)
    backup(state, tmp_path / "with", NOW, keys=True)
    assert not list((tmp_path / "without").glob("*.key"))
    for name in ("grant.key", "redact.key"):
        assert (tmp_path / "with" / name).read_bytes() == (state / name).read_bytes()


def test_a_file_holds_the_same_and_is_unpacked_by_tar(state: Path, tmp_path: Path) -> None:
    file, there = tmp_path / "copy.tar", tmp_path / "there"
    made = backup(state, file, NOW, keys=True)
    assert file.stat().st_mode & 0o777 == 0o600
    there.mkdir(mode=0o700)
    subprocess.run(["tar", "-xpf", str(file), "-C", str(there)], check=True)
    for each in made.files:
        data = (there / each.name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (each.size, each.sha256)
    assert [line for line in check(there) if line.state == "fail"] == []


def test_a_file_is_private_from_its_first_moment(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where nothing is tightened afterwards, what it was made with is seen.
    monkeypatch.setattr(Path, "chmod", lambda path, mode: None)
    before = os.umask(0)
    try:
        backup(state, tmp_path / "copy.tar", NOW)
    finally:
        os.umask(before)
    assert (tmp_path / "copy.tar").stat().st_mode & 0o777 == 0o600


def test_where_a_backup_goes(state: Path, tmp_path: Path) -> None:
    name = "opssquad-20260308T143700Z"
    assert place_of(state, None, NOW) == state / "backups" / name
    assert place_of(state, tmp_path, NOW) == tmp_path / name
    assert place_of(state, tmp_path / "new", NOW) == tmp_path / "new"
    with pytest.raises(UsageError, match="a folder or a .tar file; pack it afterwards"):
        place_of(state, tmp_path / "copy.tar.gz", NOW)
    for there in (tmp_path / name, tmp_path / "copy.tar"):
        there.touch()
    for to in (tmp_path, tmp_path / "copy.tar"):
        with pytest.raises(UsageError, match="is there already; a backup never overwrites"):
            place_of(state, to, NOW)


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_backup_that_cannot_be_written_leaves_nothing(state: Path, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.iterdir())
    with no_room(), pytest.raises(StoreError):
        backup(state, tmp_path / name, NOW)
    assert sorted(tmp_path.iterdir()) == before
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="choose another place for the backup"):
        backup(state, tmp_path / "file" / name, NOW)


def test_an_altered_log_is_copied_as_it_is_and_told(state: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(state / "opssquad.sqlite")) as c, c:
        c.execute("update audit set body = replace(body, 'sam', 'eve')")
    done = run(state, "store", "backup", "--to", str(tmp_path / "copy"))
    said = "the audit log was altered, and was copied as it is: record 1: was changed after it was written\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert (tmp_path / "copy" / "opssquad.sqlite").is_file()


def test_a_damaged_store_is_no_backup(state: Path, tmp_path: Path) -> None:
    with (state / "opssquad.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 8192)
    with pytest.raises(StoreError):
        backup(state, tmp_path / "copy", NOW)
    assert not (tmp_path / "copy").exists()
    with pytest.raises(UsageError, match="there is no store in"):
        backup(tmp_path / "absent", tmp_path / "copy", NOW)


def test_what_the_command_prints_restores_it(state: Path, tmp_path: Path) -> None:
    done = run(state, "store", "backup", "--to", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    command, restored = done.stdout.split("  $ ")[1], tmp_path / "restored"
    subprocess.run(["sh", "-c", command.replace(" NEW", f" {restored}")], check=True)
    assert run(restored, "store", "check").returncode == 0
    assert run(restored, "audit", "verify").stdout == "1 record, every one fits\n"
    again = run(state, "store", "backup", "--to", str(tmp_path / "restored"))
    assert again.returncode == 0, "into a folder that is there, a new one is made"
    assert "restored/opssquad-" in again.stdout
