"""The same probe several times: counts and percentiles are computed, and the answers keep their order."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opssquad.errors import ToolError
from opssquad.worlds.net import asks, series
from opssquad.worlds.net.answers import Connected, End
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.live import Live
from tests.network.servers import says, tcp_server

ASK = asks.Connect(host="cart", port=80)
AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def answer(ms: float = 1.0, end: End = "ok") -> Connected:
    return Connected(ask=ASK, origin="here", at=AT, ms=ms, end=end)


def test_loss_counts_what_nothing_came_back_for_and_refusals_are_none() -> None:
    found = series.spread([*[answer()] * 13, *[answer(end="timeout")] * 6, answer(end="refused")])
    assert (found.sent, found.good, found.lost, found.loss) == (20, 13, 6, 30.0)
    assert found.ends == {"timeout": 6, "refused": 1}


def test_percentiles_are_times_that_were_measured() -> None:
    found = series.spread([answer(float(ms)) for ms in range(1, 21)])
    assert (found.least, found.p50, found.p95, found.most) == (1.0, 10.0, 19.0, 20.0)


def test_jitter_is_the_mean_step_from_one_to_the_next() -> None:
    assert series.spread([answer(ms) for ms in (10.0, 14.0, 8.0)]).jitter == 5.0
    assert series.spread([answer(10.0)]).jitter == 0.0


def test_times_of_what_failed_do_not_count() -> None:
    found = series.spread([answer(2.0), answer(5000.0, "timeout")])
    assert (found.most, found.p95, found.loss) == (2.0, 2.0, 50.0)


def test_a_series_of_nothing_but_failures_has_no_times() -> None:
    line = series.spread([answer(end="timeout")] * 4).line()
    assert line == "0 of 4 ok (4 timeout), loss 100 %"


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=20))
def test_percentiles_never_go_down(times: list[float]) -> None:
    found = series.spread([answer(each) for each in times])
    assert found.least <= found.p50 <= found.p95 <= found.most
    assert {found.p50, found.p95} <= set(times)


async def test_answers_keep_the_order_of_asking_however_they_end() -> None:
    asked = iter(range(5))

    async def probe(ask: asks.Connect) -> Connected:
        number = next(asked)
        await asyncio.sleep((5 - number) * 0.002)
        return answer(float(number))

    found = await series.repeated(probe, ASK, 5, at_once=True)
    assert [each.ms for each in found] == [0.0, 1.0, 2.0, 3.0, 4.0]


async def test_all_at_once_are_under_way_before_the_first_is_over() -> None:
    running = 0

    async def probe(ask: asks.Connect) -> Connected:
        nonlocal running
        running += 1
        while running < 20:
            await asyncio.sleep(0)
        return answer()

    assert len(await series.repeated(probe, ASK, 20, at_once=True)) == 20


async def test_one_after_another_there_is_never_more_than_one_under_way() -> None:
    under_way, most = 0, 0

    async def probe(ask: asks.Connect) -> Connected:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return answer()

    assert len(await series.repeated(probe, ASK, 4)) == 4
    assert most == 1


@pytest.mark.parametrize("times", [0, 21, -1])
async def test_no_series_is_empty_or_a_flood(times: int) -> None:
    with pytest.raises(ToolError, match=f"repeated 1 to 20 times, not {times}"):
        await series.repeated(Live(Here()).probe, ASK, times)


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_cannot_be_asked_is_told_once_as_it_is(at_once: bool) -> None:
    ask = asks.Connect(host="a/b", port=80)
    with pytest.raises(ToolError, match="'a/b' is no host"):
        await series.repeated(Live(Here()).probe, ask, 3, at_once=at_once)


async def test_twenty_connections_to_a_real_server_are_all_good_and_quoted() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        ask = asks.Connect(host=server.address, port=server.port)
        found = await series.repeated(Live(Here()).probe, ask, 20, at_once=True)
    assert series.spread(found).good == 20
    assert series.quote(found).text in series.source(found).text.splitlines()
    assert series.quote(found).locator == series.source(found).locator
