"""One HTTP/1.1 request over a stream, and its reply as far as a probe reads it: headers of interest and the
beginning of the body."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

import h11

from opssquad.worlds.net.streams import Stream, printable
from opssquad.worlds.net.tcp import Failed, since

BODY, HEADERS, INFORMAL = 65536, 65536, 10
"""Bytes of a body and of headers that are read, and interim replies (1xx) that are waited through."""
TEXT, VALUE = 400, 200
"""Characters of a body's text and of a header's value that are kept."""
OF_INTEREST = (
    "server", "content-type", "content-length", "content-encoding", "location", "date", "age", "retry-after",
    "via", "allow",
    "www-authenticate", "proxy-authenticate", "proxy-status", "strict-transport-security", "cache-control",
    "x-cache", "x-served-by", "x-request-id", "x-powered-by", "alt-svc", "upgrade",
)  # fmt: skip
"""Headers that are kept, with all that begin with `x-envoy-`. Cookies and credentials are not among them."""
READABLE = ("text/", "application/json", "application/xml", "application/problem+", "application/xhtml")
START = b"HTTP/"
AGENT = b"opssquad-probe"
_ASCII = "".join(map(chr, range(33, 127)))
_USER = re.compile(rb"//[^/?#\s]*@")
"""Credentials of a URL."""


@dataclass
class Reply:
    """What came so far: it grows while it is read, so that one that stops half-way can be told. `location` is
    where a redirect leads, whole: the header is cut. `coded`: the body is compressed."""

    status: int = 0
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    location: str = ""
    coded: bool = False
    first_byte_ms: float = 0.0
    size: int = 0
    cut: bool = False
    kept: bytes = b""
    came: bytes = b""

    @property
    def text(self) -> str:
        """The beginning of the body, where it is text that is sent as it is."""
        kind = self.headers.get("content-type", "text/plain").lower()
        if self.coded or not kind.startswith(READABLE):
            return ""
        return self.kept.decode("utf-8", "replace")[:TEXT]


async def exchange(stream: Stream, method: str, target: str, host: str, reply: Reply) -> None:
    """Send a request without a body and read the reply into `reply`, up to the caps. Raises Failed."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADERS)
    headers = [(b"Host", host.encode()), (b"User-Agent", AGENT), (b"Accept", b"*/*")]
    headers += [(b"Accept-Encoding", b"identity"), (b"Connection", b"close")]
    request = h11.Request(method=method, target=target, headers=headers)
    began = time.perf_counter()
    await stream.send((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
    informal = 0
    while True:
        match await _next(connection, stream, reply, began):
            case h11.InformationalResponse():
                informal += 1
                if informal > INFORMAL:
                    raise Failed(
                        "too_much", f"it sent more than {INFORMAL} interim replies (1xx), and no other"
                    )
            case h11.Response() as response:
                reply.status = response.status_code
                reply.reason = printable(bytes(response.reason))
                reply.headers = kept(response.headers)
                reply.location = _first(response.headers, b"location")
                reply.coded = _first(response.headers, b"content-encoding").lower() not in ("", "identity")
            case h11.Data() as data:
                reply.size += len(data.data)
                reply.kept += bytes(data.data)[: max(4 * TEXT - len(reply.kept), 0)]
                if reply.size >= BODY:
                    reply.cut = True
                    return
            case _:
                return


async def _next(connection: h11.Connection, stream: Stream, reply: Reply, began: float) -> object:
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise _failed(error, reply) from error
        if event is not h11.NEED_DATA:
            return event
        data = await stream.receive()
        if data and not reply.came:
            reply.first_byte_ms = since(began)
        if not data and not reply.status:
            said = f"after {printable(reply.came)!r}" if reply.came else "without an answer"
            raise Failed("closed", f"it hung up {said}")
        if not reply.status:
            reply.came = (reply.came + data)[:TEXT]
            # At once: a peer that speaks something else may wait for us for ever.
            if len(reply.came) >= len(START) and not reply.came.startswith(START):
                raise _not_http(reply.came)
        connection.receive_data(data)


def _failed(error: h11.RemoteProtocolError, reply: Reply) -> Failed:
    """What a reply that is not understood means."""
    if reply.status:
        said = str(error)
        if said.startswith("peer "):
            return Failed("closed", f"it hung up in the middle of the body, after {reply.size} bytes")
        return Failed("malformed", f"its body is not sent as HTTP has it: {_line(said)}")
    if error.error_status_hint == 431:
        return Failed("too_much", f"it sent more than {HEADERS // 1024} KB of headers without an end")
    if reply.came.startswith(START):
        return Failed("malformed", f"its reply is no HTTP: {_line(str(error))}")
    return _not_http(reply.came)


def _not_http(begin: bytes) -> Failed:
    if begin[:1] == b"\x15" or begin[:2] == b"\x16\x03":
        return Failed("malformed", "it answered in TLS, not HTTP: ask with https")
    # A frame of HTTP/2: three bytes of length, then SETTINGS (4) or GOAWAY (7) on stream 0.
    if len(begin) >= 9 and begin[3] in (4, 7) and begin[5:9] == b"\0\0\0\0":
        return Failed("malformed", "it answered in HTTP/2 only, which a probe does not speak (gRPC does)")
    return Failed("malformed", f"what answers is not HTTP, it said: {printable(begin)}")


def _line(text: str) -> str:
    return " ".join(text.split())[:120]


def _first(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The first value of a header, whole; what is no ASCII is written as URLs have it."""
    value = next((bytes(value) for each, value in headers if each.lower() == name), b"")
    return quote(value.strip(), safe=_ASCII)


def kept(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of interest by their names in lower case; a value given twice has both."""
    found: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1").lower()
        if name in OF_INTEREST or name.startswith("x-envoy-"):
            # Before it is cut: a redirect may carry credentials.
            text = printable(_USER.sub(b"//", value), VALUE)
            found[name] = f"{found[name]}, {text}"[:VALUE] if name in found else text
    return found
