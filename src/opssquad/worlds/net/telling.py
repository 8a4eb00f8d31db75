"""Answers as lines of text that can be quoted; pure. The first line says what was asked and how it ended."""

from collections.abc import Iterator

from opssquad.times import rfc3339
from opssquad.worlds.net import answers, asks

HEADERS = 12
"""Headers of a reply that are told; the rest is counted."""


def place(ask: asks.Ask) -> str:
    """Where an answer stands as evidence: `probe connect cart:80`, with the origin if it is not here."""
    where = f" from {ask.origin}" if ask.origin else ""
    return f"probe {words(ask)}{where}"


def words(ask: asks.Ask) -> str:
    """What is asked, wherever from: `connect cart:80`."""
    return f"{ask.kind} {subject(ask)}".rstrip()


def subject(ask: asks.Ask) -> str:
    """What a probe is about, in a word or two."""
    match ask:
        case asks.Lookup():
            return f"{ask.name} {ask.type}" + (f" @{ask.server}" if ask.server else "")
        case asks.Connect() | asks.Shake():
            name = ask.name if isinstance(ask, asks.Shake) and ask.name != ask.host else ""
            return host_port(ask.host, ask.port) + (f" as {name}" if name else "")
        case asks.Fetch():
            return (f"{ask.method} " if ask.method != "GET" else "") + ask.url
        case asks.Trace():
            return host_port(ask.host, ask.port) if ask.port else ask.host
        case asks.Echo():
            return ask.host
        case asks.Sockets():
            return ""


def host_port(host: str, port: int) -> str:
    """`cart:80`, and `[::1]:80` for an address with colons."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def lines(answer: answers.Answer) -> list[str]:
    """All of an answer, its head first."""
    return [_head(answer), *_rest(answer)]


def _head(answer: answers.Answer) -> str:
    said = _end(answer)
    why = f": {answer.why}" if answer.why else ""
    return f"{words(answer.ask)}: {said}{why} after {answer.ms:.1f} ms, from {answer.origin}"


def _end(answer: answers.Answer) -> str:
    address = getattr(answer, "address", "")
    where = f" at {address}" if address else ""
    if isinstance(answer, answers.Resolved) and answer.status:
        return f"{answer.status} from {answer.server}"
    if isinstance(answer, answers.Fetched) and answer.end == "ok" and answer.steps:
        return f"HTTP {answer.steps[-1].status} {answer.steps[-1].reason}".rstrip()
    if isinstance(answer, answers.Traced) and answer.end == "ok":
        return f"{'reached' if answer.reached else 'not reached'} in {len(answer.hops)} hops{where}"
    return f"{answer.end.replace('_', ' ')}{where}"


def _rest(answer: answers.Answer) -> Iterator[str]:
    match answer:
        case answers.Resolved():
            yield from _resolved(answer)
        case answers.Connected():
            yield from [f"tried {', '.join(answer.tried)}"] if len(answer.tried) > 1 else []
        case answers.Shaken():
            yield from _shaken(answer)
        case answers.Fetched():
            yield from _fetched(answer)
        case answers.Traced():
            yield from _traced(answer)
        case answers.Echoed():
            yield from [f"asked by {answer.how}"] if answer.how else []
        case answers.SocketsSeen():
            yield from _sockets(answer)


def _resolved(answer: answers.Resolved) -> Iterator[str]:
    if len(answer.tried) > 1:
        yield f"tried along the search path: {', '.join(answer.tried)}"
    for each in answer.records:
        yield f"{each.name} {each.ttl} {each.type} {each.data}"
    for each in answer.authority:
        yield f"authority {each.name} {each.ttl} {each.type} {each.data}"
    flags = [
        word
        for word, is_set in (
            ("authoritative", answer.authoritative),
            ("validated (AD)", answer.secure),
            ("truncated", answer.truncated),
        )
        if is_set
    ]
    if flags:
        yield f"flags {', '.join(flags)}"


def _shaken(answer: answers.Shaken) -> Iterator[str]:
    if answer.protocol:
        yield f"protocol {answer.protocol} cipher {answer.cipher}"
    if answer.alert:
        yield f"alert {answer.alert}"
    if answer.wants_certificate:
        yield "the server asks for a certificate of the client"
    for number, each in enumerate(answer.chain):
        yield f"certificate {number} {certificate(each)}"
    if answer.faults:
        yield f"wrong with it: {', '.join(answer.faults)}"
    if answer.clock:
        yield f"judged at {rfc3339(answer.clock)} by the clock there"


def certificate(each: answers.Certificate) -> str:
    """A certificate as one line."""
    if each.problem:
        return f"cannot be read: {each.problem}"
    dates = (("notBefore", each.not_before), ("notAfter", each.not_after))
    valid = " ".join(f"{word}={rfc3339(at)}" for word, at in dates if at)
    return f"subject={each.subject} names={','.join(each.names) or '-'} issuer={each.issuer} {valid}"


def _traced(answer: answers.Traced) -> Iterator[str]:
    for hop in answer.hops:
        yield f"hop {hop.number} {hop.address or '*'} {hop.ms:.1f} ms {hop.said}".rstrip()
    if answer.mtu:
        larger = ", larger ones vanish without a word" if answer.silent else ""
        link = f", the link here carries {answer.link_mtu}" if answer.link_mtu else ""
        yield f"packets of {answer.mtu} bytes pass whole{larger}{link}"


def _fetched(answer: answers.Fetched) -> Iterator[str]:
    for each in answer.steps:
        yield (
            f"{each.status} {each.url} at {each.address}: resolve {each.resolve_ms:.1f}"
            f" connect {each.connect_ms:.1f} tls {each.tls_ms:.1f}"
            f" first byte {each.first_byte_ms:.1f} total {each.total_ms:.1f} ms,"
            f" {each.size} bytes{' and more' if each.cut else ''}"
        )
        shown = list(each.headers.items())
        yield from (f"{name}: {value}" for name, value in shown[:HEADERS])
        if len(shown) > HEADERS:
            yield f"{len(shown) - HEADERS} more headers"
    if answer.faults:
        yield f"wrong with its certificate: {', '.join(answer.faults)}"
    if answer.body:
        yield f"body: {' '.join(answer.body.split())}"


def _sockets(answer: answers.SocketsSeen) -> Iterator[str]:
    if answer.clock:
        yield f"clock {rfc3339(answer.clock)}, when it is {rfc3339(answer.at)}"
    if answer.end != "ok":
        return
    if answer.states:
        yield "states " + " ".join(f"{name}={count}" for name, count in sorted(answer.states.items()))
    counted = f"out={answer.segments_out} retransmitted={answer.retransmitted}"
    yield f"segments {counted} listen_drops={answer.listen_drops}"
    if answer.conntrack_max:
        yield f"nf_conntrack count={answer.conntrack} max={answer.conntrack_max}"
    first, last = answer.ephemeral_range
    if last:
        yield f"ephemeral ports used={answer.ephemeral_used} of {last - first + 1}"
    for each in answer.listeners:
        yield f"listens {each.protocol} {host_port(each.address, each.port)}"
    yield from (f"not told: {each}" for each in answer.missing)
