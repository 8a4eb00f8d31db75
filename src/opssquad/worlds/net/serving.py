"""What servers of a recorded network say once a connection stands: TLS and HTTP."""

from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from opssquad.worlds.net import names
from opssquad.worlds.net.answers import Certificate, End, Fetched, Shaken, Step, Verdict
from opssquad.worlds.net.asks import Fetch, Shake
from opssquad.worlds.net.certificates import Trust, faults
from opssquad.worlds.net.http import Redirects
from opssquad.worlds.net.reaching import Reached, reach
from opssquad.worlds.net.resolving import Asking
from opssquad.worlds.net.tcp import Failed
from opssquad.worlds.net.told import Listens, Served
from opssquad.worlds.net.view import Luck, View

CAP = 2000
"""Characters of a body that are told."""
BROKEN: dict[str, str] = {
    "timeout": "no answer to the request",
    "reset": "connection reset by peer",
    "closed": "it hung up without a word",
    "malformed": "what came is no HTTP",
}


@dataclass(frozen=True)
class Secured:
    """How a handshake came out."""

    end: End = "ok"
    why: str = ""
    alert: str = ""
    chain: tuple[Certificate, ...] = ()
    faults: tuple[Verdict, ...] = ()


def secured(listens: Listens, name: str, origin: str, view: View) -> Secured:
    """A handshake with what listens, by whoever asks for that name."""
    if listens.answers == "reset":
        return Secured("reset", BROKEN["reset"])
    if listens.certificate is None:
        if listens.http:
            return Secured("malformed", "it does not speak TLS here, it said: HTTP/1.1 400 Bad Request")
        return Secured("not_recorded", "whether it speaks TLS was not recorded")
    chain = view.material.chains[listens.certificate]
    pem = "".join(each.pem for file in view.material.told.trusted for each in view.material.chains[file])
    wrong = faults(chain, name, view.clock(origin), Trust(pem))
    if listens.requires_client:
        alert = "certificate required"
        return Secured("refused_tls", f"it sent the alert: {alert}", alert, chain, wrong)
    return Secured(chain=chain, faults=wrong)


def shake(ask: Shake, view: View, luck: Luck) -> Shaken:
    """Connect, do a handshake, read the certificates."""
    got = reach(ask.host, ask.port, ask.family, Asking(view, ask.origin, luck, ask.seconds))
    answer = partial(
        Shaken, ask=ask, origin=view.origin(ask.origin).says, at=view.now, clock=view.clock(ask.origin),
        address=got.address, connect_ms=got.connect_ms,
    )  # fmt: skip
    if got.listens is None:
        return answer(end=got.end, why=got.why, ms=got.connect_ms)
    told = secured(got.listens, names.host(ask.name or ask.host), ask.origin, view)
    took = got.listens.tls_ms if told.chain else 0.0
    return answer(
        end=told.end, why=told.why, alert=told.alert, chain=told.chain, faults=told.faults, tls_ms=took,
        ms=got.resolve_ms + got.connect_ms + took,
        protocol=got.listens.protocol if told.chain else "", cipher=got.listens.cipher if told.chain else "",
    )  # fmt: skip


@dataclass
class _Walk:
    """The requests of one probe."""

    ask: Fetch
    view: View
    luck: Luck
    redirects: Redirects = field(init=False)
    steps: list[Step] = field(default_factory=list)
    faults: list[Verdict] = field(default_factory=list)
    body: str = ""

    def __post_init__(self) -> None:
        self.redirects = Redirects(self.ask)

    def go(self) -> None:
        """Ask, and follow. Raises Failed."""
        url: names.Url | None = self.redirects.start
        while url:
            served = self._one(url)
            url = self.redirects.after(url, served.status, served.location)

    def _one(self, url: names.Url) -> Served:
        asking = Asking(self.view, self.ask.origin, self.luck, self.ask.seconds)
        got = reach(url.host, url.port, self.ask.family, asking)
        if got.listens is None:
            self._keep(url, got, 0, None)
            raise Failed(got.end, got.why)
        tls_ms = self._secure(url, got, got.listens) if url.scheme == "https" else 0.0
        served = self._served(url, got, got.listens)
        late = got.connect_ms + tls_ms + served.first_byte_ms > self.ask.seconds * 1000
        end = "timeout" if late else served.ends
        self._keep(url, got, tls_ms, None if end != "ok" else served)
        if end != "ok":
            why = f"{BROKEN[end]} in {self.ask.seconds:g} s" if end == "timeout" else BROKEN[end]
            raise Failed(end, why)
        self.body = served.body[:CAP]
        return served

    def _secure(self, url: names.Url, got: Reached, listens: Listens) -> float:
        told = secured(listens, self.redirects.host(url), self.ask.origin, self.view)
        self.faults += [each for each in told.faults if each not in self.faults]
        if told.end != "ok":
            self._keep(url, got, 0, None)
            raise Failed(told.end, told.why)
        return listens.tls_ms

    def _served(self, url: names.Url, got: Reached, listens: Listens) -> Served:
        if listens.answers == "reset":
            return Served(ends="reset")
        if listens.certificate and url.scheme == "http":
            return Served(
                status=400, reason="Bad Request", body="Client sent an HTTP request to an HTTPS server."
            )
        fits = (each for each in listens.http if _fits(each, self.redirects.host(url), url.target))
        found = next(fits, None)
        if found is None:
            self._keep(url, got, 0, None)
            raise Failed("not_recorded", f"what {url} answers was not recorded")
        return found

    def _keep(self, url: names.Url, got: Reached, tls_ms: float, served: Served | None) -> None:
        first = served.first_byte_ms if served else 0.0
        headers = {**served.headers} if served else {}
        if served and served.location:
            headers["location"] = served.location
        self.steps.append(
            Step(
                url=str(url),
                address=got.address,
                status=served.status if served else 0,
                reason=served.reason or _reason(served.status) if served else "",
                headers=headers,
                resolve_ms=got.resolve_ms,
                connect_ms=got.connect_ms,
                tls_ms=tls_ms,
                first_byte_ms=first,
                total_ms=got.resolve_ms + got.connect_ms + tls_ms + first,
                size=len(served.body.encode()) if served else 0,
            )
        )


def fetch(ask: Fetch, view: View, luck: Luck) -> Fetched:
    """Make the request and follow its redirects; certificates that are wrong do not stop it."""
    walk = _Walk(ask, view, luck)
    end: End = "ok"
    why = ""
    try:
        walk.go()
    except Failed as failed:
        end, why = failed.end, failed.why
    return Fetched(
        ask=ask, origin=view.origin(ask.origin).says, at=view.now, end=end, why=why, steps=tuple(walk.steps),
        body=walk.body if end == "ok" else "", faults=tuple(walk.faults),
        ms=sum(each.total_ms for each in walk.steps),
    )  # fmt: skip


def _fits(served: Served, host: str, target: str) -> bool:
    path = target.partition("?")[0]
    named = not served.hosts or host.rstrip(".") in {each.rstrip(".") for each in served.hosts}
    if served.path.endswith("*"):
        return named and path.startswith(served.path[:-1])
    return named and path == served.path


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
