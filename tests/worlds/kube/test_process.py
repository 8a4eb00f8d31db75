"""A program is run to its end or ended, with nothing left behind."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from opssquad.worlds.kube.process import run

ENV = {"HOME": "/nowhere"}


async def python(
    code: str, folder: Path, *, deadline: float = 20, cap: int = 100_000
) -> tuple[int, str, bool]:
    ended = await run([sys.executable, "-I", "-c", code], env=ENV, folder=folder, deadline=deadline, cap=cap)
    return ended.code, ended.out, ended.cut


async def test_a_program_has_exactly_the_environment_it_is_given_and_no_input(tmp_path: Path) -> None:
    code = "import os,sys; print(sorted(set(os.environ) - {'LC_CTYPE'}), repr(sys.stdin.read()), os.getcwd())"
    assert await python(code, tmp_path) == (0, f"['HOME'] '' {tmp_path}\n", False)


async def test_what_prints_without_end_is_stopped_at_the_cap(tmp_path: Path) -> None:
    code, out, cut = await python("while True: print('x' * 1000)", tmp_path, cap=5000)
    assert (code, len(out), cut) == (0, 5000, True)


async def test_what_is_started_is_gone_after_the_deadline_its_children_too(tmp_path: Path) -> None:
    late = tmp_path / "late"
    child = f"import time,pathlib; time.sleep(1.5); pathlib.Path({str(late)!r}).touch()"
    code = f"import subprocess,sys; subprocess.run([sys.executable, '-I', '-c', {child!r}])"
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await python(code, tmp_path, deadline=0.5)
    assert time.monotonic() - began < 1.4
    await asyncio.sleep(1.6)
    assert not late.exists()


async def test_a_cancelled_call_ends_the_program(tmp_path: Path) -> None:
    late = tmp_path / "late"
    code = f"import time,pathlib; time.sleep(1); pathlib.Path({str(late)!r}).touch()"
    task = asyncio.create_task(python(code, tmp_path))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(1)
    assert not late.exists()
