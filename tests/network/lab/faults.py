"""Networks with a fault, to look at: a client, a shop that serves HTTP and HTTPS, and its DNS servers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.network.certificates import DAY, Issued
from tests.network.lab import ROUTER, Lab, Link
from tests.network.servers import reply, says, tcp_server

NAME = "cart.shop.lab"
NOBODY = "10.77.99.99"
SMALL = 1400


@dataclass(frozen=True)
class Fault:
    """What is wrong, the question that somebody would ask, and how it is made in a network that was well."""

    what: str
    question: str
    make: Callable[[Lab], None] = lambda lab: None


def _hide(lab: Lab) -> None:
    for told in ("icmp code frag-needed", "icmpv6 type packet-too-big"):
        lab.rule(ROUTER, "output", f"{told} drop")


FAULTS = {
    "dropped-port": Fault(
        "packets to port 80 of the shop vanish",
        f"http://{NAME} does not answer, why?",
        lambda lab: lab.drop("shop", 80),
    ),
    "wrong-dns": Fault(
        f"the first DNS server says {NOBODY} for {NAME}, where nobody is; the second one is right",
        f"we cannot reach {NAME}, is it down?",
    ),
    "expired-certificate": Fault(
        f"the certificate of {NAME} has expired yesterday", f"clients refuse https://{NAME}, why?"
    ),
    "loss": Fault(
        "the router loses 10 % of all packets", f"{NAME} is slow at times, why?", lambda lab: lab.lose(10)
    ),
    "small-mtu": Fault(
        f"packets of more than {SMALL} bytes do not reach the shop, and nobody says so",
        f"small requests to {NAME} work and large ones hang, why?",
        _hide,
    ),
}


@asynccontextmanager
async def standing(fault: str) -> AsyncIterator[Lab]:
    """A network with that fault, for the length of the `async with`."""
    async with AsyncExitStack() as stack:
        lab = stack.enter_context(Lab())
        lab.host("client")
        shop = lab.host("shop", Link(mtu=SMALL) if fault == "small-mtu" else None)
        wrong = NOBODY if fault == "wrong-dns" else shop.v4
        for name, address in (("dns1", wrong), ("dns2", shop.v4)):
            lab.host(name)
            lab.dnsmasq(name, {NAME: address}, "shop.lab")
        lab.resolve_by("client", lab.hosts["dns1"].v4, lab.hosts["dns2"].v4)
        own = _certificate(expired=fault == "expired-certificate")
        for port, tls in ((80, None), (443, own.context())):
            await stack.enter_async_context(tcp_server(says(reply()), tls=tls, on=lab.socket("shop", port)))
        FAULTS[fault].make(lab)
        yield lab


def _certificate(*, expired: bool) -> Issued:
    today = datetime.now(UTC)
    until = today + (-DAY if expired else 60 * DAY)
    return Issued.root(after=today + 3650 * DAY).issue(NAME, before=today - 90 * DAY, after=until)
