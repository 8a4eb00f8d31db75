"""What can be asked of the network: a value for each kind of probe, small enough to be kept and compared."""

import json
from typing import Annotated, Literal

from pydantic import Field

from opssquad.types import Value

RecordType = Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "CAA", "DS", "DNSKEY"]
Family = Literal["any", "4", "6"]
Port = Annotated[int, Field(ge=1, le=65535)]
AnyPort = Annotated[int, Field(ge=0, le=65535)]
"""A port, or 0 for none."""
Times = Annotated[int, Field(ge=1, le=20)]
Seconds = Annotated[float, Field(gt=0, le=30)]


class _Ask(Value):
    """`origin` is from where it is asked: empty for here, or `node/NAME`. `seconds` bounds one probe."""

    origin: str = ""
    seconds: Seconds = 5.0


class Lookup(_Ask):
    """A name, as typed: one without a final dot goes along the search path of the origin. `server` is an
    address with or without a port; empty for the resolvers of the origin."""

    kind: Literal["lookup"] = "lookup"
    name: str
    type: RecordType = "A"
    server: str = ""


class Connect(_Ask):
    """A TCP connection, closed at once. `host` is a name or an address; `address` the one that an earlier
    answer found for it, so that a series looks a name up once."""

    kind: Literal["connect"] = "connect"
    host: str
    address: str = ""
    port: Port
    family: Family = "any"


class Shake(_Ask):
    """A TLS handshake with no request after it. `name` is what is asked for (SNI) and must be on the
    certificate; empty for the host."""

    kind: Literal["shake"] = "shake"
    host: str
    port: Port = 443
    name: str = ""
    family: Family = "any"


class Fetch(_Ask):
    """An HTTP request. `host` is the Host header and the TLS name where it differs from the URL's; `follow`
    is how many redirects are followed."""

    kind: Literal["fetch"] = "fetch"
    url: str
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    host: str = ""
    follow: int = Field(default=3, ge=0, le=10)
    family: Family = "any"


class Trace(_Ask):
    """The hops to a host, by UDP, or by TCP to a port where one is given; and the largest packet that passes
    whole."""

    kind: Literal["trace"] = "trace"
    host: str
    port: AnyPort = 0
    hops: int = Field(default=20, ge=1, le=30)
    seconds: Seconds = 10.0


class Echo(_Ask):
    """One echo request (ping); `address` as in a connection."""

    kind: Literal["echo"] = "echo"
    host: str
    address: str = ""
    seconds: Seconds = 2.0


class Sockets(_Ask):
    """What the kernel of the origin says of its sockets: who listens, states, retransmits, tables' limits."""

    kind: Literal["sockets"] = "sockets"


Ask = Lookup | Connect | Shake | Fetch | Trace | Echo | Sockets


def key(ask: Ask) -> str:
    """The probe as one line of JSON, the same for the same question: deadlines do not count, nor what was
    looked up before."""
    told = ask.model_dump(mode="json", exclude={"seconds", "address"}, exclude_defaults=True)
    return json.dumps(told | {"kind": ask.kind}, sort_keys=True, ensure_ascii=False)
