"""Runs of an investigation in processes of their own, cheap enough for a thousand: everything is imported and
read once, and each process is a fork that begins its own event loop.
"""

import gc
import os
import pickle
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from opssquad import content
from opssquad.investigation import speaking
from opssquad.models.phrases import load_book
from opssquad.squad import crew
from opssquad.squad.knowledge import known_faults
from opssquad.worlds.kube import serve

T = TypeVar("T")
R = TypeVar("R")

LONGEST = 120
"""Seconds that a process may take before it is ended: then something hangs."""


def prepare(recording: str, scene: Callable[[Path], object]) -> None:
    """Play the scene once, so that all is imported, and read the project's own files once for all forks."""
    with tempfile.TemporaryDirectory() as folder:
        scene(Path(folder) / "state")
    crew.known_faults = cache(known_faults)
    speaking.load_book = cache(load_book)
    serve.load = cache(serve.load)
    speaking.offline()
    crew.known_faults("k8s", None)
    # Read after the scene: a world that is played changes the objects that it was given.
    serve.load(content.recordings()[recording])
    assert threading.active_count() == 1, "a fork has no threads but the one that made it"
    gc.collect()
    gc.freeze()


def forked(work: Callable[[], R]) -> tuple[int, R | str]:
    """Do the work in a fork: its exit code, negative for a signal, and what it returned or its traceback."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told"
        code = os.waitstatus_to_exitcode(os.waitpid(_begun(work, told), 0)[1])
        return code, pickle.loads(told.read_bytes()) if told.exists() else ""


def _begun(work: Callable[[], object], told: Path) -> int:
    if pid := os.fork():
        return pid
    code = 1
    try:
        signal.alarm(LONGEST)
        told.write_bytes(pickle.dumps(work()))
        code = 0
    finally:
        if code:
            told.write_bytes(pickle.dumps(traceback.format_exc()))
        # Nothing of the process that was forked is to be closed or flushed here.
        os._exit(code)


def spread(tasks: Sequence[T], work: Callable[[T], R], parallel: int) -> Iterator[tuple[T, R | str]]:
    """Do each task in a process of its own, so many at a time, and tell what came of it as it ends."""
    waiting, running = list(reversed(tasks)), dict[int, tuple[T, Path]]()
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < parallel:
                task, told = waiting.pop(), Path(folder) / str(len(waiting))
                running[_begun(partial(work, task), told)] = task, told
            pid, _ = os.wait()
            task, told = running.pop(pid)
            yield task, pickle.loads(told.read_bytes())
