"""Where a process is killed: a list made by watching one whole run, and the death itself.

A point is a line of the modules that think, gate, act, verify and record, at its n-th execution. A process
that is killed leaves only its files behind, so of all lines between two changes of these one stands for all.
"""

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import opssquad

SOURCE = Path(opssquad.__file__).parent
PACKAGES = ("squad", "investigation", "store")
MODULES = ("executor.py", "gate/grant.py")
WATCHED = frozenset(
    str(path)
    for path in (
        *(p for name in PACKAGES for p in (SOURCE / name).rglob("*.py")),
        *map(SOURCE.joinpath, MODULES),
    )
)
"""The files of the steps."""

Line = tuple[str, int]
Hit = tuple[str, int, tuple[Any, ...]]
"""A line that ran, with what the files of the run looked like just before."""


@dataclass(frozen=True)
class Point:
    """A line of a module of ours, and which of its executions is meant, from 1."""

    module: str
    line: int
    nth: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} #{self.nth}"


def look_at(folder: Path) -> tuple[Any, ...]:
    """What a process that dies now leaves behind, as far as names, sizes and times of files tell."""
    found = []
    for path in folder.rglob("*"):
        stat = path.stat()
        found.append((str(path.parent), path.name, stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(found))


@contextmanager
def watched(see: Callable[[Line], None], files: frozenset[str] = WATCHED) -> Iterator[None]:
    """Tell of every line of these files before it runs, in every thread that begins meanwhile."""

    def line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            see((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame: FrameType, event: str, _: Any) -> Any:
        return line if frame.f_code.co_filename in files else None

    threading.settrace(call)
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]


@contextmanager
def killed_at(point: Point) -> Iterator[None]:
    """Die by SIGKILL right before the line runs."""
    file, left = str(SOURCE / point.module), point.nth

    def see(line: Line) -> None:
        nonlocal left
        if line == (file, point.line):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    with watched(see, frozenset({file})):
        yield


@contextmanager
def recorded(folder: Path, hits: list[Hit]) -> Iterator[None]:
    """Write down every line of a run that works in the folder."""
    # Two threads may be in these lines at once.
    alone = threading.Lock()

    def see(line: Line) -> None:
        with alone:
            hits.append((*line, look_at(folder)))

    with watched(see):
        yield


def chosen(hits: Sequence[Hit]) -> list[Point]:
    """The points, in the order in which the run came by them: the last line of each stretch in which the
    files did not change."""
    count: Counter[Line] = Counter()
    points: list[Point] = []
    for index, (file, line, seen) in enumerate(hits):
        count[file, line] += 1
        if index + 1 == len(hits) or seen != hits[index + 1][2]:
            points.append(Point(str(Path(file).relative_to(SOURCE)), line, count[file, line]))
    return points


def after(hits: Sequence[Hit], folder: str) -> Point:
    """The first line that ran after the files in a folder of the run had changed for the last time."""
    count: Counter[Line] = Counter()
    before, found = None, None
    for file, line, seen in hits:
        count[file, line] += 1
        now = [each for each in seen if each[0].endswith(f"/{folder}")]
        if before is not None and now != before:
            found = Point(str(Path(file).relative_to(SOURCE)), line, count[file, line])
        before = now
    assert found, f"nothing changed in {folder}"
    return found
