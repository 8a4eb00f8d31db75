"""TLS from here: one handshake, whatever is wrong with the certificates, and a stream over it."""

import asyncio
import contextlib
import time
from datetime import datetime
from functools import partial

from OpenSSL import SSL, crypto

from opssquad.worlds.net.answers import Certificate, End, Shaken, Verdict
from opssquad.worlds.net.asks import Shake
from opssquad.worlds.net.certificates import faults, read, system_trust
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.names import address as as_address
from opssquad.worlds.net.names import host as as_host
from opssquad.worlds.net.streams import AT_ONCE, Plain, printable
from opssquad.worlds.net.tcp import Failed, Opened, Tries, open_tcp, since

ALERT, HANDSHAKE = 0x15, 0x16
"""Types of records that a server may begin with."""
OLD = ("SSLv3", "TLSv1", "TLSv1.1")
"""Protocols that today's clients refuse (RFC 8996)."""
ALERTS = {
    0: "close notify", 10: "unexpected message", 20: "bad record mac", 22: "record overflow",
    40: "handshake failure", 42: "bad certificate", 43: "unsupported certificate", 44: "certificate revoked",
    45: "certificate expired", 46: "certificate unknown", 47: "illegal parameter", 48: "unknown ca",
    49: "access denied", 50: "decode error", 51: "decrypt error", 70: "protocol version",
    71: "insufficient security", 80: "internal error", 86: "inappropriate fallback", 90: "user canceled",
    109: "missing extension", 110: "unsupported extension", 112: "unrecognized name",
    113: "bad certificate status response", 115: "unknown psk identity", 116: "certificate required",
    120: "no application protocol",
}  # fmt: skip
"""Alerts by number, RFC 8446 section 6."""


class Unfinished(Failed):
    """A handshake that failed: `alert` is what the peer said, `unreadable` why its certificate is none."""

    def __init__(self, end: End, why: str, alert: str = "", unreadable: str = "") -> None:
        super().__init__(end, why)
        self.alert, self.unreadable = alert, unreadable


class Secured:
    """A stream over TLS; certificates are the caller's to judge. `wants_certificate`: the server asks for
    one of ours."""

    def __init__(self, plain: Plain, name: str, protocols: tuple[bytes, ...] = ()) -> None:
        self._plain = plain
        self._alert = ""
        self.wants_certificate = False
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        # What is old or weak is told; a client that refused it would see nothing.
        context.set_min_proto_version(SSL.TLS1_VERSION)
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        context.set_verify(SSL.VERIFY_NONE)
        context.set_info_callback(self._heard)
        if protocols:
            context.set_alpn_protos(list(protocols))
        self._tls = SSL.Connection(context)
        if not as_address(name):
            self._tls.set_tlsext_host_name(name.rstrip(".").encode())
        self._tls.set_connect_state()

    def _heard(self, tls: SSL.Connection, where: int, value: int) -> None:
        if where == SSL.SSL_CB_READ_ALERT and value & 0xFF:
            self._alert = ALERTS.get(value & 0xFF, f"alert {value & 0xFF}")
        if where == SSL.SSL_CB_CONNECT_LOOP and b"certificate request" in tls.get_state_string():
            self.wants_certificate = True

    @property
    def protocol(self) -> str:
        """`TLSv1.3`, say."""
        return self._tls.get_protocol_version_name()

    @property
    def cipher(self) -> str:
        """Its name as OpenSSL has it."""
        return self._tls.get_cipher_name() or ""

    def chain(self) -> tuple[Certificate, ...]:
        """The certificates that the peer sent, its own first."""
        sent = self._tls.get_peer_cert_chain() or ()
        return tuple(read(crypto.dump_certificate(crypto.FILETYPE_ASN1, each)) for each in sent)

    async def handshake(self) -> None:
        """Do it. Raises Failed."""
        first = True
        while True:
            try:
                self._tls.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                await self._feed(first)
                first = False
            except SSL.Error as error:
                # Our alert is a courtesy; a peer that is gone need not hear it.
                with contextlib.suppress(Failed):
                    await self._flush()
                raise self._failed(error) from error
            else:
                return await self._flush()

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        self._tls.sendall(data)
        await self._flush()

    async def receive(self) -> bytes:
        """What comes next; nothing at the end, whether or not the peer said that it is one."""
        while True:
            try:
                return self._tls.recv(AT_ONCE)
            except SSL.WantReadError:
                await self._flush()
                if not (data := await self._plain.receive()):
                    return b""
                self._tls.bio_write(data)
            except SSL.ZeroReturnError:
                return b""
            except SSL.Error as error:
                raise self._failed(error) from error

    async def _flush(self) -> None:
        while True:
            try:
                data = self._tls.bio_read(AT_ONCE)
            except SSL.WantReadError:
                return
            await self._plain.send(data)

    async def _feed(self, first: bool) -> None:
        data = await self._plain.receive()
        if not data:
            said = "without a word" if first else "in the middle of the handshake"
            raise Failed("closed", f"it hung up {said}")
        if first and data[0] not in (ALERT, HANDSHAKE):
            raise Failed("malformed", f"it does not speak TLS here, it said: {printable(data)}")
        self._tls.bio_write(data)

    def _failed(self, error: SSL.Error) -> Unfinished:
        told = error.args[0] if error.args and isinstance(error.args[0], list) else []
        reasons = [str(reason) for _, _, reason in told if reason]
        if self._alert:
            return Unfinished("refused_tls", f"it sent the alert: {self._alert}", alert=self._alert)
        why = ", ".join(dict.fromkeys(reasons)) or "the handshake failed"
        if any("asn1" in str(library).lower() for library, _, _ in told):
            return Unfinished("malformed", f"its certificate cannot be read: {why}", unreadable=why)
        return Unfinished("malformed", f"its TLS is not understood: {why}")


def judged(
    secured: Secured, chain: tuple[Certificate, ...], name: str, at: datetime, here: Here
) -> tuple[Verdict, ...]:
    """What is wrong with the certificates and the protocol of a connection."""
    found = faults(chain, name, at, system_trust(here.trusted))
    old = secured.protocol in OLD and "weak" not in found
    return (*found, "weak") if old else found


async def shake(ask: Shake, here: Here) -> Shaken:
    """Connect, do a handshake, read the certificates, and close."""
    began, at = time.perf_counter(), here.now()
    name = as_host(ask.name or ask.host)
    answer = partial(Shaken, ask=ask, origin=here.words, at=at, clock=at)
    opened: Opened | None = None
    tries = Tries()
    try:
        async with asyncio.timeout(ask.seconds):
            opened = await open_tcp(ask.host, ask.port, ask.family, here, tries)
            answer = partial(answer, address=opened.address, connect_ms=opened.connect_ms)
            secured = Secured(Plain(opened.socket), name)
            middle = time.perf_counter()
            await secured.handshake()
            tls_ms = since(middle)
    except TimeoutError:
        failed = tries.late(ask.seconds)
        why = f"no answer to the handshake in {ask.seconds:g} s" if opened else failed.why
        return answer(end=failed.end, ms=since(began), why=why)
    except Unfinished as failed:
        unread = (Certificate(problem=failed.unreadable),) if failed.unreadable else ()
        return answer(
            end=failed.end, ms=since(began), why=failed.why, alert=failed.alert,
            chain=unread, faults=("broken",) if unread else (),
        )  # fmt: skip
    except Failed as failed:
        return answer(end=failed.end, ms=since(began), why=failed.why)
    finally:
        if opened:
            opened.socket.close()
    chain = secured.chain()
    return answer(
        ms=since(began), protocol=secured.protocol, cipher=secured.cipher, chain=chain, tls_ms=tls_ms,
        wants_certificate=secured.wants_certificate,
        faults=judged(secured, chain, name, at, here),
    )  # fmt: skip
