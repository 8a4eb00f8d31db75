"""Whether and how hosts of a recorded network answer: connections, echo requests, and the hops to them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from opssquad.worlds.net import names
from opssquad.worlds.net.answers import Connected, Echoed, End, Hop, SocketsSeen, Traced
from opssquad.worlds.net.answers import Listener as Listening
from opssquad.worlds.net.asks import Connect, Echo, Family, Sockets, Trace
from opssquad.worlds.net.resolving import Asking, Found, addresses
from opssquad.worlds.net.told import Listens
from opssquad.worlds.net.view import Luck, Place, View

WORDS = {
    "refused": "connection refused",
    "unreachable": "no route to host",
    "reset": "connection reset by peer",
}
"""Ends as a kernel tells them."""
UP = ("open", "refused", "reset")
"""Answers that come from the host itself."""


@dataclass(frozen=True)
class Reached:
    """How a connection came out; times in milliseconds. `listens` is what it came to, where it is open."""

    end: End = "ok"
    why: str = ""
    address: str = ""
    tried: tuple[str, ...] = ()
    resolve_ms: float = 0.0
    connect_ms: float = 0.0
    listens: Listens | None = None


def places(found: Found, host: str, origin: str) -> list[Place]:
    """Where a host may be, by its addresses; where nobody tells of its DNS, by its name."""
    known = frozenset(each.rstrip(".") for each in (names.host(host), *found.names))
    if found.end == "not_recorded":
        return [Place(origin, "", known)]
    return [Place(origin, each, known) for each in found.addresses]


def reach(host: str, port: int, family: Family, asking: Asking) -> Reached:
    """Connect to the first address of a host that answers."""
    found = addresses(host, family, asking)
    if found.end == "unresolved":
        return Reached(end="unresolved", why=found.why, resolve_ms=found.ms)
    tried: list[str] = []
    last = Reached(end="not_recorded", why=found.why)
    for place in places(found, host, asking.origin):
        listens = asking.view.listening(place, port)
        if listens is None:
            why = found.why or f"nothing was recorded of {names.host(host)} port {port}"
            # What is known of one address tells more than that nothing is known of another.
            last = last if tried else Reached(end="not_recorded", why=why)
            continue
        address = place.address or _first(listens)
        tried.append(address)
        last = replace(_one(listens, address, asking), resolve_ms=found.ms, tried=tuple(tried))
        if last.end == "ok":
            break
    return last


def _first(listens: Listens) -> str:
    """The address of a host whose DNS nobody tells, where only one is told."""
    return listens.addresses[0].partition("/")[0] if listens.addresses else ""


def _one(listens: Listens, address: str, asking: Asking) -> Reached:
    waited = asking.luck.opening(listens.loss)
    took = (waited or 0) + listens.ms
    if listens.answers == "timeout" or waited is None or took > asking.seconds * 1000:
        why = f"no answer in {asking.seconds:g} s"
        return Reached("timeout", why, address, connect_ms=asking.seconds * 1000)
    # A peer that resets later has let the connection come about.
    if listens.answers in ("refused", "unreachable"):
        return Reached(listens.answers, WORDS[listens.answers], address, connect_ms=took)
    return Reached(address=address, connect_ms=took, listens=listens)


def connect(ask: Connect, view: View, luck: Luck) -> Connected:
    """Connect and close."""
    got = reach(ask.host, ask.port, ask.family, Asking(view, ask.origin, luck, ask.seconds))
    return Connected(
        ask=ask, origin=view.origin(ask.origin).says, at=view.now, end=got.end, why=got.why,
        address=got.address, tried=got.tried, resolve_ms=got.resolve_ms, ms=got.connect_ms,
    )  # fmt: skip


def echo(ask: Echo, view: View, luck: Luck) -> Echoed:
    """One echo request. A host of which it is only told that one port is silent may answer or not."""
    answer = partial(Echoed, ask=ask, origin=view.origin(ask.origin).says, at=view.now)
    found = addresses(ask.host, "any", Asking(view, ask.origin, luck, ask.seconds))
    if found.end == "unresolved":
        return answer(end="unresolved", why=found.why)
    for place in places(found, ask.host, ask.origin):
        told = [each for each in view.listeners if place.fits(each)]
        sure = [each for each in told if each.echo is not None or not each.port or each.answers in UP]
        if sure:
            return _echoed(sure[0], place.address or _first(sure[0]), answer, luck, ask.seconds)
    return answer(end="not_recorded", why=f"nothing was recorded of {names.host(ask.host)}")


def _echoed(
    listens: Listens, address: str, answer: Callable[..., Echoed], luck: Luck, seconds: float
) -> Echoed:
    if listens.answers == "unreachable":
        return answer(end="unreachable", why=WORDS["unreachable"], address=address, ms=listens.ms)
    silent = listens.echo is False or (listens.answers == "timeout" and not listens.echo)
    if silent or luck.lost(listens.loss) or listens.ms > seconds * 1000:
        return answer(end="timeout", why=f"no answer in {seconds:g} s", address=address, ms=seconds * 1000)
    return answer(address=address, how="icmp", ms=listens.ms)


def trace(ask: Trace, view: View, luck: Luck) -> Traced:
    """The hops that were told of a host."""
    answer = partial(Traced, ask=ask, origin=view.origin(ask.origin).says, at=view.now)
    found = addresses(ask.host, "any", Asking(view, ask.origin, luck, ask.seconds))
    if found.end == "unresolved":
        return answer(end="unresolved", why=found.why)
    for place in places(found, ask.host, ask.origin):
        if path := view.path(place):
            shown = path.hops[: ask.hops]
            hops = [Hop(number=n, **each.model_dump(exclude_none=True)) for n, each in enumerate(shown, 1)]
            whole = len(shown) == len(path.hops)
            return answer(
                address=place.address, hops=tuple(hops), reached=path.reached and whole, mtu=path.mtu,
                link_mtu=path.link_mtu, silent=path.silent, ms=max(each.ms for each in shown),
            )  # fmt: skip
    return answer(end="not_recorded", why=f"the path to {names.host(ask.host)} was not recorded")


def sockets(ask: Sockets, view: View) -> SocketsSeen:
    """What the kernel of the origin said."""
    place = view.origin(ask.origin)
    answer = partial(SocketsSeen, ask=ask, origin=place.says, at=view.now, clock=view.clock(ask.origin))
    if place.sockets is None:
        return answer(end="not_recorded", why="the kernel's counters were not recorded there")
    told = place.sockets.model_dump(exclude={"listeners"})
    return answer(**told, listeners=tuple(Listening(**each.model_dump()) for each in place.sockets.listeners))
