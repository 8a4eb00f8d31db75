"""Cassettes: what a model was asked and answered, recorded once and played back without its endpoint.

A cassette is a file of JSON lines: a head, then one line for each exchange. It is played in order, and
refuses a question that is not the one it holds an answer to: an old answer to a new prompt proves nothing.
How two questions are told to be the same is for `canonical`.
"""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import ValidationError

from opssquad.documents import BadFile, read_text
from opssquad.errors import ModelBadReply, ModelError, ModelRateLimited, ModelUnreachable, UsageError
from opssquad.models.base import Listener, Message, Model, Reply, Request
from opssquad.models.canonical import Asked, asked
from opssquad.types import Json, Value

VERSION = 1
FAILURES: dict[str, type[ModelError]] = {
    kind.__name__: kind for kind in (ModelUnreachable, ModelRateLimited, ModelBadReply, ModelError)
}
V = TypeVar("V", bound=Value)


class Head(Value):
    """The first line: the version of the format, the model, and what it says it sends (temperature, seed)."""

    cassette: int
    model: str
    sampling: Json = {}


class Shown(Value):
    """What was asked, for people to read: only what differs from the exchange before. The messages are those
    from number `since` (counted from 1) on."""

    system: str = ""
    tools: tuple[str, ...] = ()
    since: int = 1
    messages: tuple[Message, ...] = ()


class Failure(Value):
    """How the model failed instead of answering: the name of the error's class, and its text."""

    kind: Literal["ModelError", "ModelUnreachable", "ModelRateLimited", "ModelBadReply"]
    text: str


class Exchange(Value):
    """One line: its number from 1, digests of what was asked, the words, the answer or the failure, and how
    many milliseconds it took."""

    n: int
    digest: str
    asked: Asked
    request: Shown
    reply: Reply | None = None
    failure: Failure | None = None
    ms: int = 0


class OtherQuestion(UsageError):
    """A cassette holds no answer to what is asked. It is no ModelError: it stops the run, which must not go
    on offline as if the endpoint were down."""


def recording_model(model: Model, file: Path) -> "Recorder":
    """The model, with every exchange written to a new cassette, readable by its owner alone.

    Wrap what speaks to the endpoint, inside a mask: then the cassette holds what left the house. Raises
    UsageError where the file is there already or cannot be written.
    """
    return Recorder(model, file)


class Recorder:
    """A model that writes down what it is asked and answers, each exchange as soon as it is over."""

    def __init__(self, model: Model, file: Path) -> None:
        self.name, self.file = model.name, file
        self.endpoint, self.says = str(getattr(model, "endpoint", "")), str(getattr(model, "says", ""))
        self._model, self._count = model, 0
        self._before: Request | None = None
        head = Head(cassette=VERSION, model=model.name, sampling=getattr(model, "sampling", {}))
        self._write(head, os.O_CREAT | os.O_EXCL)

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """Answer a request. Raises ModelError, and UsageError where the exchange cannot be written."""
        began = time.monotonic()
        try:
            reply = await self._model.reply(request, listener)
        except ModelError as error:
            kind = next(name for name, each in FAILURES.items() if isinstance(error, each))
            self._keep(request, began, failure=Failure.model_validate({"kind": kind, "text": str(error)}))
            raise
        except asyncio.CancelledError:
            # Whoever waited goes on as after any silence of an endpoint; so does who plays this.
            late = Failure(kind="ModelUnreachable", text="no whole answer before it was broken off")
            self._keep(request, began, failure=late)
            raise
        self._keep(request, began, reply=reply)
        return reply

    def _keep(
        self, request: Request, began: float, reply: Reply | None = None, failure: Failure | None = None
    ) -> None:
        self._count += 1
        digests = asked(request)
        exchange = Exchange(
            n=self._count,
            digest=digests.digest,
            asked=digests,
            request=_shown(request, self._before),
            reply=reply,
            failure=failure,
            ms=int((time.monotonic() - began) * 1000),
        )
        self._write(exchange, os.O_APPEND)
        self._before = request

    def _write(self, line: Value, how: int) -> None:
        text = f"{line.model_dump_json(exclude_defaults=True)}\n"
        try:
            with os.fdopen(os.open(self.file, os.O_WRONLY | how, 0o600), "a", encoding="utf-8") as out:
                out.write(text)
        except FileExistsError:
            raise UsageError(f"{self.file} is there already; name another file") from None
        except OSError as error:
            raise UsageError(f"{self.file}: {error.strerror}; choose another place") from error


def _shown(request: Request, before: Request | None) -> Shown:
    """The words of a request that the one before it did not have."""
    had = before.messages if before else ()
    pairs = zip(had, request.messages, strict=False)
    same = next((n for n, (was, is_) in enumerate(pairs) if was != is_), min(len(had), len(request.messages)))
    tools = tuple(tool.name for tool in request.tools)
    return Shown(
        system="" if before and before.system == request.system else request.system,
        tools=() if before and before.tools == request.tools else tools,
        since=same + 1,
        messages=request.messages[same:],
    )


class Player:
    """A model that answers from a cassette, in its order; `name` is the recorded model's."""

    def __init__(self, file: Path, head: Head, exchanges: tuple[Exchange, ...]) -> None:
        self.name, self.file, self.sampling = head.model, file, head.sampling
        self._exchanges, self._played = exchanges, 0

    @classmethod
    def open(cls, file: Path, name: str = "") -> Self:
        """Read a cassette whole. Raises BadFile, with the line, where it is damaged, empty, of another
        version of the format, or of another model than `name` (empty: any)."""
        lines = read_text(file).splitlines()
        if not lines:
            raise BadFile(file, "is empty: no exchange was recorded")
        head = _read(file, 1, lines[0], Head)
        if head.cassette != VERSION:
            raise BadFile(file, f"is of version {head.cassette}, not {VERSION}; record it anew", 1)
        if name and name != head.model:
            raise BadFile(file, f"was recorded with model {head.model}, not with {name}", 1)
        exchanges = tuple(_read(file, n, line, Exchange) for n, line in enumerate(lines[1:], 2))
        if not exchanges:
            raise BadFile(file, "holds no exchange: nothing was recorded", 1)
        for number, exchange in enumerate(exchanges, 1):
            _sound(file, number, exchange)
        return cls(file, head, exchanges)

    @property
    def left(self) -> int:
        """How many exchanges were not asked for yet: above zero after a run that asked less than the
        recorded one."""
        return len(self._exchanges) - self._played

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """The recorded answer. Raises OtherQuestion for a request that is not the recorded one, and the
        ModelError that was recorded in place of an answer."""
        number = self._played + 1
        if not self.left:
            said = f"the cassette is over after {self._played} exchanges, and the run asks on"
            raise OtherQuestion(f"{self.file}: {said}; record it anew")
        exchange, now = self._exchanges[self._played], asked(request)
        if exchange.digest != now.digest:
            what = exchange.asked.unlike(now)
            said = f"exchange {number} was recorded for another question: {what} differs"
            raise OtherQuestion(f"{self.file}: {said}; record it anew")
        self._played = number
        if exchange.failure:
            raise FAILURES[exchange.failure.kind](exchange.failure.text)
        reply = exchange.reply or Reply()
        if reply.text:
            listener.text(reply.text)
        return reply


def _read(file: Path, number: int, line: str, model: type[V]) -> V:
    try:
        return model.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadFile(file, f"is no line of a cassette: {where or 'it'}: {first['msg']}", number) from None
    except (ValueError, RecursionError):
        raise BadFile(file, "not JSON; the recording was cut off or changed by hand", number) from None


def _sound(file: Path, number: int, exchange: Exchange) -> None:
    """Raises BadFile for an exchange that is out of order, without an answer, or changed by hand."""
    line = number + 1
    if exchange.n != number:
        raise BadFile(file, f"holds exchange {exchange.n} where {number} belongs", line)
    if (exchange.reply is None) == (exchange.failure is None):
        raise BadFile(file, "an exchange holds either a reply or a failure", line)
    if exchange.digest != exchange.asked.digest:
        raise BadFile(file, "the digest is not that of what was asked: it was changed by hand", line)
