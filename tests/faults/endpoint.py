"""A model endpoint over HTTP that misbehaves in one way at a time: what it does with each request it gets."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from tests.stub_model import Json, call, calls, text

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


def status(code: int, **headers: str) -> Behaviour:
    """Always this status."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": "no"}}, status=code, headers=headers)

    return answer


def body(said: str, kind: str = "application/json") -> Behaviour:
    """Always this body."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=said, content_type=kind)

    return answer


def whole(reply: Json, finish: str = "") -> Behaviour:
    """Always this reply, in one piece."""
    choice = {"index": 0, "message": reply["message"], "finish_reason": finish or reply["finish"]}
    return body(json.dumps({"choices": [choice]}))


def written(arguments: str) -> Behaviour:
    """Always a call of `health` with these arguments, as they are."""
    function = {"name": "health", "arguments": arguments}
    made = {"id": "c", "type": "function", "function": function}
    return whole({"message": {"content": "", "tool_calls": [made]}, "finish": "tool_calls"})


def stream(*pieces: str, pause: float = 0.0, done: bool = False) -> Behaviour:
    """A stream of text, `pause` seconds before each piece, that is cut off unless `done`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await asyncio.sleep(pause)
            chunk = {"choices": [{"index": 0, "delta": {"content": piece}}]}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        if done:
            await response.write(b"data: [DONE]\n\n")
        return response

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without a word."""
    if request.transport:
        request.transport.close()
    return web.Response()


UNKNOWN_TOOL = whole(call("summon_demon", name="x"))
WRONG_TYPES = whole(call("health", namespace=["a"], deep={"x": 1}))
HUNDRED = whole(calls(*[("health", {"namespace": "authentication"})] * 100))
ENDLESS = whole(call("health", namespace="authentication"))
EMPTY = whole(text(""))
REFUSAL = whole({"message": {"refusal": "I cannot help with that."}, "finish": "stop"})
FILTERED = whole(text("x"), finish="content_filter")


@contextmanager
def served(behaviour: Behaviour, cancels: bool = False) -> Iterator[tuple[str, list[Any]]]:
    """Serve it from a thread of its own: the base URL, and the requests that came. With `cancels` a behaviour
    is cancelled when its client hangs up."""
    came: list[Any] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        came.append(await request.json())
        return await behaviour(request)

    async def up() -> tuple[web.AppRunner, str]:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=cancels)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    with asyncio.Runner() as loop:
        runner, url = loop.run(up())
        thread = threading.Thread(target=loop.get_loop().run_forever)
        thread.start()
        try:
            yield url, came
        finally:
            loop.get_loop().call_soon_threadsafe(loop.get_loop().stop)
            thread.join()
            loop.run(runner.cleanup())
