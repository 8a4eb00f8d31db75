"""The tools `connect` and `ping`: on real sockets, and their signals as functions of answers."""

import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tools.network._told import unasked
from tools.network.connect import connect, ping
from tools.network.signals.series import several
from tools.network.signals.tcp import connected

from opssquad import Ref, ToolError, asks
from opssquad.worlds.net.answers import Connected, Echoed, End
from tests.network.servers import says, tcp_server
from tests.tools.network.probing import HERE, ids, run
from tests.worlds.net.test_tcp import free_port

ABOUT = Ref(kind="Service", namespace="shop", name="cart")
AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def answer(end: End = "ok", ms: float = 1.0, origin: str = "", **more: object) -> Connected:
    ask = asks.Connect(host="cart", port=80, origin=origin)
    told = {"ask": ask, "origin": f"from {origin or 'here'}", "at": AT, "end": end, "ms": ms}
    return Connected.model_validate({**told, "address": "10.0.0.7", **more})


async def test_a_server_is_open_and_that_is_told_with_its_address() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        found = await run(connect, host="127.0.0.1", port=server.port)
    assert ids(found) == ["net.open"]
    assert found.data["end"] == "ok"
    assert found.signals[0].data["address"] == "127.0.0.1"
    assert found.commands == (f"nc -vz -w 5 127.0.0.1 {server.port}",)


async def test_a_port_that_nobody_listens_at_is_refused() -> None:
    found = await run(connect, host="127.0.0.1", port=free_port())
    assert ids(found) == ["net.refused"]
    assert "connection refused" in found.text


async def test_where_nobody_was_asked_the_result_says_so_and_names_who() -> None:
    found = await run(connect, host="cart.shop.svc", port=80)
    assert [each["what"] for each in found.data["unasked"]] == ["cart.shop.svc"]
    assert "unasked" not in (await run(connect, host="127.0.0.1", port=free_port())).data


@pytest.mark.parametrize("end", ["denied", "not_possible", "not_recorded"])
def test_one_place_that_was_asked_is_enough_for_an_answer(end: End) -> None:
    assert unasked([answer(end, why="so it is"), answer("refused")]) == {}
    assert unasked([answer(end, why="so it is")])["unasked"][0]["why"] == "so it is"


async def test_several_connections_tell_percentiles_computed_from_them() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        found = await run(connect, host="127.0.0.1", port=server.port, times=12)
    assert ids(found) == ["net.open"]
    assert (found.data["sent"], found.data["ok"], found.data["loss"]) == (12, 12, 0.0)
    assert found.data["p50"] <= found.data["p95"] <= found.data["max"]
    assert "12 of 12 ok, loss 0 %" in found.text


def test_a_port_that_drops_all_is_a_timeout_and_no_loss() -> None:
    assert [each.id for each in several([answer("timeout")] * 10, ABOUT)] == ["net.timeout"]


async def test_what_ends_alike_each_time_is_tried_once() -> None:
    asked: list[int] = []

    def refuses(host: str, address: str, port: int) -> str:
        asked.append(port)
        return "not that one"

    found = await run(connect, here=replace(HERE, refuses=refuses), host="127.0.0.1", port=9, times=20)
    assert (ids(found), found.data["end"], asked) == ([], "denied", [9])


@pytest.mark.parametrize("times", [0, 21])
async def test_a_series_has_bounds(times: int) -> None:
    with pytest.raises(ToolError, match="times"):
        await run(connect, host="127.0.0.1", port=80, times=times)


@pytest.mark.skipif(sys.platform != "linux", reason="without rights only Linux lets ping, or tells of UDP")
async def test_a_ping_to_this_machine_loses_nothing() -> None:
    found = await run(ping, host="127.0.0.1", times=2)
    assert ids(found) == []
    assert (found.data["sent"], found.data["loss"]) == (2, 0.0)
    assert found.commands == ("ping -c 2 127.0.0.1",)


def test_a_loss_is_named_by_its_percentage_from_ten_probes_on() -> None:
    (loss, opened) = several([*[answer()] * 14, *[answer("timeout")] * 6], ABOUT)
    assert (loss.id, loss.data["loss"], loss.data["lost"], loss.entity) == ("net.loss", 30.0, 6, ABOUT)
    assert loss.text.startswith("30 % of 20 probes")
    assert opened.id == "net.open"
    few = several([*[answer()] * 8, answer("timeout")], ABOUT)
    assert [each.id for each in few] == ["net.open"]


def test_a_loss_from_a_node_is_about_the_node() -> None:
    found = [*[answer(origin="node/w2")] * 9, answer("timeout", origin="node/w2")]
    loss = next(iter(several(found, ABOUT)))
    assert (str(loss.entity), loss.data["host"], loss.data["origin"]) == ("Node//w2", "cart", "node/w2")


def test_a_loss_tells_how_long_the_others_took_and_which_node_they_came_from() -> None:
    times = [*range(1, 19), "timeout", "timeout"]
    found = [
        answer("timeout", origin="node/w2") if each == "timeout" else answer(ms=float(each), origin="node/w2")
        for each in times
    ]
    data = next(iter(several(found, ABOUT))).data
    assert (data["sent"], data["lost"], data["percent"], data["node"]) == (20, 2, 10.0, "w2")
    # By nearest rank, of 18: the 9th and the 18th.
    assert (data["p50"], data["p95"]) == (9.0, 18.0)
    here = next(iter(several([*[answer()] * 9, answer("timeout")], ABOUT)))
    assert (here.data["node"], here.entity) == ("", ABOUT)


def test_echoes_by_udp_tell_no_loss_for_hosts_answer_only_some_of_them() -> None:
    echo = Echoed(ask=asks.Echo(host="cart"), origin="here", at=AT, how="udp")
    lost = echo.model_copy(update={"end": "timeout"})
    assert list(several([echo] * 13 + [lost] * 7, ABOUT, silence=False)) == []
    icmp = [each.model_copy(update={"how": "icmp"}) for each in [echo] * 13 + [lost] * 7]
    assert [each.id for each in several(icmp, ABOUT, silence=False)] == ["net.loss"]


def test_some_refusals_among_answers_are_told_with_how_many() -> None:
    refused, opened = several([*[answer()] * 6, *[answer("refused")] * 3], ABOUT)
    assert (refused.id, refused.data["times"], refused.data["sent"]) == ("net.refused", 3, 9)
    assert opened.data["address"] == "10.0.0.7"


def test_echoes_that_all_vanish_are_no_fact_about_the_host() -> None:
    echo = Echoed(ask=asks.Echo(host="cart"), origin="here", at=AT, end="timeout")
    assert list(several([echo] * 10, ABOUT, silence=False)) == []
    good = echo.model_copy(update={"end": "ok"})
    assert [each.id for each in several([good] * 9 + [echo], ABOUT, silence=False)] == ["net.loss"]


def test_what_takes_more_than_a_second_is_slow_by_its_part() -> None:
    slow = [each for each in connected(answer(ms=1500.0), ABOUT) if each.id == "net.slow"]
    assert [(each.data["part"], each.data["ms"]) for each in slow] == [("connect", 1500.0)]
    slow = [each for each in connected(answer(resolve_ms=2000.0), ABOUT) if each.id == "net.slow"]
    assert [each.data["part"] for each in slow] == ["resolve"]
    timeout = connected(answer("timeout", ms=5000.0), ABOUT)
    assert [each.id for each in timeout] == ["net.timeout"]
    tail = several([*[answer()] * 9, answer(ms=1200.0)], ABOUT)
    assert [each.id for each in tail] == ["net.slow", "net.open"]


def test_what_we_may_not_or_cannot_do_is_no_signal() -> None:
    ends: tuple[End, ...] = ("denied", "not_possible", "not_recorded")
    assert [list(connected(answer(end), ABOUT)) for end in ends] == [[], [], []]
