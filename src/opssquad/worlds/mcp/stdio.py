"""Pipes as a transport: JSON-RPC messages, a line each, over stdin and stdout of a program, or over our own.

The library has both too: they keep a line of any length; of a program, what it started stays when it ends by
itself; and our own cannot be left while nothing comes in.
"""

import asyncio
import contextlib
import os
import signal
import stat
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from opssquad.errors import UsageError
from opssquad.worlds.mcp.offered import Program

LINE = 8 << 20
"""Bytes of one message."""
GARBAGE = 50
"""Lines on stdout that are no message before it is given up."""
GRACE = 1.0
"""Seconds to end by itself once its stdin is closed, and again once it was asked to."""
LAST = 2_000
"""Bytes of stderr that are kept."""
POLL = 0.01

Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]


@dataclass
class Heard:
    """What else came from a server: lines that are no message, the end of its stderr, why it was given up;
    `status` of an answer over HTTP that is an error; `changed`: it said that its list is another one."""

    garbage: int = 0
    first: str = ""
    errors: bytes = b""
    why: str = ""
    status: str = ""
    changed: bool = False

    def said(self) -> str:
        """The part of it that explains a failure; empty for none."""
        if self.why:
            return self.why
        if self.garbage:
            return f"it writes on stdout what is no message: {self.first!r}"
        if self.status:
            return f"it answers {self.status}"
        lines = self.errors.decode(errors="replace").strip().splitlines()
        return f"the last that it said on stderr: {lines[-1][:300]!r}" if lines else ""


@asynccontextmanager
async def spawned(place: Program, heard: Heard) -> AsyncIterator[tuple[Incoming, Outgoing]]:
    """Start the program; end it, with all that it started, on leaving. Raises OSError."""
    process = await asyncio.create_subprocess_exec(
        *place.argv,
        env=dict(place.env),
        cwd=place.folder,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=LINE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with _messages(process.stdout, process.stdin, heard, process.stderr) as streams:
            yield streams
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process, process.stdin)


def claimed() -> tuple[int, int]:
    """Our own stdin and stdout, which are for messages alone from now on: what is printed goes to stderr.
    Raises UsageError where nobody can speak with us by them."""
    if not all(_speaks(each) for each in (0, 1)):
        raise UsageError("stdin and stdout must be pipes: an agent starts this by itself, see docs/mcp.md")
    nothing = os.open(os.devnull, os.O_RDONLY)
    into, out = os.dup(0), os.dup(1)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return into, out


@asynccontextmanager
async def own(into: int, out: int) -> AsyncIterator[tuple[Incoming, Outgoing]]:
    """Messages over pipes that were claimed."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=LINE)
    protocol = asyncio.StreamReaderProtocol(reader)
    reading, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(into, "rb", buffering=0))
    writing, flow = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(out, "wb", buffering=0)
    )
    try:
        writer = asyncio.StreamWriter(writing, flow, None, loop)
        async with _messages(reader, writer, Heard()) as streams:
            yield streams
    finally:
        writing.close()
        reading.close()


def _speaks(number: int) -> bool:
    mode = os.fstat(number).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(number)


@asynccontextmanager
async def _messages(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    heard: Heard,
    errors: asyncio.StreamReader | None = None,
) -> AsyncIterator[tuple[Incoming, Outgoing]]:
    inbox, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, outbox = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_read, reader, inbox, heard)
            tasks.start_soon(_write, writer, outbox, inbox)
            if errors:
                tasks.start_soon(_listen, errors, heard)
            try:
                yield incoming, outgoing
            finally:
                tasks.cancel_scope.cancel()
    finally:
        for stream in (inbox, incoming, outgoing, outbox):
            stream.close()


async def _read(
    reader: asyncio.StreamReader,
    inbox: MemoryObjectSendStream[SessionMessage | Exception],
    heard: Heard,
) -> None:
    async with inbox:
        while heard.garbage < GARBAGE:
            try:
                line = await reader.readline()
            except ValueError:
                heard.why = f"it wrote a message of more than {LINE >> 20} MiB"
                return
            if not line:
                return
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                heard.first = heard.first or line[:120].decode(errors="replace").strip()
                heard.garbage += bool(line.strip())
                continue
            try:
                await inbox.send(SessionMessage(message))
            except anyio.BrokenResourceError:
                return


async def _write(
    writer: asyncio.StreamWriter,
    outbox: MemoryObjectReceiveStream[SessionMessage],
    inbox: MemoryObjectSendStream[SessionMessage | Exception],
) -> None:
    async with outbox:
        async for each in outbox:
            writer.write(each.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            try:
                await writer.drain()
            except ConnectionError:
                # Whoever waits for an answer must not wait for ever.
                await inbox.aclose()
                return


async def _listen(errors: asyncio.StreamReader, heard: Heard) -> None:
    while piece := await errors.read(65_536):
        heard.errors = (heard.errors + piece)[-LAST:]


async def _end(process: Process, stdin: asyncio.StreamWriter) -> None:
    stdin.close()
    if not await _gone(process):
        _signal(process, signal.SIGTERM)
        await _gone(process)
    # Also what it started and left behind.
    _signal(process, signal.SIGKILL)
    await _gone(process)
    # It waits for pipes that somebody else may hold open.
    process._transport.close()  # type: ignore[attr-defined]


async def _gone(process: Process) -> bool:
    """Whether it ends within the grace. Not `wait`, which waits for whoever else holds its pipes too."""
    end = anyio.current_time() + GRACE
    while process.returncode is None and anyio.current_time() < end:
        await anyio.sleep(POLL)
    return process.returncode is not None


def _signal(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
