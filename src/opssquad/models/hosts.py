"""The host, port and URL that an utterance names, as they may be probed; pure.

Names that only a cluster resolves are left out: from elsewhere a probe of them tells nothing.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from opssquad.types import Json

URL = re.compile(r"\bhttps?://[^\s<>\"'`,;]+", re.IGNORECASE)
HOST = re.compile(
    r"(?<![\w@/.-])(?P<host>(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}|\d{1,3}(?:\.\d{1,3}){3})"
    r"(?::(?P<port>\d{1,5}))?(?![\w-]|\.\w)",
)
SIX = re.compile(
    r"(?<![\w:.\[-])(?:\[(?P<host>[\da-f:.]+(?:%[\w.-]+)?)\](?::(?P<port>\d{1,5}))?|(?P<bare>[\da-f]*:[\da-f:.]*[\da-f:]))"
    r"(?![\w:])",
    re.IGNORECASE,
)
"""What may be an address of IPv6: in brackets with or without a port, or alone."""
ADDRESS = re.compile(r"[\d.]+|.*:.*")
INSIDE = re.compile(r"\.svc(\.|$)|\.(local|internal)$", re.IGNORECASE)
FILES = frozenset(["yaml", "yml", "json", "log", "txt", "conf", "cfg", "py", "go", "js", "ts", "sh", "md"])
"""Last parts of names that are files."""
WEB = (80, 443, 8080, 8443)
"""Ports where a request tells all that a connection does, and more."""
PLAIN = {80: "http", 8080: "http"}
"""Ports where no TLS is spoken by custom."""


def named_hosts(text: str) -> list[Json]:
    """`{host, port, url, tls, hostname, other}` of each host that a text names, URLs first; `tls` is its port
    where TLS is spoken there, `hostname` the host unless it is an address, `other` a port of no web."""
    urls = [each for found in URL.finditer(text) if (each := _of_url(found[0].rstrip(".?!)")))]
    rest = [each for found in HOST.finditer(URL.sub(" ", text)) if (each := _of_name(found))]
    rest += [each for found in SIX.finditer(URL.sub(" ", text)) if (each := _of_six(found))]
    found: dict[tuple[str, int], Json] = {}
    for each in (*urls, *rest):
        found.setdefault((each["host"], each["port"]), each)
    return list(found.values())


def _of_name(found: re.Match[str]) -> Json:
    host = found["host"]
    if INSIDE.search(host) or host.rpartition(".")[2].lower() in FILES:
        return {}
    port = int(found["port"] or 443)
    scheme = PLAIN.get(port, "https")
    return _facts(host, port, f"{scheme}://{host}{f':{port}' if found['port'] else ''}/", scheme)


def _of_six(found: re.Match[str]) -> Json:
    try:
        host = str(ipaddress.IPv6Address(found["host"] or found["bare"]))
        # `::` is no host, and without a digit it may as well be a path of C++.
        if not any(each.isdigit() for each in host):
            return {}
    except ValueError:
        # A time of day, a path of C++, a pair of names.
        return {}
    port = int(found["port"] or 443)
    scheme = PLAIN.get(port, "https")
    name = host.replace("%", "%25")
    return _facts(host, port, f"{scheme}://[{name}]{f':{port}' if found['port'] else ''}/", scheme)


def _of_url(url: str) -> Json:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return {}
    if not host or INSIDE.search(host):
        return {}
    scheme = parts.scheme.lower()
    return _facts(host, port or {"http": 80}.get(scheme, 443), url, scheme)


def _facts(host: str, port: int, url: str, scheme: str) -> Json:
    named: Json = {} if ADDRESS.fullmatch(host) else {"hostname": host}
    named |= {} if port in WEB else {"other": port}
    return {"host": host, "port": port, "url": url, **({"tls": port} if scheme == "https" else {}), **named}
