"""Checkpoints that cannot be read: one clear line, before anything is asked or done."""

import sqlite3
from pathlib import Path

import pytest

from opssquad.errors import StoreError
from opssquad.models.base import Reply
from opssquad.testing import scripted
from tests.squad.stage import stage


async def _held(folder: Path) -> Path:
    """The checkpoints of a thread in which something was said."""
    async with stage(folder, scripted(Reply(text="well"))) as s:
        await s.ask("how is it?")
        path = s.store.checkpoints
    with sqlite3.connect(path) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    return path


@pytest.mark.parametrize("size", [100, 5000])
async def test_a_truncated_file_is_told(tmp_path: Path, size: int) -> None:
    path = await _held(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(StoreError, match=r"checkpoints\.sqlite: .*move it away"):
        async with stage(tmp_path, scripted()) as s:
            await s.engine.state()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = await _held(tmp_path)
    path.write_text("not a database, and long enough to be read as one " * 40, encoding="utf-8")
    with pytest.raises(StoreError, match=r"checkpoints\.sqlite: .*move it away"):
        async with stage(tmp_path, scripted()):
            pass


@pytest.mark.parametrize("blob", [b"", b"\x00", b"\xc1\xc1", b"\x81\xa1x", b"\xff" * 40])
async def test_a_checkpoint_of_other_bytes_is_told_with_its_thread(tmp_path: Path, blob: bytes) -> None:
    path = await _held(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("update checkpoints set checkpoint = ?", (blob,))
    connection.close()
    with pytest.raises(StoreError, match="the state of thread t cannot be read"):
        async with stage(tmp_path, scripted()) as s:
            await s.engine.state()
