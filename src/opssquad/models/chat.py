"""Any OpenAI-compatible endpoint as a model: streaming, retries that are told, deadlines, one-line errors.

The openai library carries the requests. Its retries are off, since they would wait unseen; what streams back
is read as text and put together by `assembly`, since its own types trip over what other servers send. The
request's body is `wire`'s. This module is imported only when an endpoint is meant: openai takes its time.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
import openai
from openai import AsyncOpenAI, Omit
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from opssquad.errors import ModelBadReply, ModelError, ModelRateLimited, ModelUnreachable
from opssquad.models.assembly import Assembly, said, whole
from opssquad.models.base import Listener, Reply, Request
from opssquad.models.bounds import MEGA, WIRE
from opssquad.models.told import Told
from opssquad.models.wire import body
from opssquad.settings import Settings, need_endpoint
from opssquad.types import Json

OPENAI = "https://api.openai.com/v1"
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True)
class Patience:
    """Seconds: `total` for one reply with its retries, `idle` between pieces, `wait` the longest Retry-After
    that is honoured; and how often to try."""

    total: float = 180.0
    idle: float = 60.0
    wait: float = 30.0
    attempts: int = 4


class Passing(ModelUnreachable):
    """A failure that may pass: it is tried again."""

    def __init__(self, message: str, retry_after: float | None = None, limited: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.limited = limited


class Chat:
    """A model at an endpoint. `name` is the endpoint's name for it, `host` the endpoint's own; `sampling` are
    fields that go with every request as they are, such as temperature and seed."""

    def __init__(
        self,
        name: str,
        base_url: str = OPENAI,
        api_key: SecretStr | None = None,
        patience: Patience | None = None,
        sampling: Json | None = None,
    ) -> None:
        self.name = name
        self.sampling = sampling or {}
        self._url = base_url.rstrip("/")
        # What is told of the endpoint never holds a login that was written into the address.
        self._shown = self._url.replace(f"{urlsplit(self._url).netloc.rpartition('@')[0]}@", "")
        self.host = urlsplit(self._url).hostname or ""
        self._key = (api_key or SecretStr("")).get_secret_value()
        self._patience = patience or Patience()
        self._client: AsyncOpenAI | None = None
        self._streams = True
        self._counts = True

    @property
    def endpoint(self) -> str:
        """Host, and port where one is given, of the endpoint; nothing of it is a secret."""
        return urlsplit(self._url).netloc.rpartition("@")[2]

    @classmethod
    def of(cls, settings: Settings, name: str = "", sampling: Json | None = None) -> Self:
        """The model that the environment means. Raises UsageError when it names no endpoint."""
        need_endpoint(settings)
        return cls(name or settings.model, settings.base_url or OPENAI, settings.api_key, sampling=sampling)

    async def close(self) -> None:
        """Give the connections back."""
        if self._client:
            await self._client.close()
            self._client = None

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """Answer a request; every wait is told to the listener. Raises ModelError."""

        def warn(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            wait = f"{state.upcoming_sleep:.1f}".removesuffix(".0")
            listener.warn(f"{error}; trying again in {wait} s")

        told = Told(listener)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Passing),
            wait=self._wait,
            stop=self._enough,
            before_sleep=warn,
            reraise=True,
        )
        try:
            async with asyncio.timeout(self._patience.total):
                return await retrying(self._once, request, told)
        except TimeoutError as error:
            text = f"{self.name} gave no whole answer within {self._patience.total:g} s"
            raise ModelUnreachable(text) from error
        except Passing as error:
            if error.limited:
                raise ModelRateLimited(str(error), error.retry_after) from error
            raise

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Passing) and error.retry_after is not None:
            return error.retry_after
        return wait_exponential_jitter(multiplier=0.5, max=8, jitter=0.5)(state)

    def _enough(self, state: RetryCallState) -> bool:
        return state.attempt_number >= self._patience.attempts or state.upcoming_sleep > self._patience.wait

    async def _once(self, request: Request, listener: "Told") -> Reply:
        listener.begin()
        try:
            return await self._ask(request, listener)
        except openai.APIStatusError as error:
            if self._yields(error.response):
                return await self._once(request, listener)
            raise self._refused(error.response) from error
        except (openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise Passing(f"{self._shown} was silent for {self._patience.idle:g} s") from error
        except (openai.APIConnectionError, httpx2.TransportError) as error:
            raise Passing(f"{self._shown} cannot be reached ({_short(error.__cause__ or error)})") from error

    async def _ask(self, request: Request, listener: Listener) -> Reply:
        asked = body(self.name, request, stream=self._streams, usage=self._counts)
        content = {**asked, **self.sampling}
        # A server of one's own may want no key, and then none is sent.
        headers = {} if self._key else {"Authorization": Omit()}
        completions = self._endpoint().chat.completions.with_streaming_response
        # Passed on as it is: the library would walk through every message by its types, 1 ms each.
        opening = completions.create(model=self.name, messages=[], extra_body=content, extra_headers=headers)
        async with opening as answer:
            if "event-stream" in answer.headers.get("content-type", ""):
                return await _streamed(answer.iter_lines(), listener)
            reply = whole(self._json(await answer.read(), answer.headers.get("content-type", "")))
        if reply.text:
            listener.text(reply.text)
        return reply

    def _yields(self, response: httpx2.Response) -> bool:
        """Ask for less when the server does not know an option; True when another try is worth it."""
        if response.status_code not in {400, 422}:
            return False
        if self._counts and "stream_options" in response.text:
            self._counts = False
            return True
        if self._streams and "stream" in response.text.lower():
            self._streams = False
            return True
        return False

    def _refused(self, response: httpx2.Response) -> ModelError:
        status, text = response.status_code, self._clean(_error_text(response))
        where = f"{self._shown} answered {status}{f' ({text})' if text else ''}"
        if status in {401, 403}:
            return ModelUnreachable(f"{where}; check OPENAI_API_KEY")
        if status == 404:
            return ModelUnreachable(f"{where}; is there a model {self.name!r}, and is OPENAI_BASE_URL right?")
        if status == 429 and "insufficient_quota" in response.text:
            return ModelRateLimited(f"{where}; the account has no quota left")
        if status in PASSING:
            return Passing(where, _retry_after(response), limited=status == 429)
        return ModelBadReply(where)

    def _json(self, content: bytes, kind: str) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            kind = kind.split(";")[0] or "no content type"
            text = f"{self._shown} answered with {kind}, not JSON; does OPENAI_BASE_URL end in /v1?"
            raise ModelBadReply(text) from error

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "«key»") if self._key else text

    def _endpoint(self) -> AsyncOpenAI:
        if self._client is None:
            idle = self._patience.idle
            self._client = AsyncOpenAI(
                api_key=self._key or "none",
                base_url=self._url,
                timeout=httpx2.Timeout(idle, connect=min(10.0, idle)),
                # The waits are ours: each is told, and none outlasts our patience.
                max_retries=0,
                http_client=httpx2.AsyncClient(
                    # No TLS, no certificates to load; no proxy stands before this machine itself.
                    verify=self._url.startswith("https"),
                    trust_env=urlsplit(self._url).hostname not in {"localhost", "127.0.0.1", "::1"},
                    event_hooks={"response": [_bound]},
                ),
            )
        return self._client


async def _bound(response: httpx2.Response) -> None:
    """Have the body of a response end in ModelBadReply past `WIRE`, whoever reads it: a client's hook."""
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = 0
        async for piece in self._inner:
            total += len(piece)
            if total > WIRE:
                raise ModelBadReply(f"the answer is longer than {WIRE // MEGA} MB; it is not read on")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _streamed(lines: AsyncIterator[str], listener: Listener) -> Reply:
    assembly = Assembly()
    async for data in _events(lines):
        if data == "[DONE]":
            assembly.done = True
            break
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Passing(f"the answer's stream is garbled: {data[:80]!r}") from error
        if isinstance(chunk, dict) and (text := assembly.add(chunk)):
            listener.text(text)
    if not assembly.done:
        raise Passing("the answer was cut off in the middle")
    return assembly.reply()


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """The data of server-sent events; comments and other fields are skipped."""
    held: list[str] = []
    async for line in lines:
        if line.startswith("data:"):
            held.append(line[5:].removeprefix(" "))
        elif not line and held:
            yield "\n".join(held)
            held = []
    if held:
        yield "\n".join(held)


def _error_text(response: httpx2.Response) -> str:
    try:
        return said(json.loads(response.content))
    except (ValueError, RecursionError):
        return response.headers.get("content-type", "").split(";")[0]


def _retry_after(response: httpx2.Response) -> float | None:
    """Seconds to wait as the server says: `retry-after-ms`, or `Retry-After` in seconds or as a date."""
    exact, plain = response.headers.get("retry-after-ms", ""), response.headers.get("retry-after", "")
    try:
        return max(0.0, float(exact) / 1000 if exact else float(plain))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(plain) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
