"""The handle by which tools call HTTP APIs; the same for real servers and for recorded ones.

It is for tools that know what they ask. Questions about the network itself are the handle `Network`'s.
"""

import copy
import json as jsonlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from urllib.parse import urlencode

from opssquad.errors import Refused, ToolError
from opssquad.toolbox import Handle
from opssquad.types import Effect

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing, by the words of HTTP."""
METHODS = (*SAFE, "POST", "PUT", "PATCH", "DELETE")
MOST = 1_000_000
"""Bytes of a body that are read at most."""
TEXT = "utf-8"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
OURS = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade", "expect")
"""Headers that the client writes itself."""


@dataclass(frozen=True)
class Request:
    """What is asked. `url` is whole, without a user; `body` is JSON where there is one."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    seconds: float = 30
    cap: int = MOST

    @property
    def place(self) -> str:
        """It without its query, which may hold what is nobody's business."""
        return f"{self.method} {self.url.partition('?')[0]}"


@dataclass(frozen=True)
class Reply:
    """What was answered, whatever the status. Names of `headers` are in lower case; `url` is the one that
    answered at last; `cut`: the body was longer than was read."""

    status: int
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    url: str = ""
    ms: float = 0.0
    cut: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status says that it went well."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON. Raises ToolError for what is none."""
        place = self.url.partition("?")[0]
        if self.cut:
            raise ToolError(f"{place} answers more than {len(self.text)} characters; ask for less of it")
        try:
            return jsonlib.loads(self.text)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no content type").partition(";")[0]
            raise ToolError(f"{place} answers {self.status} with {kind}, which is not JSON") from None


class Backend(Protocol):
    """What sends requests, or tells what was recorded of them. Raises ToolError."""

    async def send(self, request: Request) -> Reply: ...


class Http(Handle):
    """Calls HTTP APIs. Every call raises ToolError in one line, without headers, body or query."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._writable = True

    def limited(self, effect: Effect) -> Self:
        """The handle for a call of that effect: for `read`, methods that change raise Refused."""
        other = copy.copy(self)
        other._writable = self._writable and effect == "mutate"
        return other

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30,
        cap: int = MOST,
    ) -> Reply:
        """Read a resource."""
        return await self.request("GET", url, params=params, headers=headers, seconds=seconds, cap=cap)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        seconds: float = 30,
        cap: int = MOST,
    ) -> Reply:
        """Ask, and wait for the whole answer at most so many seconds. A body is read up to `cap` bytes, 1 MB
        at most, unpacked ones too. Redirects of reads are followed to the same scheme, host and port alone.

        An answer with a bad status is a `Reply` too. Raises Refused for a method that changes, from a handle
        that is limited to reading.
        """
        word = method.upper()
        if word not in METHODS:
            raise ToolError(f"{method!r} is no method that is sent; known: {', '.join(METHODS)}")
        if word not in SAFE and not self._writable:
            raise Refused(f"{word} would change something, and this call may only read")
        body = None if json is None else _body(json)
        sent = _headers(headers or {}, body)
        given = {name: value for name, value in (params or {}).items() if value is not None}
        whole = f"{url}{'&' if '?' in url else '?'}{urlencode(given, doseq=True)}" if given else url
        request = Request(word, _whole(whole), sent, body, seconds, max(1, min(cap, MOST)))
        return await self._backend.send(request)


def _body(json: Any) -> str:
    try:
        return jsonlib.dumps(json, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ToolError(f"the body is none that JSON can hold: {error}") from None


def _whole(url: str) -> str:
    # Late: it brings Unicode's tables, and most conversations call no API.
    from opssquad.worlds.net import names

    return str(names.url(url))


def _headers(given: Mapping[str, str], body: str | None) -> dict[str, str]:
    """Headers as they are sent. Raises ToolError, which never shows a value."""
    sent: dict[str, str] = {} if body is None else {"content-type": "application/json"}
    for name, value in given.items():
        if not _NAME.fullmatch(name):
            raise ToolError(f"{name!r} is no name of a header")
        if name.lower() in OURS:
            raise ToolError(f"the header {name} is written by the client itself; leave it out")
        if any(ord(each) < 32 and each != "\t" or ord(each) == 127 for each in value):
            raise ToolError(f"the header {name} holds a line break or control characters")
        if not value.isascii():
            raise ToolError(f"the header {name} holds what is not ASCII")
        sent[name.lower()] = value
    return sent
