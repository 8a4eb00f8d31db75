"""The tool `http`, on real servers."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from tools.network.http import http

from opssquad import Result, ToolError
from tests.network.certificates import AT, DAY
from tests.network.servers import Talk, closed_port, reply, says, tcp_server
from tests.tools.network.probing import ROOT, ids, run
from tools.network import http as http_tool


async def shown(talk: Talk, **args: object) -> Result:
    async with tcp_server(talk) as serving:
        return await run(http, url=f"http://127.0.0.1:{serving.port}/x", **args)


async def test_a_page_that_works_is_served() -> None:
    found = await shown(says(reply(b"hello")))
    (signal,) = found.signals
    assert (signal.id, signal.severity, signal.data["status"]) == ("net.serves", "info", 200)
    assert "body: hello" in found.text
    assert found.commands[0].startswith("curl -skvL --max-time 10 http://127.0.0.1:")


@pytest.mark.parametrize(
    ("talk", "signal", "severity"),
    [
        (says(reply(b"", "503 Service Unavailable")), "net.http_error", "critical"),
        (says(reply(b"", "404 Not Found")), "net.http_error", "warning"),
        (says(reply(b"no", "401 Unauthorized")), "net.http_denied", "warning"),
        (says(b"SSH-2.0-OpenSSH_9.6\r\n"), "net.http_error", "critical"),
        (says(reply(b"", "302 Found", location="/x")), "net.redirect_loop", "critical"),
        (says(), "net.reset", "critical"),
    ],
)
async def test_a_bad_answer_is_one_signal(talk: Talk, signal: str, severity: str) -> None:
    found = await shown(talk)
    assert [(each.id, each.severity) for each in found.signals] == [(signal, severity)]


async def test_who_accepts_and_never_answers_is_told_from_who_is_not_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_tool, "SECONDS", 0.3)
    (late,) = (await shown(says(then="stall"))).signals
    assert (late.id, late.data["opened"]) == ("net.timeout", True)
    assert "accepts connections, and does not answer in time" in late.text


@pytest.mark.parametrize(("body", "mesh"), [(b"RBAC: access denied", True), (b"forbidden", False)])
async def test_the_mesh_is_told_from_an_application_that_denies(body: bytes, mesh: bool) -> None:
    (signal,) = (await shown(says(reply(body, "403 Forbidden", server="envoy")))).signals
    assert (signal.id, signal.data["mesh"]) == ("net.http_denied", mesh)


async def test_a_certificate_that_is_wrong_is_told_beside_the_answer() -> None:
    context = ROOT.issue("127.0.0.1", after=AT - DAY).context()
    async with tcp_server(says(reply()), tls=context) as serving:
        found = await run(http, url=f"https://127.0.0.1:{serving.port}/")
    assert ids(found) == ["net.serves", "http.certificate"]
    assert found.signals[1].data["why"] == "expired"


@pytest.mark.parametrize(
    ("ahead", "age", "told"), [(0, 0, 0), (50, 0, 0), (3600, 0, 3600), (-3600, 0, -3600), (-3600, 3600, 0)]
)
async def test_the_date_of_a_reply_is_held_against_our_clock(ahead: int, age: int, told: int) -> None:
    date = format_datetime(AT + timedelta(seconds=ahead), usegmt=True)
    found = await shown(says(reply(date=date, age=str(age))))
    skews = [each for each in found.signals if each.id == "net.clock_skew"]
    assert [each.data["seconds"] for each in skews] == ([told] if told else [])


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Mar 2026 14:37:00 GMT"])
async def test_a_date_that_is_none_tells_nothing(date: str) -> None:
    assert ids(await shown(says(reply(date=date)))) == ["net.serves"]


async def test_a_closed_port_is_refused() -> None:
    with closed_port() as port:
        (signal,) = (await run(http, url=f"http://127.0.0.1:{port}/")).signals
    assert (signal.id, str(signal.entity), signal.data["port"]) == ("net.refused", "Host//127.0.0.1", port)


@pytest.mark.parametrize(
    "url", ["http://user:hunter2@cart/", "http://cart:99999/", "cart", "http://cart/\n", "gopher://cart"]
)
async def test_what_is_not_asked_for_is_one_clear_line(url: str) -> None:
    with pytest.raises(ToolError) as refusal:
        await run(http, url=url)
    assert "\n" not in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
