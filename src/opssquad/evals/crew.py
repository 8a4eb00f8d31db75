"""Worker processes: each makes one run at a time; one that dies loses its run and is replaced."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from opssquad.errors import UsageError
from opssquad.evals.plan import Job
from opssquad.evals.result import CaseResult
from opssquad.evals.work import broken
from opssquad.evals.worker import Order
from opssquad.together import together

GRACE = 15.0
"""Seconds that a run may take beyond its own limit before its process is killed."""
CHECK = 60.0
"""Seconds to check a recording."""
LONGEST = 64 << 20
"""Bytes of one result."""


@dataclass
class Worker:
    """A process, started when it is first needed; its temporary files are below `room`, and what it says of
    itself, such as the trace of a bug, is written to `log`."""

    room: str
    log: Path
    process: asyncio.subprocess.Process | None = None

    async def ask(self, order: Order) -> bytes:
        """What it answers. Raises TimeoutError, EOFError when it died."""
        process = self.process = self.process or await _started(self.room, self.log)
        assert process.stdin
        assert process.stdout
        try:
            async with asyncio.timeout((order.job.case.seconds if order.job else CHECK) + GRACE):
                process.stdin.write(order.model_dump_json().encode() + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readline()
        except (BrokenPipeError, ConnectionResetError):
            line = b""
        if not line.endswith(b"\n"):
            raise EOFError(f"its process ended with {await process.wait()}; {self.log} may say why")
        return line

    async def end(self) -> None:
        """Stop the process and those that it started, whatever they are doing."""
        process, self.process = self.process, None
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _started(room: str, log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as said:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "opssquad.evals.worker",
            room,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            limit=LONGEST,
            # Ctrl-C is for us to answer: a worker that hears it too would report a run that was none.
            start_new_session=True,
        )


def _room() -> TemporaryDirectory[str]:
    # A process that was killed may have left one behind that still writes as it ends.
    return TemporaryDirectory(prefix="opssquad-eval-", ignore_cleanup_errors=True)


@dataclass
class Crew:
    """Some workers; an async context, at whose end they are all stopped, and what they left is taken away."""

    size: int
    log: Path
    workers: list[Worker] = field(default_factory=list)
    room: TemporaryDirectory[str] = field(default_factory=_room)

    async def __aenter__(self) -> "Crew":
        self.workers = [Worker(self.room.name, self.log) for _ in range(self.size)]
        return self

    async def __aexit__(self, *raised: object) -> None:
        for worker in self.workers:
            await worker.end()
        self.room.cleanup()

    async def check(self, folders: Sequence[Path]) -> None:
        """Raises UsageError for a recording that is no fair case."""

        def heard(order: Order, answer: bytes | Exception) -> None:
            if isinstance(answer, Exception):
                raise UsageError(f"{order.folder} could not be checked: {answer}")
            if said := answer.decode().strip():
                raise UsageError(said)

        await self._all([Order(folder=str(folder)) for folder in folders], heard)

    async def make(self, jobs: Sequence[Job], on: Callable[[CaseResult], None]) -> None:
        """Make every run; `on` gets the results as they come."""

        def heard(order: Order, answer: bytes | Exception) -> None:
            assert order.job
            if isinstance(answer, Exception):
                on(broken(order.job, str(answer) or "not over in time, and its process had to be killed"))
            else:
                on(CaseResult.model_validate_json(answer))

        await self._all([Order(job=job) for job in jobs], heard)

    async def _all(self, orders: Sequence[Order], heard: Callable[[Order, bytes | Exception], None]) -> None:
        waiting = list(reversed(orders))

        async def go_on(worker: Worker) -> None:
            while waiting:
                order = waiting.pop()
                try:
                    answer: bytes | Exception = await worker.ask(order)
                except (TimeoutError, EOFError) as error:
                    await worker.end()
                    answer = error
                heard(order, answer)

        await together(go_on(worker) for worker in self.workers)
