"""A thread is open in one process at a time, whatever becomes of that process."""

import subprocess
import sys
from pathlib import Path

import pytest

from opssquad.errors import StoreError, UsageError
from opssquad.store.threads import alone

HOLDER = """
import sys, time
from pathlib import Path
from opssquad.store.threads import alone
with alone(Path(sys.argv[1]), "t1"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_thread_that_is_open_elsewhere_is_refused_until_that_process_dies(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(UsageError, match=f"open in another process \\(pid {other.pid}\\)"),
            alone(tmp_path, "t1"),
        ):
            pass
        with alone(tmp_path, "t2"):
            other.kill()
        other.wait()
    with alone(tmp_path, "t1"):
        held = (tmp_path / "threads" / "t1.lock").read_text(encoding="utf-8")
    assert held != f"pid {other.pid}"


def test_a_thread_is_refused_twice_in_one_process_too(tmp_path: Path) -> None:
    with alone(tmp_path, "t1"), pytest.raises(UsageError, match="is open"), alone(tmp_path, "t1"):
        pass


def test_a_file_in_the_place_of_the_locks_is_told(tmp_path: Path) -> None:
    (tmp_path / "threads").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"threads.*permissions"), alone(tmp_path, "t1"):
        pass
