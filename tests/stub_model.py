"""An OpenAI-compatible endpoint on loopback that plays replies: for tests and benchmarks over real HTTP.

`async with serving([text("hi"), call("health", namespace="shop")]) as stub` in a test; as a process of its
own: `python -m tests.stub_model SCRIPT.json`, which prints its URL. Past the last reply it comes again.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Reply = Json | Callable[[Json], Json]
"""What to say, or what to make of the request to say it."""
PIECE = 12
"""Characters of text or arguments in a streamed chunk."""


@dataclass
class Stub:
    """What the endpoint was asked and with what key; when each request came and when its reply was out
    (monotonic seconds)."""

    replies: Sequence[Reply]
    url: str = ""
    asked: list[Json] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Play the next reply, streamed where the client asks for it."""
        self.times.append(time.monotonic())
        self.keys.append(request.headers.get("Authorization", ""))
        asked = await request.json()
        self.asked.append(asked)
        planned = self.replies[min(len(self.asked), len(self.replies)) - 1]
        reply = planned(asked) if callable(planned) else planned
        if asked.get("stream"):
            response = await _stream(request, reply)
            self.ended.append(time.monotonic())
            return response
        choice = {"index": 0, "message": reply["message"], "finish_reason": reply["finish"]}
        self.ended.append(time.monotonic())
        return web.json_response({"object": "chat.completion", "choices": [choice], "usage": USAGE})


USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def text(said: str) -> Json:
    """A reply that only says something."""
    return {"message": {"role": "assistant", "content": said}, "finish": "stop"}


def call(tool: str, **args: Any) -> Json:
    """A reply that asks for one call."""
    return calls((tool, args))


def calls(*wanted: tuple[str, Json], said: str = "") -> Json:
    """A reply that asks for several calls at once."""
    made = [
        {
            "id": f"c{time.monotonic_ns()}-{i}",
            "type": "function",
            "function": {"name": t, "arguments": json.dumps(a)},
        }
        for i, (t, a) in enumerate(wanted)
    ]
    return {"message": {"role": "assistant", "content": said, "tool_calls": made}, "finish": "tool_calls"}


async def _stream(request: web.Request, reply: Json) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for delta in _deltas(reply["message"]):
        await _send(response, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    await _send(response, {"choices": [{"index": 0, "delta": {}, "finish_reason": reply["finish"]}]})
    await _send(response, {"choices": [], "usage": USAGE})
    await response.write(b"data: [DONE]\n\n")
    return response


def _deltas(message: Json) -> list[Json]:
    said = message.get("content") or ""
    deltas: list[Json] = [{"content": said[i : i + PIECE]} for i in range(0, len(said), PIECE)]
    for index, made in enumerate(message.get("tool_calls") or []):
        arguments = made["function"]["arguments"]
        head = {
            "index": index,
            "id": made["id"],
            "type": "function",
            "function": {"name": made["function"]["name"]},
        }
        deltas.append({"tool_calls": [head]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": arguments[i : i + PIECE]}}]}
            for i in range(0, len(arguments), PIECE)
        ]
    return deltas


async def _send(response: web.StreamResponse, chunk: Json) -> None:
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())


@asynccontextmanager
async def serving(replies: Sequence[Reply]) -> AsyncIterator[Stub]:
    """Serve on a free port; `stub.url` is the base URL to give to a client."""
    stub = Stub(replies)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", stub.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield stub
    finally:
        await runner.cleanup()


@contextmanager
def served(replies: Sequence[Reply]) -> Iterator[Stub]:
    """The same for a test that does not run in an event loop: served from a thread of its own."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        endpoint = serving(replies)
        stub = loop.run_until_complete(endpoint.__aenter__())
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield stub
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(endpoint.__aexit__(None, None, None))


async def _forever(script: Path) -> None:
    async with serving(json.loads(script.read_text(encoding="utf-8"))) as stub:
        sys.stdout.write(stub.url + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_forever(Path(sys.argv[1])))
