"""Real servers that answer rightly, wrongly, late or never: DNS, and TCP with or without TLS.

Each takes the address to bind, and lives as long as its `async with`.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[dns.message.Message, bool], bytes | None]
"""The bytes to send for a question, of which is known whether it came by TCP; None says nothing."""


@dataclass
class Serving:
    """Where a server is, and what it was asked so far."""

    address: str
    port: int
    asked: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """`address:port`."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@contextlib.asynccontextmanager
async def tcp_server(
    talk: Talk,
    address: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    on: socket.socket | None = None,
) -> AsyncIterator[Serving]:
    """A server that talks so with everyone who connects, on a socket that is bound already where one is
    given."""
    at_work: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        at_work.add(task)
        try:
            # A client that saw enough hangs up: that is what some tests are about. A cancellation is ours.
            with contextlib.suppress(
                ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError
            ):
                await talk(reader, writer)
        finally:
            at_work.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()

    if on:
        server = await asyncio.start_server(meet, sock=on, ssl=tls)
    else:
        server = await asyncio.start_server(meet, address, port, ssl=tls)
    try:
        yield Serving(address, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in list(at_work):
            task.cancel()
        if at_work:
            await asyncio.wait(list(at_work))


def says(*parts: bytes, reads: str = "request", then: str = "close") -> Talk:
    """Read an HTTP `request`, `some` bytes or `nothing`, send the parts, and then `close`, `stall` or
    `reset`. Whoever closes with bytes unread resets, as TCP has it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reads == "request":
            await reader.readuntil(b"\r\n\r\n")
        if reads == "some":
            await reader.read(65536)
        for part in parts:
            writer.write(part)
            await writer.drain()
        if then == "stall":
            await asyncio.Event().wait()
        if then == "reset":
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    return talk


def reply(body: bytes = b"fine", status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP reply; `content_type="..."` for a header."""
    told = {"content_length": str(len(body)), "content_type": "text/plain"} | headers
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def floods(head: bytes, chunk: bytes, times: int) -> Talk:
    """Send the head and then the chunk so many times, or until the client has seen enough."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        for _ in range(times):
            writer.write(chunk)
            await writer.drain()

    return talk


def handshakes(context: ssl.SSLContext) -> Talk:
    """A TLS handshake and nothing after it, whose alerts are sent: asyncio's own servers keep theirs."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(came, goes, server_side=True)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(goes.read())
                came.write(await reader.read(65536))
            except ssl.SSLError:
                break
            else:
                break
        writer.write(goes.read())
        await writer.drain()
        # Until the client has enough: who closes with bytes unread resets.
        await reader.read()

    return talk


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes, bool], bytes | None]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (found := self._answer(data, False)) is not None:
            self._transport.sendto(found, addr)


@contextlib.asynccontextmanager
async def dns_server(
    answer: Answer, address: str = "127.0.0.1", port: int = 0, tcp: bool = True
) -> AsyncIterator[Serving]:
    """A DNS server on UDP and, unless it is not to, on TCP of the same port. What it sends by TCP begins with
    the length that is told, which `answer` may lie about: it gives the message alone, or `Framed`."""
    serving = Serving(address, port)

    def heard(wire: bytes, by_tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        serving.asked.append(f"{query.question[0].name} {'tcp' if by_tcp else 'udp'}")
        return answer(query, by_tcp)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        if (found := heard(wire, True)) is not None:
            length = found.said if isinstance(found, Framed) else len(found)
            writer.write(length.to_bytes(2, "big") + found)
            await writer.drain()

    loop = asyncio.get_running_loop()
    with both(address, port) as (datagrams, listening):
        serving.port = datagrams.getsockname()[1]
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(heard), sock=datagrams)
        try:
            async with contextlib.AsyncExitStack() as stack:
                if tcp:
                    await stack.enter_async_context(tcp_server(talk, on=listening))
                yield serving
        finally:
            transport.close()


class Framed(bytes):
    """A message by TCP that says another length."""

    said: int = 0

    @classmethod
    def saying(cls, said: int, message: bytes) -> "Framed":
        """The message with that length before it."""
        made = cls(message)
        made.said = said
        return made


def zone(*lines: str, flags: int = 0, unknown: str = "NXDOMAIN") -> Answer:
    """Answers from records as `cart.shop. 30 A 10.0.0.1`; a name that has none gets the code `unknown`."""
    found: dict[str, list[dns.rrset.RRset]] = {}
    for line in lines:
        name, ttl, kind, data = line.split(" ", 3)
        found.setdefault(name, []).append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))

    def answer(query: dns.message.Message, by_tcp: bool) -> bytes:
        made = dns.message.make_response(query)
        made.flags |= flags
        asked = query.question[0]
        here = found.get(asked.name.to_text())
        made.answer = [each for each in here or () if each.rdtype == asked.rdtype]
        if here is None:
            made.set_rcode(dns.rcode.from_text(unknown))
        return made.to_wire(max_size=65535)

    return answer


def silent(query: dns.message.Message, by_tcp: bool) -> None:
    """Never answers."""


@contextlib.contextmanager
def both(address: str, port: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A UDP and a TCP socket, bound to one port and not blocking; of port 0 one that is free for both."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for attempt in range(20):
        with contextlib.ExitStack() as stack:
            datagrams = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            stream = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            datagrams.bind((address, port))
            try:
                stream.bind((address, datagrams.getsockname()[1]))
            except OSError:
                # Somebody else has that port for TCP; where it may be any, the next is as good.
                if port or attempt == 19:
                    raise
                continue
            datagrams.setblocking(False)
            stream.setblocking(False)
            yield datagrams, stream
            return


@contextlib.contextmanager
def closed_port(address: str = "127.0.0.1") -> Iterator[int]:
    """A port that nobody listens at, and that nobody else gets meanwhile."""
    with both(address, 0) as (datagrams, _):
        # Connected to itself, it takes nobody else's packets: the kernel refuses them as for a closed port.
        datagrams.connect(datagrams.getsockname())
        yield int(datagrams.getsockname()[1])
