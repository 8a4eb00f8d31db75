"""Sends requests from this machine: each address judged before it is connected to, everything bounded."""

import asyncio
import os
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from urllib import request as standard
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from opssquad import settings
from opssquad.errors import ToolError, ToolUnsure
from opssquad.worlds.http.client import SAFE, TEXT, Reply, Request
from opssquad.worlds.net import names
from opssquad.worlds.net.here import Reach, anywhere

REDIRECTS = 5
"""Redirects of one request that are followed."""
STEP = 65_536
MOVED = (301, 302, 303, 307, 308)


class Barred(Exception):
    """An address that policy refuses; the text says why."""


@dataclass
class LiveHttp:
    """Real requests. `refuses` says why a host at an address and port may not be asked, or nothing; `trusted`
    are certificates (PEM) besides the system's; `environ` is ours where another than the real one is meant:
    its proxies are gone by, and then `refuses` is asked about the host by name, with an empty address."""

    refuses: Reach = anywhere
    trusted: str = ""
    environ: Mapping[str, str] = field(default_factory=settings.proxies)

    async def send(self, request: Request) -> Reply:
        """Ask, and follow where it may. Raises ToolError; ToolUnsure where a change was sent and its answer
        was lost."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(request.seconds):
                reply = await self._followed(request)
        except TimeoutError:
            raise _lost(request, f"did not answer whole within {request.seconds:g} s") from None
        except Barred as error:
            raise ToolError(f"{request.place} is not asked: {error}") from None
        except (OSError, aiohttp.ClientError, ValueError, asyncio.IncompleteReadError) as error:
            raise _trouble(request, error) from None
        return replace(reply, ms=(time.monotonic() - began) * 1000)

    async def _followed(self, request: Request) -> Reply:
        url = names.url(request.url)
        for _ in range(REDIRECTS + 1):
            reply = await self._one(request, url)
            target = reply.headers.get("location", "")
            if request.method not in SAFE or reply.status not in MOVED or not target:
                return reply
            there = _redirected(request, url, target)
            if (there.scheme, there.host, there.port) != (url.scheme, url.host, url.port):
                # Not its path: what a redirect carries there may be a secret.
                elsewhere = str(there).removesuffix(there.target)
                raise ToolError(
                    f"{request.place} redirects to {elsewhere}, another place, which is not followed; "
                    "name that place if it is meant"
                )
            url = there
        raise ToolError(f"{request.place} redirects more than {REDIRECTS} times")

    async def _one(self, request: Request, url: names.Url) -> Reply:
        proxy = self._proxy(url)
        if proxy or names.address(url.host):
            self._judge(url.host, "" if not names.address(url.host) else url.host, url.port)
        resolver = aiohttp.ThreadedResolver() if proxy else Judging(self._judge)
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            use_dns_cache=False,
            force_close=True,
            ssl=url.scheme == "http" or self._context(),
        )
        headers = {
            "accept": "application/json, */*;q=0.5",
            "user-agent": "opssquad",
            **request.headers,
            "accept-encoding": "gzip, deflate",
        }
        async with (
            aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session,
            session.request(
                request.method,
                URL(str(url), encoded=True),
                headers=headers,
                data=None if request.body is None else request.body.encode(errors="replace"),
                allow_redirects=False,
                proxy=proxy or None,
            ) as answer,
        ):
            body, cut = await _body(answer, request)
            return Reply(
                status=answer.status,
                reason=answer.reason or "",
                headers={name.lower(): value for name, value in answer.headers.items()},
                text=_text(body, answer.charset),
                url=str(url),
                cut=cut,
            )

    def _judge(self, host: str, address: str, port: int) -> None:
        if why := self.refuses(host, address, port):
            raise Barred(why)

    def _proxy(self, url: names.Url) -> str:
        """The proxy that the environment names for it; empty for none."""
        low = {name.lower(): value for name, value in self.environ.items() if value}
        spared = {"no": low.get("no_proxy", "")}
        # The types of the standard library leave it out.
        if standard.proxy_bypass_environment(f"{url.host}:{url.port}", spared):  # type: ignore[attr-defined]
            return ""
        return low.get(f"{url.scheme}_proxy", "")

    def _context(self) -> ssl.SSLContext:
        # It reads SSL_CERT_FILE and SSL_CERT_DIR by itself.
        context = ssl.create_default_context()
        if self.trusted:
            context.load_verify_locations(cadata=self.trusted)
        return context


class Judging(AbstractResolver):
    """Names looked up as the system does; addresses that are refused are none."""

    def __init__(self, judge: Callable[[str, str, int], None]) -> None:
        self._judge = judge
        self._system = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """The addresses that may be asked. Raises Barred where none may."""
        kept, barred = [], None
        for each in await self._system.resolve(host, port, family=family):  # type: ignore[arg-type]
            try:
                self._judge(host, str(ip_address(each["host"].partition("%")[0])), port)
            except Barred as error:
                barred = error
            else:
                kept.append(each)
        if barred and not kept:
            raise barred
        return kept

    async def close(self) -> None:
        """Nothing is open."""


def _redirected(request: Request, url: names.Url, target: str) -> names.Url:
    try:
        return names.url(urljoin(str(url), target).partition("#")[0])
    except (ToolError, ValueError):
        # Not repeated: what a redirect carries may be a secret.
        raise ToolError(f"{request.place} redirects to what is no URL that is asked for") from None


async def _body(answer: aiohttp.ClientResponse, request: Request) -> tuple[bytes, bool]:
    """The body, unpacked, up to the cap, and whether there was more."""
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", "deflate", ""):
        raise ToolError(f"{request.place} answers packed as {coding[:40]!r}, which was not asked for")
    # 47: gzip or zlib, whichever it is.
    unpacker = None if coding in ("identity", "") else zlib.decompressobj(47)
    found = bytearray()
    while len(found) <= request.cap and (piece := await answer.content.read(STEP)):
        if unpacker is None:
            found += piece
            continue
        try:
            # What is above the bound is not unpacked at all.
            found += unpacker.decompress(piece, request.cap + 1 - len(found))
        except zlib.error:
            raise ToolError(f"{request.place} answers what says it is {coding} and is not") from None
    return bytes(found[: request.cap]), len(found) > request.cap


def _text(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or TEXT, errors="replace")
    except (LookupError, ValueError):
        # It names no encoding, or one that not all bytes are.
        return body.decode(TEXT, errors="replace")


def _lost(request: Request, said: str) -> ToolError:
    if request.method in SAFE:
        return ToolError(f"{request.place} {said}", blind=True)
    return ToolUnsure(f"{request.place} {said}: it may have happened; look before it is asked for again")


def _trouble(request: Request, error: Exception) -> ToolError:
    """What went wrong, in one line that shows nothing of what was sent."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            inner = error.certificate_error
            why = getattr(inner, "verify_message", "") or "it does not verify"
            return ToolError(
                f"{request.place}: its certificate is not trusted ({why}); set SSL_CERT_FILE", blind=True
            )
        case aiohttp.ClientProxyConnectionError():
            return ToolError(f"{request.place}: the proxy of the environment cannot be reached", blind=True)
        case aiohttp.ClientHttpProxyError():
            return ToolError(f"{request.place}: the proxy answers {error.status} to it", blind=True)
        case aiohttp.ClientConnectorDNSError():
            return ToolError(f"{request.place}: its name cannot be resolved; check DNS or VPN", blind=True)
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return ToolError(f"{request.place}: TLS fails there; check its port and scheme", blind=True)
        case aiohttp.ClientConnectorError():
            why = os.strerror(error.os_error.errno) if error.os_error.errno else "no connection"
            return ToolError(f"{request.place} cannot be reached ({why})", blind=True)
        case aiohttp.InvalidURL():
            return ToolError(f"{request.place} cannot be asked: the proxy of the environment is no URL")
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return _lost(request, "answers what is no HTTP, or broke off in the middle of it")
    return _lost(request, "closed the connection before it answered")
