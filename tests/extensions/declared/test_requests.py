"""Declared requests, sent to a real server on loopback: arguments stay in their place, secrets stay ours."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opssquad.errors import ToolError, ToolUnsure
from opssquad.worlds.http.client import Http
from opssquad.worlds.http.live import LiveHttp
from opssquad.worlds.net.here import Reach, anywhere
from tests.extensions.declared.making import SECRETS, handles, run, tool, tools
from tests.network.servers import Serving, reply, tcp_server


class Api:
    """A server that keeps what it was asked, and answers by path."""

    def __init__(self, **answers: str) -> None:
        self.asked: list[str] = []
        self.answers = answers
        self.status = "200 OK"

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.lower().splitlines()
        length = next((line[16:] for line in lines if line.startswith("content-length:")), "0")
        self.asked.append(head + (await reader.readexactly(int(length))).decode())
        name = head.split()[1].strip("/").partition("?")[0].replace("/", "_")
        writer.write(reply(self.answers.get(name, "[]").encode(), status=self.status))
        await writer.drain()


def http(refuses: Reach = anywhere) -> Http:
    return Http(LiveHttp(refuses, environ={}))


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[Serving]:
    async with tcp_server(api) as server:
        yield server


def deploys(server: Serving, **keys: str) -> str:
    told = {
        "effect": "read",
        "parameters": "{app: {type: string}, since: {default: now}, page: {type: integer, default: null}}",
        "url": f"http://{server.place}/apps/{{app}}/deploys?since={{since}}",
        "query": '{page: "{page}"}',
        "destinations": f"[{server.place}]",
        **keys,
    }
    lines = "".join(f"{name}: {value}\n" for name, value in told.items() if value)
    return f"name: deploys\ndescription: The deploys of an app.\nkind: http\n{lines}"


async def test_a_request_is_sent_as_declared_and_told_as_a_table(tmp_path: Path) -> None:
    api = Api(apps_cart_deploys='{"deploys": [{"id": 7, "by": "kim"}, {"id": 8, "by": "lee"}]}')
    async with serving(api) as server:
        got = await run(tool(tmp_path, deploys(server, answer="deploys")), http(), app="cart", page=2)
    assert api.asked[0].splitlines()[0] == "GET /apps/cart/deploys?since=now&page=2 HTTP/1.1"
    assert [line.split() for line in got.text.splitlines()] == [["id", "by"], ["7", "kim"], ["8", "lee"]]
    assert got.sources[0].text.startswith('{"deploys"')
    assert got.commands[0].startswith("curl -sS --url-query page=2 ")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a/b", "a%2Fb"),
        ("%2e%2e/", "%252e%252e%2F"),
        ("../admin", "..%2Fadmin"),
        ("a?x=1#y", "a%3Fx%3D1%23y"),
        ("a&b=c", "a%26b%3Dc"),
        ("{since}", "%7Bsince%7D"),
        ("a b\r\nX-Own: 1", "a%20b%0D%0AX-Own%3A%201"),
        ("é", "%C3%A9"),
        ("@evil.example", "%40evil.example"),
    ],
)
async def test_an_argument_stays_in_its_segment_and_in_its_value(
    tmp_path: Path, value: str, sent: str
) -> None:
    api = Api()
    async with serving(api) as server:
        made = tool(tmp_path, deploys(server))
        await run(made, http(), app=value)
        await run(made, http(), app="x", since=value)
    lines = [each.splitlines() for each in api.asked]
    assert lines[0][0] == f"GET /apps/{sent}/deploys?since=now HTTP/1.1"
    assert lines[1][0] == f"GET /apps/x/deploys?since={sent} HTTP/1.1"
    assert not any(line.lower().startswith("x-own") for line in lines[0])


@pytest.mark.parametrize("value", ["..", ".", "", "  "])
async def test_an_argument_that_is_a_step_up_is_refused(tmp_path: Path, value: str) -> None:
    api = Api()
    async with serving(api) as server:
        with pytest.raises(ToolError, match="step up of the path|is empty, and stands in the path"):
            await run(tool(tmp_path, deploys(server)), http(), app=value)
    assert api.asked == []


async def test_a_secret_is_sent_and_shown_nowhere(tmp_path: Path) -> None:
    secret = SECRETS["TOKEN"]
    api = Api(apps_cart_deploys=f'["you sent {secret}"]')
    keys = {"headers": '{Authorization: {secret: TOKEN, prefix: "Bearer "}, X-App: "{app}"}'}
    async with serving(api) as server:
        made = tool(tmp_path, deploys(server, **keys))
        got = await run(made, http(), app="cart")
        assert f"authorization: bearer {secret}" in api.asked[0].lower()
        assert secret not in got.model_dump_json()
        assert '-H "Authorization: Bearer $TOKEN"' in got.commands[0]
        api.status = "403 Forbidden"
        with pytest.raises(ToolError, match="answers 403 Forbidden: .*a secret of its settings") as told:
            await run(made, http(), app="cart")
        assert secret not in str(told.value)
        with pytest.raises(ToolError, match="the header X-App holds a line break"):
            await run(made, http(), app="a\r\nX-Own: 1")
    assert len(api.asked) == 2


async def test_signals_stand_on_values_of_the_answer(tmp_path: Path) -> None:
    api = Api(apps_cart_deploys='{"deploys": [{"id": 7, "state": "failed"}, {"id": 8, "state": "done"}]}')
    rule = (
        "[{id: deploy.failed, when: {path: '[*].state', equals: failed}, text: 'deploy {id} of {app} failed',"
        " entity: 'Deploy/{app}/{id}', severity: critical}]"
    )
    async with serving(api) as server:
        got = await run(tool(tmp_path, deploys(server, answer="deploys", signals=rule)), http(), app="cart")
    (failed,) = got.signals
    assert (str(failed.entity), failed.text) == ("Deploy/cart/7", "deploy 7 of cart failed")
    assert failed.quotes[0].text == "[0].state=failed id=7 state=failed"


@pytest.mark.parametrize(
    "body",
    [
        "[" * 700 + "]" * 700,
        "[" * 100_000,
        '{"a": ' * 500 + "1" + "}" * 500,
        "[NaN, Infinity]",
        "{]",
        "null",
        "[]",
    ],
)
async def test_an_odd_body_is_told_as_text(tmp_path: Path, body: str) -> None:
    async with serving(Api(apps_cart_deploys=body)) as server:
        got = await run(tool(tmp_path, deploys(server)), http(), app="cart")
    assert got.text
    assert got.sources[0].text == body


async def test_a_large_answer_is_a_source_and_not_carried_about(tmp_path: Path) -> None:
    rows = json.dumps([{"id": number, f"key{number}": "x" * 50} for number in range(5000)])
    async with serving(Api(apps_cart_deploys=rows)) as server:
        got = await run(tool(tmp_path, deploys(server, cap="1000000")), http(), app="cart")
    assert got.sources[0].text == rows
    assert "answer" not in got.data
    assert "4900 more rows" in got.text


async def test_policy_has_its_word_after_the_destinations(tmp_path: Path) -> None:
    api = Api()
    async with serving(api) as server:
        made = tool(tmp_path, deploys(server))
        with pytest.raises(ToolError, match="is not asked: no"):
            await run(made, http(lambda host, address, port: "no"), app="cart")
    assert api.asked == []


async def test_a_change_is_posted_and_what_is_lost_is_not_known(tmp_path: Path) -> None:
    api = Api(apps_cart='{"paused": false}')
    async with serving(api) as server:
        base, allowed = f"http://{server.place}", f"destinations: [{server.place}]"
        look = f"url: '{base}/apps/{{app}}', {allowed}"
        text = (
            "name: pause\ndescription: Pause an app.\nkind: http\neffect: mutate\nmethod: POST\n"
            "parameters: {app: {type: string}, minutes: {type: integer}}\n"
            f"url: '{base}/apps/{{app}}/pause'\n{allowed}\ndeadline: 20\n"
            "json: {minutes: '{minutes}', why: ['for {app}']}\n"
            f"undo: {{method: DELETE, url: '{base}/apps/{{app}}/pause', {allowed}}}\n"
            f"preview: {{{look}}}\nverify: {{{look}, expect: {{path: paused, equals: true}}}}\n"
        )
        pause, back = tools(tmp_path, text)
        args, given = {"app": "cart", "minutes": 5}, handles(http())
        preview, undo = await pause.foresee(args, given)
        assert (preview.impact, preview.before) == ("paused: False", {"held": False})
        assert (undo.tool, back.name) == ("pause_undo", "pause_undo")
        assert all(each.startswith("GET ") for each in api.asked)
        await pause.run(args, given)
        assert api.asked[-1].startswith("POST /apps/cart/pause ")
        assert api.asked[-1].endswith('{"minutes": 5, "why": ["for cart"]}')
        api.answers["apps_cart"] = '{"paused": true}'
        assert (await pause.check(args, preview.before, given)).outcome == "better"
        await back.run(args, given)
        assert api.asked[-1].startswith("DELETE /apps/cart/pause ")

    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.Event().wait()

    async with tcp_server(stalls) as server:
        slow = text.replace(base, f"http://{server.place}").replace(
            allowed, f"destinations: [{server.place}]"
        )
        pause = tool(tmp_path, slow.replace("deadline: 20", "deadline: 0.3"))
        with pytest.raises(ToolUnsure, match="it may have happened"):
            await pause.run(args, handles(http()))
