"""The shapes of `network/network.yaml`: what a recording tells of its network. Only shapes live here.

Files are read by `material`; what follows from all this is in `view` and `deriving`.
"""

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from opssquad.errors import ToolError
from opssquad.worlds.kube.recording.fates import Strict, Text
from opssquad.worlds.kube.recording.spec import ObjectRule
from opssquad.worlds.net import names


def _address(text: str) -> str:
    if not (found := names.address(text)):
        raise ValueError(f"must be an address, not {text!r}")
    return found


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text))


def _host(text: str) -> str:
    try:
        return names.host(text)
    except ToolError as error:
        raise ValueError(str(error)) from None


Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[str, AfterValidator(_network)]
"""An address, or many as `10.0.0.0/8`."""
Host = Annotated[str, AfterValidator(_host)]
OriginName = Annotated[str, Field(pattern=r"^(node/[^/\s]+)?$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
RecordLine = Annotated[str, Field(pattern=r"^\S+\.\s+\d+\s+[A-Z]+\s+\S")]
Port = Annotated[int, Field(ge=0, le=65535)]
Ms = Annotated[float, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Listening(Strict):
    """A socket that listens at an origin."""

    address: Address
    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["tcp", "udp"] = "tcp"


class Kernel(Strict):
    """What the kernel of an origin said of its sockets; what is left out is not known."""

    listeners: list[Listening] = []
    states: dict[str, Annotated[int, Field(ge=0)]] = {}
    segments_out: int = 0
    retransmitted: int = 0
    listen_drops: int = 0
    conntrack: int = 0
    conntrack_max: int = 0
    ephemeral_used: int = 0
    ephemeral_range: tuple[int, int] = (0, 0)
    missing: list[Text] = []


class Origin(Strict):
    """A place that was probed from: "" is where the on-call sat. Names are asked of `resolvers`, along
    `search`; `clock_ahead` is by how many seconds its clock runs ahead of the world's."""

    name: OriginName = ""
    says: Text
    resolvers: list[Address] = []
    search: list[Host] = []
    ndots: Annotated[int, Field(ge=0, le=15)] = 1
    clock_ahead: float = 0
    sockets: Kernel | None = None


class _From(Strict):
    """Something that holds for probes from these origins; from all where none is named."""

    origins: list[OriginName] = []

    def for_origin(self, name: str) -> bool:
        """Whether it holds for a probe from there."""
        return not self.origins or name in self.origins


class Server(_From):
    """A DNS server. It answers from zones, which are files `network/zones/NAME.zone`; of names that are in
    none of them it says `others`. One that answers late has a large `ms`."""

    address: Address
    port: Annotated[int, Field(ge=1, le=65535)] = 53
    zones: list[FileName] = []
    answers: Literal["normal", "silent", "unreachable", "refused", "servfail", "nxdomain"] = "normal"
    others: Literal["not_recorded", "refused", "servfail", "nxdomain", "silent"] = "not_recorded"
    authoritative: bool = False
    secure: bool = False
    ms: Ms = 1.0
    loss: Percent = 0


class Served(Strict):
    """What an HTTP server answers to a path: a whole one, or a beginning with `*` at its end. `hosts` are the
    names that it is asked by; any where none is named. `ends` other than `ok`: it does not come to an
    answer."""

    path: Text = "/*"
    hosts: list[Host] = []
    status: Annotated[int, Field(ge=100, le=599)] = 200
    reason: str = ""
    headers: dict[str, str] = {}
    body: str = ""
    location: str = ""
    first_byte_ms: Ms = 1.0
    ends: Literal["ok", "timeout", "reset", "closed", "malformed"] = "ok"


class Listens(_From):
    """How one or more addresses, or hosts, answer at a port; port 0 is every port that no other tells of.
    `loss` is how many of a hundred packets are lost on the way; `echo` whether it answers echo requests.
    `certificate` is a file `network/certificates/NAME.pem`: the chain, the server's own first."""

    addresses: list[Addresses] = []
    hosts: list[Host] = []
    port: Port = 0
    answers: Literal["open", "refused", "timeout", "reset", "unreachable"] = "open"
    ms: Ms = 1.0
    loss: Percent = 0
    echo: bool | None = None
    certificate: FileName | None = None
    protocol: Text = "TLSv1.3"
    cipher: Text = "TLS_AES_256_GCM_SHA384"
    tls_ms: Ms = 4.0
    requires_client: bool = False
    http: list[Served] = []

    @model_validator(mode="after")
    def _somewhere(self) -> "Listens":
        if not (self.addresses or self.hosts):
            raise ValueError("listens nowhere: give addresses or hosts")
        return self


class HopTold(Strict):
    """A hop; without an address nothing answered there."""

    address: Address | None = None
    ms: Ms = 0
    said: str = ""


Mtu = Annotated[int, Field(ge=0, le=65535)]


class Path(_From):
    """The hops to hosts or addresses, the last one's own where it was reached; `mtu` is the largest packet
    that passes whole, `link_mtu` what the link of the origin carries, `silent` that nobody says of larger
    ones that they do not pass."""

    addresses: list[Addresses] = []
    hosts: list[Host] = []
    hops: list[HopTold] = Field(min_length=1)
    reached: bool = True
    mtu: Mtu = 0
    link_mtu: Mtu = 0
    silent: bool = False


class Heal(Strict):
    """What is so once the objects of the cluster are as `when` says, all of it: it comes before what is told
    otherwise. `records` are lines as in zones, with whole names: each takes the place of what the name had.
    `forgets` are the recorded answers that do not hold any more, as `connect cart.shop:*`."""

    when: list[ObjectRule] = Field(min_length=1)
    servers: list[Server] = []
    listeners: list[Listens] = []
    hops: list[Path] = []
    records: list[RecordLine] = []
    forgets: list[Text] = ["*"]


class Told(Strict):
    """The whole file. `seed` decides which packets are lost; `trusted` are files in `network/certificates/`
    of those whom the origins trust."""

    seed: int = 1
    origins: list[Origin] = Field(min_length=1)
    trusted: list[FileName] = []
    servers: list[Server] = []
    listeners: list[Listens] = []
    hops: list[Path] = []
    heals: list[Heal] = []

    @model_validator(mode="after")
    def _coherent(self) -> "Told":
        known = [each.name for each in self.origins]
        if len(set(known)) < len(known):
            raise ValueError("an origin stands twice")
        if "" not in known:
            raise ValueError('origins: none is "", where the on-call sat')
        for each in self.conditional():
            for name in each.origins:
                if name not in known:
                    raise ValueError(f"{name!r} is none of the origins")
        return self

    def conditional(self) -> Iterator[Server | Listens | Path]:
        """All that may hold for some origins only, those of heals too."""
        sides: list[Told | Heal] = [self, *self.heals]
        for side in sides:
            yield from side.servers
            yield from side.listeners
            yield from side.hops
