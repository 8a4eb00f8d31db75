"""Hosts, ports and URLs as people type them, read strictly; pure. A refusal is one line of a ToolError."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

import idna

from opssquad.errors import ToolError

LONGEST = 253
LONGEST_URL = 8000
"""Characters; no server takes more in a request line."""
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_ZONE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
"""The name or number of an interface, as Linux allows it."""
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that makes the C library read an address where a name was meant (`127.1`, `0x7f000001`)."""
PORTS = {"http": 80, "https": 443}


def host(text: str) -> str:
    """A host as DNS and sockets take it: an address (an IPv6 one may have a zone), or a name in lower case
    with every label in ASCII. Raises ToolError."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    if not bare:
        raise ToolError("no host was given; give a name or an address")
    if len(bare) > 4 * LONGEST:
        raise ToolError(f"a host name has 1 to {LONGEST} characters, this one {len(bare)}")
    return address(bare) or _name(bare)


def address(text: str) -> str:
    """The address in its shortest form, or "" for what is none."""
    zone = text.partition("%")[2]
    if zone and not _ZONE.fullmatch(zone):
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _name(text: str) -> str:
    if "@" in text:
        # Not repeated: a password may stand before it.
        raise ToolError("that is no host: give the name alone, without a user")
    if any(each in text for each in "/:?# "):
        raise ToolError(f"{text!r} is no host: give the name alone, without scheme, port or path")
    bare = text.removesuffix(".")
    try:
        low = ".".join(_label(each) if each else each for each in bare.split("."))
    except (idna.IDNAError, UnicodeError) as error:
        raise ToolError(f"{text!r} is no host name: {error}") from error
    if not low or len(low) > LONGEST:
        raise ToolError(f"a host name has 1 to {LONGEST} characters, this one {len(low)}")
    for label in low.split("."):
        if not _LABEL.fullmatch(label):
            raise ToolError(f"{text!r} is no host name: {label or 'an empty label'!r} is no label of one")
    if _NUMBER.fullmatch(low.rpartition(".")[2]):
        raise ToolError(f"{text!r} is no host: an IPv4 address has four numbers from 0 to 255")
    return f"{low}." if text.endswith(".") else low


def _label(label: str) -> str:
    if not label.isascii():
        return str(idna.encode(label, uts46=True).decode())
    if label.lower().startswith("xn--"):
        # Punycode that does not decode names nothing.
        idna.decode(label.lower())
    return label.lower()


def port(number: int) -> int:
    """A port. Raises ToolError."""
    if not 1 <= number <= 65535:
        raise ToolError(f"port {number} is out of range: 1 to 65535")
    return number


@dataclass(frozen=True)
class Url:
    """A URL that may be asked for: `http` or `https`, without credentials."""

    scheme: str
    host: str
    port: int
    target: str

    def __str__(self) -> str:
        shown = f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host
        other = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{shown}{other}{self.target}"


def url(text: str) -> Url:
    """A URL, read strictly. Raises ToolError, without repeating what may be a secret."""
    parts = _split(text)
    if parts.username is not None or parts.password is not None:
        raise ToolError("a URL with a user or password is not asked for; leave them out")
    if parts.scheme not in PORTS:
        scheme = repr(parts.scheme) if parts.scheme else "a URL without a scheme"
        raise ToolError(f"only http and https are asked for, not {scheme}")
    if not parts.hostname:
        raise ToolError("the URL names no host")
    try:
        given = parts.port
    except ValueError as error:
        # Not repeated: with a slash in it, a password stands where the port does.
        raise ToolError("the URL's port is none: 1 to 65535") from error
    if given == 0:
        port(given)
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    if any(ord(each) <= 32 or ord(each) == 127 for each in target):
        raise ToolError("the URL's path holds blanks or control characters; encode them as %20")
    encoded = quote(target, safe="/?&=%:@!$'()*+,;~-._")
    # A zone is written %25eth0 in a URL (RFC 6874).
    name = parts.hostname.replace("%25", "%", 1) if ":" in parts.hostname else parts.hostname
    return Url(parts.scheme, host(name), given or PORTS[parts.scheme], encoded)


def _split(text: str) -> SplitResult:
    if len(text) > LONGEST_URL:
        raise ToolError(f"a URL has at most {LONGEST_URL} characters, this one {len(text)}")
    if any(ord(each) < 32 or ord(each) == 127 for each in text):
        raise ToolError("the URL holds control characters")
    try:
        return urlsplit(text.strip())
    except ValueError as error:
        # Not repeated: the error may hold what stands before an @.
        raise ToolError("that is no URL; write it as http://HOST:PORT/PATH") from error
