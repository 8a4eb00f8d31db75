"""Requests to a Kubernetes API server as bytes and JSON: deadlines, retries of reads, its clock.

Knows paths and statuses, no kinds; resources, paging and redaction stand above it. Writes are sent once.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from opssquad.errors import ToolError, ToolUnsure
from opssquad.times import Clock
from opssquad.types import Json
from opssquad.worlds.kube.access import Access
from opssquad.worlds.kube.bodies import last, whole
from opssquad.worlds.kube.login import Login, login
from opssquad.worlds.kube.trouble import (
    MOST,
    ApiError,
    Unreachable,
    document,
    from_answer,
    from_exception,
    silent,
    too_long,
)

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from tenacity import RetryCallState

JSON = "application/json"
DEADLINE = 10.0
ATTEMPTS = 4
FIRST_WAIT = 0.2
STEP_BACK = 5.0
YEARS = (2020, 2200)
"""A Date before or after these is that of a clock that was never set: it tells nothing."""
BEHIND = ": dial tcp "
"""How a server words that it could not connect to a kubelet."""
PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same read may succeed: the server is busy, or its store changes its leader."""
LOST = frozenset({502, 504})
"""Statuses of what stands between: the change may have arrived, its answer did not come back."""
Query = Sequence[tuple[str, str]]
How = Literal["strategic", "merge", "json", "apply"]
MEDIA: dict[How, str] = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
"""The media type of each way to patch."""


@dataclass(frozen=True)
class Ask:
    """One request: `query` as pairs, `body` as JSON value, `content` its media type."""

    method: str
    path: str
    query: Query = ()
    accept: str = JSON
    body: Any = None
    content: str = JSON

    def headers(self) -> dict[str, str]:
        return {"Accept": self.accept, "Content-Type": self.content}


class KubeHTTP:
    """One server, one login, connections kept. `deadline` in seconds bounds every call, retries included."""

    def __init__(self, access: Access, deadline: float = DEADLINE, clock: Clock | None = None) -> None:
        self.access = access
        self.deadline = deadline
        self._clock = clock or _real_clock
        self._ahead: float | None = None
        self._granted = False
        self._latest: datetime | None = None
        self._login: Login | None = None
        self._closed = False
        self._lock = asyncio.Lock()

    def now(self) -> datetime:
        """The server's clock by its Date headers; before the first answer, the clock given at the start.

        Dates are cut to seconds, so it may be a second behind; it does not run backwards for that.
        """
        ahead = self._ahead
        now = self._clock() if ahead is None else datetime.fromtimestamp(time.monotonic() + ahead, UTC)
        if self._latest and timedelta(0) < self._latest - now < timedelta(seconds=STEP_BACK):
            now = self._latest
        self._latest = now
        return now

    @property
    def heard(self) -> bool:
        """Whether the server has told its time."""
        return self._ahead is not None

    async def read(self, path: str, query: Query = (), accept: str = JSON) -> Json:
        """GET a JSON document; repeated on lost connections and what `PASSING` names. Raises ToolError."""
        return document(await self.fetch(path, query, accept), self.access)

    async def fetch(self, path: str, query: Query = (), accept: str = JSON, keep: int = 0) -> bytes:
        """GET a body as `read` does, whatever it holds; with `keep` only its last bytes. Raises ToolError."""
        return await self._repeat(Ask("GET", path, query, accept), keep)

    async def ask(self, path: str, body: Json) -> Json:
        """POST a question that changes nothing, such as an access review; repeated like a read."""
        return document(await self._repeat(Ask("POST", path, body=body)), self.access)

    async def _repeat(self, ask: Ask, keep: int = 0) -> bytes:
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_before_delay

        failed: list[ToolError] = []

        async def once() -> bytes:
            try:
                async with self._answer(ask) as answer:
                    if keep:
                        return await last(answer.content, self.access, keep)
                    return await whole(answer.content, self.access)
            except ToolError as error:
                failed.append(error)
                raise

        retrying = AsyncRetrying(
            retry=retry_if_exception(_passes),
            wait=_wait,
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self.deadline),
            reraise=True,
        )
        await self._client()
        try:
            async with asyncio.timeout(self.deadline):
                return await retrying(once)
        except TimeoutError as error:
            raise failed[-1] if failed else self._silent() from error

    async def write(self, ask: Ask) -> Json:
        """Send a change once. Raises ToolError; ToolUnsure when no answer tells whether it was made."""
        await self._client()
        try:
            async with asyncio.timeout(self.deadline), self._answer(ask) as answer:
                return self._made(await whole(answer.content, self.access))
        except TimeoutError as error:
            raise self.unknown(f"no answer within {self.deadline:g} s") from error
        except ApiError as error:
            if error.status in LOST:
                raise self.unknown(str(error)) from error
            raise
        except Unreachable as error:
            if error.sent:
                raise self.unknown(str(error)) from error
            raise

    def _made(self, body: bytes) -> Json:
        """What a change was answered with; it was made, so an answer that is none is no failure of it."""
        try:
            return document(body, self.access)
        except ToolError as error:
            raise self.unknown(str(error)) from error

    async def lines(self, path: str, query: Query = ()) -> AsyncGenerator[bytes, None]:
        """Stream a body line by line; the deadline is for its first byte only. Raises ToolError."""
        await self._client()
        rest = b""
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self.deadline):
                    answer = await stack.enter_async_context(self._answer(Ask("GET", path, query)))
            except TimeoutError as error:
                raise self._silent() from error
            async for piece in answer.content.iter_any():
                *complete, rest = (rest + piece).split(b"\n")
                if len(rest) > MOST:
                    raise too_long(self.access)
                for line in complete:
                    yield line
        if rest:
            yield rest

    async def close(self) -> None:
        """Give the connections back. What still reads beside a call that failed opens no new ones."""
        async with self._lock:
            self._closed = True
            if self._login:
                await self._login.client.close()
                self._login = None

    async def _client(self, renew: Login | None = None) -> Login:
        """The login, made or renewed by one caller while others wait."""
        async with self._lock:
            if self._closed:
                raise ToolError("the connection to the cluster was closed")
            current = self._login
            if current and current is not renew and current.fresh(_real_clock()):
                return current
            self._login = await login(self.access)
            if current:
                await current.client.close()
            return self._login

    @asynccontextmanager
    async def _answer(self, ask: Ask) -> AsyncIterator["ClientResponse"]:
        """An answer below 400. After a 401 it logs in anew, once: nothing was done yet."""
        import aiohttp

        response: ClientResponse | None = None
        try:
            used = await self._client()
            response = await self._send(used, ask)
            if response.status == 401 and {"exec", "tokenFile"} & self.access.user.keys():
                response.release()
                response = await self._send(await self._client(renew=used), ask)
            self._heard(response.headers.get("Date"), granted=response.status < 400)
            if response.status >= 400:
                body = await whole(response.content, self.access)
                raise from_answer(response.status, response.headers, body, self.access)
            yield response
        except (OSError, aiohttp.ClientError) as error:
            raise from_exception(error, self.access, self.deadline) from error
        finally:
            if response is not None:
                response.release()

    async def _send(self, used: Login, ask: Ask) -> "ClientResponse":
        from aiohttp import ClientTimeout

        method, url, headers, body, post = await used.client.param_serialize(
            ask.method,
            ask.path,
            query_params=list(ask.query),
            header_params=ask.headers(),
            body=ask.body,
            auth_settings=["BearerToken"],
        )
        # Deadlines are asyncio's here; the library's own would be five minutes.
        answer = await used.client.call_api(
            method, url, headers, body, post, _request_timeout=ClientTimeout(total=None)
        )
        response: ClientResponse = answer.response
        return response

    def _heard(self, date: str | None, *, granted: bool) -> None:
        """Learn how far the server's clock is ahead of our monotonic one; a Date is never in its future. A
        refusal may come from what stands before the server, with a clock of its own: it is believed until
        something is granted."""
        from email.utils import parsedate_to_datetime

        if self._granted and not granted:
            return
        try:
            said = parsedate_to_datetime(date or "")
            ahead = said.timestamp() - time.monotonic()
        except (ValueError, OverflowError):
            # No date, or none that can be read: the clock that we have runs on.
            return
        if not YEARS[0] <= said.year <= YEARS[1]:
            return
        # Dates are cut to seconds: the largest difference is nearest; a big step back is a clock set back.
        first = granted and not self._granted
        if first or self._ahead is None or ahead > self._ahead or ahead < self._ahead - STEP_BACK:
            self._ahead, self._granted = ahead, granted

    def _silent(self) -> Unreachable:
        return Unreachable(silent(self.access, self.deadline), sent=True, passing=False)

    def unknown(self, reason: str) -> ToolUnsure:
        """The error for a change of which no answer tells whether it was made."""
        return ToolUnsure(
            f"the change was sent to {self.access.name!r} and may or may not have been made ({reason}); "
            "read the object before anything is repeated"
        )


def _real_clock() -> datetime:
    return datetime.now(UTC)


def _passes(error: BaseException) -> bool:
    """Whether the same read may succeed a moment later. Not where the server is well and a node behind it
    cannot be reached: that lasts, and somebody waits."""
    if isinstance(error, Unreachable):
        return error.passing
    return isinstance(error, ApiError) and error.status in PASSING and BEHIND not in str(error)


def _wait(state: "RetryCallState") -> float:
    """As long as the server asks for, else a little longer each time."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, ApiError) else None
    return FIRST_WAIT * 2 ** (state.attempt_number - 1) if asked is None else asked
