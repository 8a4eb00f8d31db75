"""TLS from here: one handshake with real servers, whatever is wrong with them."""

import asyncio
import ssl
from pathlib import Path

import pytest

from opssquad.worlds.net.answers import Shaken
from opssquad.worlds.net.asks import Shake
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.telling import lines
from opssquad.worlds.net.tls import shake
from tests.network.certificates import AT, DAY, Issued
from tests.network.servers import Talk, closed_port, handshakes, says, tcp_server

ROOT = Issued.root()
MIDDLE = ROOT.intermediate()
GOOD = MIDDLE.issue("cart.shop", "127.0.0.1", "::1")
HERE = Here(words="here (test)", now=lambda: AT, trusted=ROOT.pem)
QUIET = says(reads="nothing", then="stall")


async def shaken(
    own: Issued | ssl.SSLContext, name: str = "cart.shop", here: Here = HERE, address: str = "127.0.0.1"
) -> Shaken:
    context = own.context() if isinstance(own, Issued) else own
    async with tcp_server(QUIET, address, tls=context) as serving:
        return await shake(Shake(host=serving.address, port=serving.port, name=name), here)


async def plainly(talk: Talk, seconds: float = 5.0) -> Shaken:
    async with tcp_server(talk) as serving:
        return await shake(Shake(host="127.0.0.1", port=serving.port, seconds=seconds), HERE)


async def test_a_good_server_tells_protocol_cipher_and_chain() -> None:
    found = await shaken(GOOD)
    assert (found.end, found.faults, found.protocol) == ("ok", (), "TLSv1.3")
    assert found.cipher.startswith("TLS_")
    assert [each.subject for each in found.chain] == ["CN=cart.shop", "CN=test intermediate"]
    assert (found.clock, found.at, found.address) == (AT, AT, "127.0.0.1")
    assert found.ms >= found.tls_ms > 0


@pytest.mark.parametrize(
    ("own", "name", "faults"),
    [
        (MIDDLE.issue("cart.shop", after=AT - DAY), "cart.shop", ("expired",)),
        (MIDDLE.issue("cart.shop", before=AT + DAY), "cart.shop", ("not_yet_valid",)),
        (MIDDLE.issue("cart.shop"), "pay.shop", ("wrong_name",)),
        (Issued.alone("cart.shop"), "cart.shop", ("self_signed",)),
        (Issued.root("other").issue("cart.shop"), "cart.shop", ("unknown_issuer",)),
        (Issued.alone("pay.shop", after=AT - DAY), "cart.shop", ("expired", "wrong_name", "self_signed")),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_told_and_the_chain_all_the_same(
    own: Issued, name: str, faults: tuple[str, ...]
) -> None:
    found = await shaken(own, name)
    assert (found.end, found.faults) == ("ok", faults)
    assert found.chain[0].pem == own.pem
    assert f"wrong with it: {', '.join(faults)}" in lines(found)


async def test_dates_go_by_the_clock_of_the_world() -> None:
    early = Here(words="here", now=lambda: AT - 40 * DAY, trusted=ROOT.pem)
    found = await shaken(GOOD, here=early)
    assert (found.faults, found.clock) == (("not_yet_valid",), AT - 40 * DAY)


async def test_the_name_is_asked_for_and_an_address_is_not() -> None:
    asked: list[str | None] = []
    context = GOOD.context()
    context.sni_callback = lambda tls, name, _: asked.append(name)
    found = await shaken(context, "cart.shop")
    assert found.faults == ()
    found = await shaken(context, "")
    assert found.faults == ()
    found = await shaken(context, "", address="::1")
    assert found.faults == ()
    assert asked == ["cart.shop", None, None]


async def test_an_old_protocol_is_seen_and_weak() -> None:
    context = GOOD.context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    found = await shaken(context)
    assert (found.end, found.protocol, found.faults) == ("ok", "TLSv1.1", ("weak",))


@pytest.mark.parametrize(
    ("number", "name"),
    [(40, "handshake failure"), (70, "protocol version"), (112, "unrecognized name"), (222, "alert 222")],
)
async def test_an_alert_is_told_by_its_name(number: int, name: str) -> None:
    found = await plainly(says(b"\x15\x03\x03\0\2\2" + bytes([number]), reads="some"))
    assert (found.end, found.alert) == ("refused_tls", name)
    assert found.why == f"it sent the alert: {name}"
    assert f"alert {name}" in lines(found)


@pytest.mark.parametrize(
    ("talk", "end", "why"),
    [
        (says(b"SSH-2.0-OpenSSH_9.6\r\n", reads="some"), "malformed",
         "it does not speak TLS here, it said: SSH-2.0-OpenSSH_9.6"),
        (says(b"\x16\x03\x03\xff\xff" + b"\0" * 64, reads="some", then="stall"), "malformed",
         "its TLS is not understood"),
        (says(reads="some"), "closed", "it hung up without a word"),
        (says(b"\x16\x03", reads="some"), "closed", "it hung up in the middle of the handshake"),
        (says(reads="some", then="reset"), "reset", "connection reset by peer"),
    ],
)  # fmt: skip
async def test_a_peer_that_does_not_do_tls_is_one_clear_line(talk: Talk, end: str, why: str) -> None:
    found = await plainly(talk)
    assert found.end == end
    assert why in found.why
    assert "\n" not in found.why


async def test_a_name_that_the_server_does_not_know_is_refused_by_alert() -> None:
    context = GOOD.context()
    context.sni_callback = lambda *given: int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
    found = await plainly(handshakes(context))
    assert (found.end, found.alert) == ("refused_tls", "unrecognized name")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("wants", [True, False])
async def test_a_server_that_asks_for_a_certificate_of_ours_is_told(
    version: ssl.TLSVersion, wants: bool
) -> None:
    context = GOOD.context()
    context.maximum_version = version
    context.verify_mode = ssl.CERT_OPTIONAL if wants else ssl.CERT_NONE
    found = await shaken(context)
    assert (found.end, found.faults, found.wants_certificate) == ("ok", (), wants)
    assert ("the server asks for a certificate of the client" in lines(found)) is wants


async def test_a_peer_that_stalls_is_a_timeout_of_the_handshake() -> None:
    found = await plainly(QUIET, seconds=0.2)
    assert (found.end, found.why) == ("timeout", "no answer to the handshake in 0.2 s")
    assert found.address == "127.0.0.1"


async def test_a_closed_port_is_refused() -> None:
    with closed_port() as port:
        found = await shake(Shake(host="127.0.0.1", port=port), HERE)
    assert (found.end, found.why) == ("refused", "connection refused")


def hello(certificate: bytes) -> bytes:
    """What a TLS 1.2 server says first, with those bytes for its certificate."""

    def message(kind: int, body: bytes) -> bytes:
        return bytes([kind]) + len(body).to_bytes(3, "big") + body

    listed = len(certificate).to_bytes(3, "big") + certificate
    renegotiates = b"\xff\x01\0\1\0"
    said = message(2, b"\x03\x03" + bytes(32) + b"\0\xc0\x2f\0" + b"\0\5" + renegotiates)
    said += message(11, len(listed).to_bytes(3, "big") + listed)
    return b"\x16\x03\x03" + len(said).to_bytes(2, "big") + said


async def test_a_certificate_that_does_not_parse_is_broken_in_one_line() -> None:
    found = await plainly(says(hello(b"this is no certificate"), reads="some", then="stall"))
    assert (found.end, found.faults) == ("malformed", ("broken",))
    assert found.why.startswith("its certificate cannot be read: ")
    assert found.chain[0].problem
    assert found.chain[0].pem == ""


async def test_a_handshake_that_is_cancelled_leaves_no_socket() -> None:
    connected = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        connected.set()
        await asyncio.Event().wait()

    before = len(list(Path("/proc/self/fd").iterdir()))
    async with tcp_server(talk) as serving:
        task = asyncio.create_task(shake(Shake(host="127.0.0.1", port=serving.port), HERE))
        await connected.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
