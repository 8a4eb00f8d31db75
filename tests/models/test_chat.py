"""The chat model against an endpoint that behaves, misbehaves, and is not there."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import httpx2
import pytest
import respx
from pydantic import SecretStr

from opssquad.errors import ModelBadReply, ModelRateLimited, ModelUnreachable, UsageError
from opssquad.models.base import Case, Message, ModelCall, Reply, Request, ToolSpec
from opssquad.models.chat import Chat, Patience
from opssquad.settings import load
from opssquad.types import Usage
from tests import stub_model

URL = "http://127.0.0.1:9/v1/chat/completions"
OK = {"choices": [{"message": {"content": "all well"}, "finish_reason": "stop"}]}
SPEC = ToolSpec(name="health", description="look", parameters={"type": "object", "properties": {}})
ASKED = Request(system="be brief", messages=(Message(role="user", text="hi"),), tools=(SPEC,), case=Case())
QUICK = Patience(total=5, idle=0.5, wait=1.0, attempts=3)


@dataclass
class Ear:
    pieces: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def text(self, piece: str) -> None:
        self.pieces.append(piece)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


async def ask(ear: Ear | None = None, url: str = URL, request: Request = ASKED) -> Reply:
    chat = Chat("m", url.removesuffix("/chat/completions"), SecretStr("sk-tell-nobody"), QUICK)
    try:
        return await chat.reply(request, ear or Ear())
    finally:
        await chat.close()


def sse(*chunks: Any, done: bool = True) -> httpx.Response:
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"] * done
    return httpx.Response(200, text="".join(lines), headers={"content-type": "text/event-stream"})


def delta(finish: str | None = None, **part: Any) -> dict[str, Any]:
    return {"choices": [{"delta": part, "finish_reason": finish}]}


def part(arguments: Any = None, **more: Any) -> dict[str, Any]:
    function = {
        k: v for k, v in (("name", more.pop("name", None)), ("arguments", arguments)) if v is not None
    }
    return delta(tool_calls=[{**more, "function": function}])


async def calls_of(mock: respx.Router, *chunks: Any) -> list[tuple[str, Any, bool]]:
    mock.post(URL).mock(return_value=sse(*chunks))
    return [(c.tool, c.args, bool(c.problem)) for c in (await ask()).calls]


async def test_text_and_calls_come_streamed_over_real_http() -> None:
    replies = [stub_model.calls(("health", {"namespace": "shop"}), ("nodes", {}), said="let me look around")]
    ear = Ear()
    async with stub_model.serving(replies) as stub:
        reply = await ask(ear, stub.url)
    assert reply.text == "let me look around" == "".join(ear.pieces)
    assert len(ear.pieces) == 2
    assert [(c.tool, c.args) for c in reply.calls] == [("health", {"namespace": "shop"}), ("nodes", {})]
    assert (reply.finish, reply.usage) == ("calls", Usage(prompt=100, completion=10))
    sent = stub.asked[0]
    assert sent["model"] == "m"
    assert sent["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
    assert sent["tools"][0]["function"]["name"] == "health"


async def test_calls_and_their_results_go_back_as_the_protocol_wants_them() -> None:
    history = (
        Message(role="user", text="hi"),
        Message(role="assistant", calls=(ModelCall(id="c1", tool="health", args={"namespace": "é"}),)),
        Message(role="tool", call="c1", text="all ready"),
    )
    async with stub_model.serving([stub_model.text("fine")]) as stub:
        await ask(url=stub.url, request=ASKED.model_copy(update={"messages": history}))
    assistant, result = stub.asked[0]["messages"][2:]
    assert assistant["tool_calls"][0]["id"] == result["tool_call_id"] == "c1"
    assert json.loads(assistant["tool_calls"][0]["function"]["arguments"]) == {"namespace": "é"}
    assert result["content"] == "all ready"


@pytest.mark.parametrize("key", ["", "sk-mine"])
async def test_a_key_is_sent_where_there_is_one(key: str) -> None:
    async with stub_model.serving([stub_model.text("fine")]) as stub:
        chat = Chat("m", stub.url, SecretStr(key), QUICK)
        assert (await chat.reply(ASKED, Ear())).text == "fine"
        await chat.close()
    assert stub.keys == ([f"Bearer {key}"] if key else [""])


async def test_a_server_that_does_not_stream_is_understood(httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(URL).respond(json=OK)
    ear = Ear()
    reply = await ask(ear)
    assert (reply.text, ear.pieces, reply.usage) == ("all well", ["all well"], Usage())


@pytest.mark.parametrize(
    "complaint", ["Unrecognized request argument: stream_options", "stream is not supported"]
)
async def test_an_option_that_the_server_refuses_is_left_out(
    httpx2_mock: respx.Router, complaint: str
) -> None:
    refusal = httpx.Response(400, json={"error": {"message": complaint}})
    route = httpx2_mock.post(URL).mock(side_effect=[refusal, httpx.Response(200, json=OK)])
    assert (await ask()).text == "all well"
    second = json.loads(route.calls[1].request.content)
    assert ("stream_options" if "options" in complaint else "stream") not in second


async def test_pieces_without_an_index_belong_to_the_last_call(httpx2_mock: respx.Router) -> None:
    chunks = [
        part('{"a"', id="1", name="health"),
        part(": 1}"),
        part("{}", id="2", name="nodes"),
        delta("tool_calls"),
    ]
    assert await calls_of(httpx2_mock, *chunks) == [("health", {"a": 1}, False), ("nodes", {}, False)]


async def test_two_calls_under_one_index_are_not_glued_together(httpx2_mock: respx.Router) -> None:
    chunks = [part("{}", index=0, id="1", name="health"), part('{"b": 2}', index=0, id="2", name="nodes")]
    assert await calls_of(httpx2_mock, *chunks) == [("health", {}, False), ("nodes", {"b": 2}, False)]
    unnamed = [part("{}", index=0, name="health"), part('{"b": 2}', index=0, name="nodes")]
    assert await calls_of(httpx2_mock, *unnamed) == [("health", {}, False), ("nodes", {"b": 2}, False)]


async def test_interleaved_calls_keep_their_own_arguments(httpx2_mock: respx.Router) -> None:
    chunks = [
        part("", index=0, id="1", name="health"),
        part("", index=1, id="2", name="nodes"),
        part('{"a": 1}', index=0),
        part('{"b": 2}', index=1),
    ]
    assert await calls_of(httpx2_mock, *chunks) == [("health", {"a": 1}, False), ("nodes", {"b": 2}, False)]


@pytest.mark.parametrize(
    ("arguments", "args", "broken"),
    [
        ('{"namespace": "sh', {}, True),
        ("[1]", {}, True),
        ("rm -rf", {}, True),
        ("", {}, False),
        ('"{\\"a\\": 1}"', {"a": 1}, False),
        ({"a": 1}, {"a": 1}, False),
    ],
)
async def test_broken_arguments_are_named_and_never_become_empty_ones(
    httpx2_mock: respx.Router, arguments: Any, args: Any, broken: bool
) -> None:
    got = await calls_of(httpx2_mock, part(arguments, index=0, id="1", name="health"), delta("tool_calls"))
    assert got == [("health", args, broken)]


async def test_a_refusal_and_an_empty_reply_count_as_refusals(httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(URL).mock(
        side_effect=[
            sse(delta(refusal="I cannot help"), delta("stop")),
            sse(delta("stop")),
            sse(delta("content_filter")),
        ]
    )
    assert await ask() == Reply(text="I cannot help", finish="refusal")
    assert await ask() == Reply(finish="refusal")
    assert (await ask()).finish == "refusal"


async def test_a_reply_cut_by_its_length_says_so(httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(URL).mock(return_value=sse(delta(content="half a"), delta("length")))
    assert await ask() == Reply(text="half a", finish="length")


async def test_a_stream_cut_in_the_middle_is_asked_for_again(httpx2_mock: respx.Router) -> None:
    cut = sse(delta(content="half a"), done=False)
    httpx2_mock.post(URL).mock(side_effect=[cut, sse(delta(content="whole"), delta("stop"))])
    ear = Ear()
    assert (await ask(ear)).text == "whole"
    assert len(ear.warnings) == 1
    assert "cut off in the middle; trying again in" in ear.warnings[0]


async def test_an_error_in_the_middle_of_a_stream_is_told(httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(URL).mock(return_value=sse(delta(content="a"), {"error": {"message": "out of memory"}}))
    with pytest.raises(ModelBadReply, match="broke off: out of memory"):
        await ask()


async def test_retry_after_is_honoured_and_told(httpx2_mock: respx.Router) -> None:
    busy = httpx.Response(429, headers={"retry-after-ms": "200"}, json={"error": {"message": "slow down"}})
    route = httpx2_mock.post(URL).mock(side_effect=[busy, httpx.Response(200, json=OK)])
    ear = Ear()
    assert (await ask(ear)).text == "all well"
    assert route.call_count == 2
    assert ear.warnings == ["http://127.0.0.1:9/v1 answered 429 (slow down); trying again in 0.2 s"]


async def test_a_retry_after_past_our_patience_ends_at_once(httpx2_mock: respx.Router) -> None:
    route = httpx2_mock.post(URL).respond(429, headers={"retry-after": "3600"}, json={})
    with pytest.raises(ModelRateLimited) as caught:
        await ask()
    assert (route.call_count, caught.value.retry_after) == (1, 3600.0)


async def test_an_empty_account_is_not_asked_twice(httpx2_mock: respx.Router) -> None:
    error = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    route = httpx2_mock.post(URL).respond(429, json=error)
    with pytest.raises(ModelRateLimited, match="no quota left"):
        await ask()
    assert route.call_count == 1


async def test_server_errors_are_tried_again_and_then_given_up(httpx2_mock: respx.Router) -> None:
    route = httpx2_mock.post(URL).respond(503, headers={"retry-after": "0"}, text="<html>busy</html>")
    ear = Ear()
    with pytest.raises(ModelUnreachable, match="answered 503"):
        await ask(ear)
    assert (route.call_count, len(ear.warnings)) == (3, 2)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            httpx.Response(401, json={"error": {"message": "bad key sk-tell-nobody"}}),
            ModelUnreachable,
            "OPENAI_API_KEY",
        ),
        (httpx.Response(404, json={"error": "no such model"}), ModelUnreachable, "is there a model 'm'"),
        (
            httpx.Response(400, json={"error": {"message": "context too long"}}),
            ModelBadReply,
            "context too long",
        ),
        (
            httpx.Response(200, html="<html>login</html>"),
            ModelBadReply,
            "text/html, not JSON; does OPENAI_BASE_URL",
        ),
        (httpx.Response(200, json={"choices": None}), ModelBadReply, "holds no choices"),
        (httpx.Response(200, json=[]), ModelBadReply, "holds no choices"),
    ],
)
async def test_what_cannot_pass_is_told_at_once_and_never_with_the_key(
    httpx2_mock: respx.Router, answer: httpx.Response, error: type[Exception], words: str
) -> None:
    route = httpx2_mock.post(URL).mock(return_value=answer)
    with pytest.raises(error, match=words) as caught:
        await ask()
    assert route.call_count == 1
    assert "sk-tell-nobody" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("failure", "words"),
    [(httpx2.ConnectError("refused"), "cannot be reached"), (httpx2.ReadTimeout(""), "was silent for 0.5 s")],
)
async def test_an_endpoint_that_is_not_there_is_told(
    httpx2_mock: respx.Router, failure: Exception, words: str
) -> None:
    answers: Sequence[Any] = [failure, failure, failure]
    httpx2_mock.post(URL).mock(side_effect=answers)
    with pytest.raises(ModelUnreachable, match=words):
        await ask()


def test_an_endpoint_needs_a_key_or_an_address() -> None:
    with pytest.raises(UsageError, match="set OPENAI_API_KEY"):
        Chat.of(load({}), "m")
    assert Chat.of(load({"OPENAI_BASE_URL": "http://localhost:1/v1"}), "m").name == "m"
