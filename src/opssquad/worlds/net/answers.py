"""What the network answered: facts alone, times in milliseconds. Whether that is good is told by tools."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from opssquad.types import Value
from opssquad.worlds.net.asks import Connect, Echo, Fetch, Lookup, Shake, Sockets, Trace

End = Literal[
    "ok", "refused", "timeout", "unreachable", "reset", "closed", "unresolved", "denied", "malformed",
    "refused_tls", "too_much", "not_recorded", "not_possible",
]  # fmt: skip
"""How a probe ended. `refused`: a reset in answer to the first packet; `reset`: later; `closed`: the peer
hung up without a word; `denied`: the destination policy or the kernel does not let us; `malformed`: what came
is no answer of that protocol; `refused_tls`: the peer sent an alert; `too_much`: a cap was hit;
`not_recorded`: the recording does not tell; `not_possible`: this machine cannot (rights, no such family)."""


class _Answer(Value):
    """`origin` says from where in words; `at` is the world's clock when it was asked; `why` is the reason of
    an end that is not ok, in one line."""

    end: End = "ok"
    origin: str
    at: datetime
    ms: float = 0.0
    why: str = ""


class DnsRecord(Value):
    """One record; `data` as zone files write it."""

    name: str
    type: str
    ttl: int
    data: str


class Resolved(_Answer):
    """`status` is the server's code (NOERROR, NXDOMAIN, SERVFAIL, REFUSED, ...), empty without an answer;
    `tried` are the full names along the search path, `name` the one that the answer is about. `secure`: the
    server says that it validated (AD)."""

    kind: Literal["lookup"] = "lookup"
    ask: Lookup
    status: str = ""
    name: str = ""
    tried: tuple[str, ...] = ()
    server: str = ""
    records: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()
    authoritative: bool = False
    secure: bool = False
    truncated: bool = False


class Connected(_Answer):
    """`address` is the one that answered or was tried last, without port; `tried` are all, in order."""

    kind: Literal["connect"] = "connect"
    ask: Connect
    address: str = ""
    tried: tuple[str, ...] = ()
    resolve_ms: float = 0.0


class Certificate(Value):
    """What a certificate says. `names` are its DNS names and addresses; `pem` is all of it; one that does not
    parse has only `problem`."""

    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    serial: str = ""
    self_signed: bool = False
    key: str = ""
    pem: str = ""
    problem: str = ""


Verdict = Literal["expired", "not_yet_valid", "wrong_name", "self_signed", "unknown_issuer", "weak", "broken"]


class Shaken(_Answer):
    """`chain` begins with the server's own certificate. `faults` are what is wrong with it by the origin's
    clock and trust store; `clock` is that clock, which may be skewed. `wants_certificate`: the server asks
    the client for one, as a mesh with mutual TLS does."""

    kind: Literal["shake"] = "shake"
    ask: Shake
    address: str = ""
    protocol: str = ""
    cipher: str = ""
    chain: tuple[Certificate, ...] = ()
    faults: tuple[Verdict, ...] = ()
    clock: datetime | None = None
    alert: str = ""
    wants_certificate: bool = False
    connect_ms: float = 0.0
    tls_ms: float = 0.0


class Step(Value):
    """One request of a chain of redirects, with its timing split in milliseconds; `first_byte_ms` counts from
    the request. `tried` are the addresses that were tried, in order, before one was connected to."""

    url: str
    address: str = ""
    tried: tuple[str, ...] = ()
    status: int = 0
    reason: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    resolve_ms: float = 0.0
    connect_ms: float = 0.0
    tls_ms: float = 0.0
    first_byte_ms: float = 0.0
    total_ms: float = 0.0
    size: int = 0
    cut: bool = False


class Fetched(_Answer):
    """`steps` are the requests made, redirects first; `body` is the beginning of the last one's text."""

    kind: Literal["fetch"] = "fetch"
    ask: Fetch
    steps: tuple[Step, ...] = ()
    body: str = ""
    faults: tuple[Verdict, ...] = ()


class Hop(Value):
    """One hop; without an address nothing answered."""

    number: int
    address: str = ""
    ms: float = 0.0
    said: str = ""


class Traced(_Answer):
    """`reached`: the host itself answered. `mtu` is the largest packet that passed whole, `link_mtu` what the
    origin's own link carries, both 0 if not known; `silent`: larger packets vanish without a word."""

    kind: Literal["trace"] = "trace"
    ask: Trace
    address: str = ""
    hops: tuple[Hop, ...] = ()
    reached: bool = False
    mtu: int = 0
    link_mtu: int = 0
    silent: bool = False


class Echoed(_Answer):
    """One echo; `how` is the manner that the kernel allowed: `icmp`, or `udp`, `tcp` in its place."""

    kind: Literal["echo"] = "echo"
    ask: Echo
    address: str = ""
    how: str = ""


class Listener(Value):
    """A socket that listens."""

    address: str
    port: int
    protocol: str = "tcp"


class SocketsSeen(_Answer):
    """`clock` is what the place takes for the time; `states` counts TCP sockets by state; the counters are
    since boot. Zero limits are not known."""

    kind: Literal["sockets"] = "sockets"
    ask: Sockets
    clock: datetime | None = None
    listeners: tuple[Listener, ...] = ()
    states: dict[str, int] = Field(default_factory=dict)
    segments_out: int = 0
    retransmitted: int = 0
    listen_drops: int = 0
    conntrack: int = 0
    conntrack_max: int = 0
    ephemeral_used: int = 0
    ephemeral_range: tuple[int, int] = (0, 0)
    missing: tuple[str, ...] = ()


Answer = Resolved | Connected | Shaken | Fetched | Traced | Echoed | SocketsSeen
