"""Runs a program to its end or ends it: no shell, no input, a deadline, a cap on what it may print.

Knows nothing of kubectl. Whatever it started is gone when the call returns, cancelled calls included.
"""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STEP = 65_536


@dataclass(frozen=True)
class Ended:
    """How a program ended: exit code (0 if it was stopped at the cap, as `cut` says) and what it printed."""

    code: int
    out: str
    err: str
    cut: bool


async def run(
    argv: Sequence[str], *, env: Mapping[str, str], folder: Path, deadline: float, cap: int
) -> Ended:
    """Run a program in a folder with exactly that environment. `deadline` in seconds, `cap` in bytes.

    Raises TimeoutError past the deadline, and OSError if it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=dict(env),
        cwd=folder,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(deadline):
            (out, more), (err, _) = await asyncio.gather(
                _head(process, process.stdout, cap), _head(process, process.stderr, cap)
            )
            await process.wait()
    finally:
        _kill(process)
        await process.wait()
    return Ended(0 if more else process.returncode or 0, out, err, more)


async def _head(
    process: asyncio.subprocess.Process, stream: asyncio.StreamReader | None, cap: int
) -> tuple[str, bool]:
    """What a channel says up to the cap, and whether there was more; then the program is stopped."""
    read = bytearray()
    while stream and (piece := await stream.read(STEP)):
        read += piece
        if len(read) > cap:
            _kill(process)
            return bytes(read[:cap]).decode(errors="replace"), True
    return read.decode(errors="replace"), False


def _kill(process: asyncio.subprocess.Process) -> None:
    """End the program with everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
