"""A disk that is really full: a small file system in memory, and the real program on it. What was not written
is told in one line, nothing is half there, and with room again everything goes on.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opssquad.errors import StoreError
from opssquad.events import Returned
from opssquad.store.agreement import disagreements
from opssquad.store.backup import backup
from opssquad.store.database import looking
from opssquad.store.sqlite import Store
from tests.cli.terminal import run
from tests.samples import NOW, a_call, a_card, a_decision, a_draft, a_result, a_thread

SIZE = 1024 * 1024
STAMP = {"thread": "t1", "turn": 1, "at": NOW, "recorded_at": NOW}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte. Where this user may not mount one, the test is left out and says so."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(folder)]
    if not shutil.which("mount"):
        pytest.skip("no command `mount` here, so no file system of a megabyte can be filled")
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this user may not mount a file system of a megabyte: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take the last byte of the file system; returns the file to remove for room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 65536
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2
    return ballast


async def work(store: Store, number: int) -> None:
    """A card, its yes, the act, its result, and their lines."""
    call = a_call(f"c{number}")
    card, result = a_card(f"a{number}", call), a_result(call.id, "x" * 3000)
    await store.add_approval(card)
    await store.decide(a_decision(card))
    await store.claim(call.id, call.digest)
    await store.done(call.id, result)
    returned = Returned(**STAMP, call=call, result=result)
    await store.append(returned, audit=[a_draft(output_ref=call.id)])


async def until_it_is_full(store: Store) -> int:
    """Work as long as there is room; how many were begun."""
    for number in range(1, 10_000):
        try:
            await work(store, number)
        except StoreError as error:
            said = str(error)
            assert said.endswith("make room on the disk; nothing was half-written"), said
            assert "\n" not in said
            return number
    raise AssertionError("a megabyte was never full")


def agrees(state: Path) -> None:
    with looking(state / "opssquad.sqlite") as c:
        # A call that had begun when the disk was full is shown as such.
        assert [line for line in disagreements(c) if line[0] == "fail"] == []
        assert c.execute("pragma integrity_check").fetchall() == [("ok",)]


async def test_what_did_not_fit_is_told_and_with_room_again_everything_goes_on(small: Path) -> None:
    state, reserve = small / "state", small / "reserve"
    reserve.write_bytes(b"\0" * 100_000)
    async with await Store.open(state, now=lambda: NOW) as store:
        await store.create_thread(a_thread())
        begun = await until_it_is_full(store)
        with pytest.raises(StoreError, match="make room on the disk; nothing was half-written"):
            await store.keep(a_result("big", "x" * SIZE))
        assert await store.verify_audit() is None
        agrees(state)
        reserve.unlink()
        await work(store, begun + 1)
        assert await store.verify_audit() is None
    agrees(state)
    async with await Store.open(state, now=lambda: NOW) as store:
        assert await store.verify_audit() is None
        # Whatever it got to before the disk was full, a step is on record with its line or not at all.
        decided = [r.approval.id for r in await store.approvals() if r.decision]
        told = [r.approval.id for r in await store.audit_records() if r.kind == "decision" and r.approval]
        assert decided == told


async def test_a_backup_onto_a_full_disk_leaves_nothing(small: Path, tmp_path: Path) -> None:
    async with await Store.open(tmp_path / "state", now=lambda: NOW) as store:
        await store.create_thread(a_thread())
        await store.keep(a_result("big", "x" * SIZE))
    for name in ("copy", "copy.tar"):
        with pytest.raises(StoreError) as caught:
            backup(tmp_path / "state", small / name, NOW)
        assert "\n" not in str(caught.value)
        assert list(small.iterdir()) == []


def one_line(state: Path, *arguments: str) -> str:
    done = run(state, *arguments)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr + done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("opssquad: ")
    assert "bug" not in line
    return line


ASK = ("ask", "--recording", "auth-0308", "--json", "why do logins fail?")


@pytest.mark.parametrize("room", [0, 16, 64, 140, 200])
def test_a_question_on_a_full_disk_ends_in_one_line(small: Path, room: int) -> None:
    """Full at the start, at the store, the checkpoints, the keys, in the middle of the run; room in kB."""
    state = small / "state"
    state.mkdir(mode=0o700)
    reserve = small / "reserve"
    reserve.write_bytes(b"\0" * room * 1024)
    ballast = fill(small)
    reserve.unlink()
    line = one_line(state, *ASK)
    assert "room" in line, line
    ballast.unlink()
    done = run(state, "audit", "verify")
    assert (done.returncode, done.stderr) == (0, ""), done
    agrees(state)


def test_checkpoints_that_have_no_room_are_told_and_the_thread_goes_on_later(
    small: Path, tmp_path: Path
) -> None:
    """The checkpoints alone are on the full disk: the store can still say what was asked."""
    state = tmp_path / "state"
    asyncio.run(_made(state))
    (small / "checkpoints.sqlite").touch(mode=0o600)
    (state / "checkpoints.sqlite").unlink()
    (state / "checkpoints.sqlite").symlink_to(small / "checkpoints.sqlite")
    ballast = fill(small)
    line = one_line(state, *ASK)
    assert "checkpoints.sqlite: " in line
    assert "make room on the disk; nothing was half-written" in line
    thread = run(state, "incident", "list").stdout.split()[0]
    ballast.unlink()
    again = run(state, "ask", "--json", "--resume", thread, "why do logins fail?")
    assert json.loads(again.stdout)["status"] == "concluded"
    assert run(state, "audit", "verify").returncode == 0


async def _made(state: Path) -> None:
    await (await Store.open(state)).close()
