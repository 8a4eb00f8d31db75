"""The tool `tls`, on real servers with good and bad certificates."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tools.network.handshake import handshake
from tools.network.signals.tls import shaken

from opssquad import Ref, Result, ToolError, asks
from opssquad.worlds.net.answers import Shaken
from opssquad.worlds.net.certificates import read
from tests.network.certificates import AT, DAY, Issued
from tests.network.servers import says, tcp_server
from tests.tools.network.probing import HERE, ROOT, ids, run

MIDDLE = ROOT.intermediate()
QUIET = says(reads="nothing", then="stall")


async def shown(own: Issued, name: str = "cart.shop", days: int = 0) -> Result:
    here = replace(HERE, now=lambda: AT + days * DAY)
    async with tcp_server(QUIET, tls=own.context()) as serving:
        return await run(handshake, here=here, host="127.0.0.1", port=serving.port, name=name)


async def test_a_good_server_is_open_and_its_days_are_counted() -> None:
    found = await shown(MIDDLE.issue("cart.shop", after=AT + 12 * DAY))
    assert ids(found) == ["net.open"]
    assert "valid for another 12 d." in found.text
    assert found.commands[0].startswith("openssl s_client -connect 127.0.0.1:")


@pytest.mark.parametrize(
    ("own", "why", "said"),
    [
        (MIDDLE.issue("cart.shop", after=AT - 12 * DAY), "expired", "CN=cart.shop was valid until"),
        (MIDDLE.issue("cart.shop", before=AT + 3 * DAY), "not_yet_valid", "in 3 d"),
        (MIDDLE.issue("pay.shop", "*.pay.shop"), "wrong_name", "it is for pay.shop, *.pay.shop"),
        (Issued.alone("cart.shop"), "self_signed", "signed by its holder alone"),
        (Issued.root("odd").issue("cart.shop"), "unknown_issuer", "comes from CN=odd, who is not trusted"),
    ],
)
async def test_a_bad_certificate_is_told_with_why_and_by_how_much(own: Issued, why: str, said: str) -> None:
    found = await shown(own)
    (signal,) = found.signals
    assert (signal.id, signal.data["why"]) == ("net.certificate", why)
    assert said in signal.text
    assert found.text.startswith(f"net.certificate: {signal.text}")


async def test_days_left_are_whole_and_negative_once_they_are_over() -> None:
    found = await shown(MIDDLE.issue("cart.shop", after=AT - 12 * DAY))
    assert found.signals[0].data["days_left"] == -12
    assert "12 d ago" in found.signals[0].text


async def test_a_chain_that_comes_from_the_future_speaks_of_the_clock() -> None:
    found = await shown(MIDDLE.issue("cart.shop"), days=-1010)
    assert ids(found) == ["net.certificate", "net.clock_skew"]
    skew = found.signals[1]
    assert str(skew.entity) == "Host//here"
    # The server's own certificate begins 30 days before AT, and the clock stands 1010 days before it.
    assert (skew.data["seconds"], skew.data["at_least"]) == (-980 * 86400, True)


async def test_one_certificate_from_the_future_does_not() -> None:
    assert ids(await shown(MIDDLE.issue("cart.shop", before=AT + DAY))) == ["net.certificate"]


@pytest.mark.parametrize(("seconds", "told"), [(59, False), (60, True), (-60, True), (40 * 86400, True)])
def test_the_clock_of_an_origin_is_held_against_the_worlds(seconds: int, told: bool) -> None:
    answer = Shaken(
        ask=asks.Shake(host="cart", origin="node/w2"), origin="node w2", at=AT,
        clock=AT + timedelta(seconds=seconds), chain=(read(ROOT.der),), protocol="TLSv1.3",
    )  # fmt: skip
    found = [each for each in shaken(answer, Ref(kind="Host", name="cart")) if each.id == "net.clock_skew"]
    assert [each.data["seconds"] for each in found] == [seconds] * told
    assert [str(each.entity) for each in found] == ["Node//w2"] * told


@pytest.mark.parametrize(
    ("talk", "signal"),
    [
        (says(b"SSH-2.0-OpenSSH_9.6\r\n", reads="some"), "net.tls_failed"),
        (says(b"\x15\x03\x03\0\2\2\x28", reads="some"), "net.tls_failed"),
        (says(reads="some"), "net.reset"),
    ],
)
async def test_a_handshake_that_fails_is_one_signal(talk: object, signal: str) -> None:
    async with tcp_server(talk) as serving:
        found = await run(handshake, host="127.0.0.1", port=serving.port)
    assert ids(found) == [signal]


async def test_a_port_out_of_range_is_one_clear_line() -> None:
    with pytest.raises(ToolError, match="port") as refusal:
        await run(handshake, host="cart", port=65536)
    assert "\n" not in str(refusal.value)
