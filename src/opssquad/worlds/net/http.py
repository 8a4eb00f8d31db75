"""HTTP from here: a request, the redirects after it, and how long each part took."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import urljoin, urlsplit

from opssquad.errors import ToolError
from opssquad.worlds.net import names
from opssquad.worlds.net.answers import Fetched, Step, Verdict
from opssquad.worlds.net.asks import Fetch
from opssquad.worlds.net.exchange import Reply, exchange
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.streams import Plain, Stream
from opssquad.worlds.net.tcp import Failed, Tries, open_tcp, since
from opssquad.worlds.net.tls import Secured, judged

REDIRECTS = (301, 302, 303, 307, 308)


@dataclass
class _Going:
    """One request while it is under way."""

    url: names.Url
    reply: Reply = field(default_factory=Reply)
    began: float = field(default_factory=time.perf_counter)
    address: str = ""
    resolve_ms: float = 0.0
    connect_ms: float = 0.0
    tls_ms: float = 0.0
    tries: Tries = field(default_factory=Tries)
    stage: str = ""

    def step(self) -> Step:
        """What is known of it by now."""
        reply = self.reply
        return Step(
            url=str(self.url), address=self.address, tried=self.tries.tried,
            status=reply.status, reason=reply.reason, headers=reply.headers,
            resolve_ms=self.resolve_ms, connect_ms=self.connect_ms,
            tls_ms=self.tls_ms, first_byte_ms=reply.first_byte_ms, total_ms=since(self.began),
            size=reply.size, cut=reply.cut,
        )  # fmt: skip


class _Walk:
    """The requests of a probe. What is done stays when the last one fails."""

    def __init__(self, ask: Fetch, here: Here, at: datetime) -> None:
        self._ask, self._here, self._at = ask, here, at
        self._start = names.url(ask.url)
        self._host = names.host(ask.host) if ask.host else ""
        self.steps: list[Step] = []
        self.faults: list[Verdict] = []
        self.going: _Going | None = None
        self.body = ""

    async def walk(self) -> None:
        """Ask, and follow. Raises Failed."""
        url, seen = self._start, {str(self._start)}
        while True:
            reply = await self._one(url)
            where = reply.location
            if reply.status not in REDIRECTS or not where or not self._ask.follow:
                return
            url = onward(url, where)
            if str(url) in seen:
                raise Failed("too_much", f"it redirects in a circle: {url} was asked for before")
            if len(self.steps) > self._ask.follow:
                raise Failed("too_much", f"it redirects on after {self._ask.follow} redirects, to {url}")
            seen.add(str(url))

    async def _one(self, url: names.Url) -> Reply:
        going = self.going = _Going(url)
        opened = await open_tcp(url.host, url.port, self._ask.family, self._here, going.tries)
        try:
            going.address, going.resolve_ms = opened.address, opened.resolve_ms
            going.connect_ms = opened.connect_ms
            stream: Stream = Plain(opened.socket)
            # The name that was given stands for the place that was given, not for where that leads.
            host = self._host if (url.host, url.port) == (self._start.host, self._start.port) else ""
            if url.scheme == "https":
                stream = await self._secure(Plain(opened.socket), host or url.host, going)
            going.stage = "the request"
            await exchange(stream, self._ask.method, url.target, _authority(url, host), going.reply)
        finally:
            opened.socket.close()
        self.done()
        return going.reply

    async def _secure(self, plain: Plain, name: str, going: _Going) -> Secured:
        going.stage = "the TLS handshake"
        secured = Secured(plain, name, (b"http/1.1",))
        began = time.perf_counter()
        await secured.handshake()
        going.tls_ms = since(began)
        found = judged(secured, secured.chain(), name, self._at, self._here)
        self.faults += [each for each in found if each not in self.faults]
        return secured

    def done(self) -> None:
        """Keep what is under way, whole or not."""
        if self.going and self.going.address:
            self.steps.append(self.going.step())
            self.body = self.going.reply.text
        self.going = None


async def fetch(ask: Fetch, here: Here) -> Fetched:
    """Make the request and follow its redirects. Certificates that are wrong do not stop it: it carries no
    secret, and what stands behind them is what is asked for."""
    began, at = time.perf_counter(), here.now()
    walk = _Walk(ask, here, at)
    failed: Failed | None = None
    try:
        async with asyncio.timeout(ask.seconds):
            await walk.walk()
    except TimeoutError:
        failed = _late(walk.going, ask.seconds)
    except Failed as error:
        failed = error
    end, why = (failed.end, failed.why) if failed else ("ok", "")
    if why and walk.going and walk.steps:
        why = f"{walk.going.url}: {why}"
    walk.done()
    answer = partial(Fetched, ask=ask, origin=here.words, at=at, end=end, why=why, ms=since(began))
    return answer(steps=tuple(walk.steps), body=walk.body, faults=tuple(walk.faults))


def _late(going: _Going | None, seconds: float) -> Failed:
    if going is None or not going.stage:
        return (going.tries if going else Tries()).late(seconds)
    if not going.reply.status:
        return Failed("timeout", f"no answer to {going.stage} in {seconds:g} s")
    said = f"the headers came, then {going.reply.size} bytes of the body and no end in {seconds:g} s"
    return Failed("timeout", said)


def _authority(url: names.Url, host: str) -> str:
    """The Host header: the name asked for, with the port where it is not the usual one."""
    name = (host or url.host).partition("%")[0]
    shown = f"[{name}]" if ":" in name else name
    return shown if url.port == names.PORTS[url.scheme] else f"{shown}:{url.port}"


def onward(url: names.Url, where: str) -> names.Url:
    """Where a redirect leads. Raises Failed."""
    try:
        parts = urlsplit(urljoin(str(url), where))
        # A name and password that a server gives are nobody's to use.
        return names.url(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    except (ToolError, ValueError) as error:
        raise Failed("malformed", f"it redirects to what is not asked for: {error}") from error
