"""One process a thread: a lock that the kernel gives back however the process ends.

Cards are decided without it, from any terminal; what goes on with a thread needs it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opssquad.errors import StoreError, UsageError


@contextmanager
def alone(folder: Path, thread: str) -> Iterator[None]:
    """Hold the thread while the context lasts. Raises UsageError with the process that has it open."""
    path = folder / "threads" / f"{thread}.lock"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        file = path.open("r+", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror}; check the permissions of the state folder, and that the disk has room"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UsageError(
                f"thread {thread} is open in another process ({file.read().strip() or 'just starting'});"
                " go on there, or end it first; cards are answered with `opssquad approvals`"
            ) from None
        file.truncate(0)
        file.write(f"pid {os.getpid()}")
        file.flush()
        yield
