"""Plays one recorded operation against a fresh copy of the world and says what came out differently.

Every request goes through the dispatcher and the encoder, as the HTTP server uses them, with the clock set to
the recorded `Date`. Streams run until the transcript is over.
"""

import asyncio
import base64
import json
import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import yaml

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.encoding import render
from opssquad.worlds.kube.apiserver.request import Call, Stream
from tests.conformance.compare import Comparison
from tests.conformance.transcripts import Json, Operation, recorded_body
from tests.conformance.world import USERS, StandingStill

HEADERS = ("Content-Type", "Warning", "Vary", "Cache-Control", "Retry-After")
# In an object, or as the value of a JSON patch operation.
OWN_VERSION = re.compile(r'("(?:resourceVersion"|/metadata/resourceVersion",\s*"value")\s*:\s*")(\d+)(")')
QUERY_VERSION = re.compile(r"(?<=[?&]resourceVersion=)(\d+)")
PROTOBUF = "application/vnd.kubernetes.protobuf"
FIRST_LIST, LAST_LIST = 2600, 9999  # revisions that lists of the recorded cluster had; none of ours is meant
SETTLE = 0.02  # seconds that streams get to say the rest


@dataclass
class Playing:
    """A stream of ours that is being read."""

    recorded: Json
    chunks: list[bytes] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None


async def replay(operation: Operation, transcript: Json | None = None) -> list[str]:
    """What differs from the recording (or from another transcript), each line led by the request; empty
    if all is equal.
    """
    if operation.standing_still:
        return await Replay(transcript or operation.transcript(), StandingStill()).run()
    from tests.conformance.running import RunningReplay

    return await RunningReplay(transcript or operation.transcript()).run()


class Replay:
    """Sends the requests of a transcript to a world, one after the other, and collects differences."""

    def __init__(self, transcript: Json, world: StandingStill) -> None:
        self.transcript = transcript
        self.world = world
        self.comparison = Comparison()
        self.playing: list[Playing] = []
        self.found: list[str] = []

    async def run(self) -> list[str]:
        """Play everything."""
        for exchange in self.transcript["exchanges"]:
            self.exchange(exchange)
            await asyncio.sleep(0)
        return await self.finish()

    async def finish(self) -> list[str]:
        """End the streams, compare them, and give all differences."""
        if self.playing:
            await asyncio.sleep(SETTLE)
        for playing in self.playing:
            assert playing.task is not None
            playing.task.cancel()
            await asyncio.gather(playing.task, return_exceptions=True)
            self.compare_stream(playing)
        return self.found

    def set_clock(self, exchange: Json) -> None:
        """The world is at the recorded moment."""
        self.world.moment = parsedate_to_datetime(exchange["response"]["headers"]["Date"])

    def exchange(self, exchange: Json) -> None:
        """Send one request and compare the answer; a stream is compared in the end."""
        request, recorded = exchange["request"], exchange["response"]
        self.set_clock(exchange)
        call = self._call(request)
        if call is None:
            self._check(exchange, "401", recorded["status"], 401)
            return
        reply = answer(self.world, call)
        if isinstance(reply, Stream):
            self._check(exchange, "status", recorded["status"], 200)
            playing = Playing(exchange)
            playing.task = asyncio.create_task(_read(reply, playing.chunks))
            self.playing.append(playing)
            return
        self._check(exchange, "status", recorded["status"], reply.status)
        headers, body = render(reply, call.headers.get("accept", ""), self.world.moment)
        excused = _excused(recorded["headers"])
        for name in HEADERS:
            if name not in excused:
                self._check(exchange, name, recorded["headers"].get(name), headers.get(name))
        wanted = recorded_body(recorded)
        got: Any = body.decode() or None
        if got and headers["Content-Type"] == "application/yaml":
            wanted, got = yaml.safe_load(wanted), yaml.safe_load(got)
        elif got and got.startswith("{") and not isinstance(wanted, str):
            got = json.loads(got)
        self.compare(exchange, wanted, got)

    def compare(self, exchange: Json, wanted: Any, got: Any) -> None:
        """Compare two bodies."""
        self.differences(exchange, wanted, got)

    def _call(self, request: Json) -> Call | None:
        """The request with our values in the place of recorded ones; None without credentials."""
        user = USERS.get(self.transcript["user"])
        if user is None:
            return None
        learned = {a: b for a, b in self.comparison.learned.items() if len(a) > 4}
        target, body = request["path"], _body(request)
        for recorded, ours in learned.items():
            target = target.replace(quote(recorded, safe=""), quote(ours, safe=""))
            body = body.replace(recorded.encode(), ours.encode())
        target = QUERY_VERSION.sub(lambda m: self._version(m[1]), target)
        if body.isascii() or b"resourceVersion" in body:
            text = body.decode("latin-1")
            body = OWN_VERSION.sub(lambda m: m[1] + self._own_version(m[2]) + m[3], text).encode("latin-1")
        headers = {name.lower(): value for name, value in request["headers"].items()}
        return Call(request["method"], target, user, headers, body)

    def _version(self, recorded: str) -> str:
        if FIRST_LIST <= int(recorded) <= LAST_LIST and recorded not in self.comparison.learned:
            return str(self.world.store.revision)
        return self._own_version(recorded)

    def _own_version(self, recorded: str) -> str:
        return self.comparison.learned.get(recorded, recorded)

    def compare_stream(self, playing: Playing) -> None:
        """Compare what came out of a stream, event by event."""
        recorded = playing.recorded["response"].get("stream", [])
        ours = b"".join(playing.chunks).decode()
        if recorded and "text" in recorded[0]:
            self.differences(playing.recorded, "".join(part["text"] for part in recorded), ours)
            return
        if text := playing.recorded["response"].get("body_text"):
            recorded = [{"event": json.loads(line)} for line in text.splitlines()]
        wanted = [_typed(part["event"]) for part in recorded if not _periodic_bookmark(part["event"])]
        got = [_typed(json.loads(line)) for line in ours.splitlines()]
        self.differences(playing.recorded, {"events": wanted}, {"events": got})

    def differences(self, exchange: Json, wanted: Any, got: Any) -> None:
        """Note what differs."""
        lead = _lead(exchange)
        self.found += [f"{lead}: {line}" for line in self.comparison.differences(wanted, got)]

    def _check(self, exchange: Json, what: str, wanted: Any, got: Any) -> None:
        if wanted != got:
            self.found.append(f"{_lead(exchange)}: {what} {wanted!r} expected, {got!r} came")


async def _read(stream: Stream, chunks: list[bytes]) -> None:
    async for chunk in stream.chunks:
        chunks.append(chunk)


def _body(request: Json) -> bytes:
    if "body_base64" in request:
        return base64.b64decode(request["body_base64"])
    if "body_text" in request:
        return str(request["body_text"]).encode()
    return json.dumps(request["body"]).encode() if "body" in request else b""


def _excused(recorded: Json) -> set[str]:
    """Headers that differ by what we do not do: answer in protobuf, compress."""
    excused = {"Content-Type"} if PROTOBUF in recorded.get("Content-Type", "") else set()
    return excused | ({"Vary"} if recorded.get("Content-Encoding") else set())


def _typed(event: Json) -> Json:
    """An event as {type: object}, so that a difference names the type."""
    return {event["type"]: event["object"]}


def _periodic_bookmark(event: Json) -> bool:
    return event["type"] == "BOOKMARK" and "annotations" not in event["object"].get("metadata", {})


def _lead(exchange: Json) -> str:
    return f"#{exchange['n']} {exchange['request']['method']} {exchange['request']['path'][:120]}"
