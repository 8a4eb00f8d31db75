"""An endpoint that sends too much, or what nobody can keep: an answer that can be used, or one error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
import respx
from aiohttp import web

from opssquad.errors import ModelBadReply
from opssquad.models.base import Reply
from opssquad.models.bounds import DEPTH, SAID
from tests.models.test_chat import URL, ask, delta, part, sse


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


async def answered(mock: respx.Router, *chunks: Any) -> Reply:
    mock.post(URL).mock(return_value=sse(*chunks))
    return await ask()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ('{"n": 99999999999999999999}', "64 bits"),
        ('{"n": [{"m": -9223372036854775809}]}', "64 bits"),
        ('{"n": NaN}', "no number"),
        ('{"n": 1e999}', "no number"),
        ('{"n": "\\ud800"}', "half a character"),
        ('{"\\udfff": 1}', "half a character"),
        (nested(DEPTH + 1), "nested deeper"),
        (nested(5000), "not valid JSON"),
    ],
)
async def test_arguments_that_cannot_be_kept_go_back_to_the_model(
    arguments: str, why: str, httpx2_mock: respx.Router
) -> None:
    chunk = part(arguments, id="c", name="scale")
    (call,) = (await answered(httpx2_mock, chunk)).calls
    assert why in call.problem
    assert call.args == {}
    call.model_dump_json()


async def test_arguments_at_the_bounds_are_taken(httpx2_mock: respx.Router) -> None:
    arguments = f'{{"deep": {nested(DEPTH - 1)}, "n": {2**63 - 1}, "text": "\\ud83d\\ude00"}}'
    (call,) = (await answered(httpx2_mock, part(arguments, id="c", name="scale"))).calls
    assert (call.problem, call.args["n"], call.args["text"]) == ("", 2**63 - 1, "\U0001f600")


async def test_half_a_character_in_a_text_is_replaced(httpx2_mock: respx.Router) -> None:
    assert (await answered(httpx2_mock, delta("stop", content="bad \ud800 text"))).text == "bad ? text"


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": None},
        {"choices": {"0": "x"}},
        {"choices": [7]},
        {"choices": [{"delta": "no"}]},
        {"choices": [{"delta": {"tool_calls": "no"}}]},
        {"choices": [{"delta": {"tool_calls": [None, 3, "x"]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": "x", "function": "no"}]}}]},
        {"choices": [{"delta": {"content": 5}}]},
        {"choices": [], "usage": {"prompt_tokens": "many", "completion_tokens": -1}},
        {"choices": [], "usage": "none"},
        "a text",
        [1, 2],
        None,
    ],
)
async def test_chunks_of_any_shape_break_nothing(chunk: Any, httpx2_mock: respx.Router) -> None:
    reply = await answered(httpx2_mock, chunk, delta("stop", content="well"))
    assert reply.text.endswith("well")


async def test_json_that_is_too_deep_to_read_is_no_answer(httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(URL).mock(return_value=httpx.Response(200, text="[" * 100_000))
    with pytest.raises(ModelBadReply, match="not JSON"):
        await ask()


@pytest.mark.parametrize("field", ["text", "arguments"])
async def test_an_answer_that_does_not_end_is_not_read_on(field: str, httpx2_mock: respx.Router) -> None:
    piece = "x" * 100_000
    one = delta(content=piece) if field == "text" else part(piece, id="c", name="get")
    with pytest.raises(ModelBadReply, match=f"longer than {SAID} characters"):
        await answered(httpx2_mock, *[one] * 11)


@asynccontextmanager
async def endless(status: int, kind: str) -> AsyncIterator[str]:
    """A server whose answer has no end and no line ends; yields its URL."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": kind})
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 1_000_000)
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/chat/completions"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "kind"), [(200, "text/event-stream"), (200, "application/json"), (400, "text/html")]
)
async def test_a_body_that_does_not_end_is_not_read_on(status: int, kind: str) -> None:
    async with endless(status, kind) as url:
        with pytest.raises(ModelBadReply, match="longer than 64 MB; it is not read on"):
            await ask(url=url)
