"""Signals about TLS: handshakes that fail, certificates that are wrong, clocks that are. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from opssquad import Json, Quote, Ref, Signal, ago, answers, duration, probe_quote, rfc3339

from .ends import ended, facts, origin, slow

SKEW = timedelta(seconds=60)
"""From which clocks are told to differ: more than a probe takes, less than what anybody's tokens allow."""
Says = Callable[[answers.Shaken], str]


def shaken(answer: answers.Shaken, about: Ref) -> Iterator[Signal]:
    """All that a handshake shows."""
    ask = answer.ask
    data = facts(answer, ask.name or ask.host, ask.port, answer.address)
    # The address is told of a connection that is there.
    yield from ended(answer, about, data | {"opened": bool(answer.address)})
    yield from _failed(answer, about, data)
    yield from (_certificate(answer, about, data, each) for each in answer.faults)
    yield from _skewed(answer, data)
    parts = {"connect": answer.connect_ms, "tls": answer.tls_ms}
    yield from slow(answer, about, data, parts)
    if answer.end == "ok" and not answer.faults:
        yield Signal(
            id="net.open",
            entity=about,
            text=f"{ask.host} port {ask.port} speaks {answer.protocol} with a valid certificate"
            f" for {ask.name or ask.host}, from {answer.origin}",
            severity="info",
            at=answer.at,
            data=data | {"protocol": answer.protocol, "wants_certificate": answer.wants_certificate},
            quotes=(probe_quote(answer),),
        )


def _failed(answer: answers.Shaken, about: Ref, data: Json) -> Iterator[Signal]:
    if answer.end in ("refused_tls", "malformed") and not answer.faults:
        yield Signal(
            id="net.tls_failed",
            entity=about,
            text=f"no TLS with {answer.ask.host} port {answer.ask.port}: {answer.why}",
            severity="critical",
            at=answer.at,
            data=data | {"alert": answer.alert, "why": answer.why},
            quotes=(probe_quote(answer),),
        )


def _certificate(answer: answers.Shaken, about: Ref, data: Json, fault: str) -> Signal:
    return Signal(
        id="net.certificate",
        entity=about,
        text=f"the certificate of {data['host']} port {answer.ask.port} {SAYS[fault](answer)}",
        severity="warning" if fault == "weak" else "critical",
        at=answer.at,
        data=data | {"why": fault} | _dates(answer),
        quotes=(probe_quote(answer, "wrong with it:"), *_own(answer)),
    )


def _own(answer: answers.Shaken) -> Iterator[Quote]:
    if answer.chain:
        yield probe_quote(answer, "certificate 0")


def _dates(answer: answers.Shaken) -> Json:
    """Dates of the server's own certificate, and the whole days that it is still valid (below 0: was)."""
    own = answer.chain[0] if answer.chain else None
    if own is None or own.not_before is None or own.not_after is None:
        return {}
    left = (own.not_after - clock(answer)).days
    dates = {"not_before": rfc3339(own.not_before), "not_after": rfc3339(own.not_after)}
    return dates | {"days_left": left, "subject": own.subject, "issuer": own.issuer}


def clock(answer: answers.Shaken) -> datetime:
    """The clock that the certificates were judged by."""
    return answer.clock or answer.at


def _expired(answer: answers.Shaken) -> str:
    now = clock(answer)
    late = [
        (each.not_after, each.subject) for each in answer.chain if each.not_after and each.not_after < now
    ]
    if not late:
        return "stands on an issuer that is expired"
    at, subject = min(late)
    return f"is expired: {subject} was valid until {rfc3339(at)}, {ago(at, now)}"


def _early(answer: answers.Shaken) -> str:
    now = clock(answer)
    dated = [(each.not_before, each.subject) for each in answer.chain if each.not_before]
    early = [(at, subject) for at, subject in dated if at > now]
    if not early:
        return "stands on an issuer that is not valid yet"
    at, subject = max(early)
    return f"is not valid yet: {subject} is valid from {rfc3339(at)}, in {duration(at - now)}"


def _misnamed(answer: answers.Shaken) -> str:
    names = answer.chain[0].names if answer.chain else ()
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    whose = ", ".join(names[:6]) or "no name"
    return f"is not for {answer.ask.name or answer.ask.host}: it is for {whose}{more}"


def _unknown(answer: answers.Shaken) -> str:
    if len(answer.chain) == 1:
        issuer = answer.chain[0].issuer
        return f"comes from {issuer}, who is not trusted there; the server sends no other certificate"
    return f"comes from {answer.chain[-1].issuer if answer.chain else 'nobody'}, who is not trusted there"


def _weak(answer: answers.Shaken) -> str:
    keys = ", ".join(each.key for each in answer.chain if each.key)
    return f"or the protocol is weak: {answer.protocol}, keys {keys or 'unknown'}"


def _broken(answer: answers.Shaken) -> str:
    problem = next((each.problem for each in answer.chain if each.problem), "")
    return (
        f"is broken: {problem}"
        if problem
        else "is broken: it is not for servers, or a signature does not fit"
    )


SAYS: Mapping[str, Says] = {
    "expired": _expired,
    "not_yet_valid": _early,
    "wrong_name": _misnamed,
    "self_signed": lambda answer: "is signed by its holder alone, and not trusted there",
    "unknown_issuer": _unknown,
    "weak": _weak,
    "broken": _broken,
}


def _skewed(answer: answers.Shaken, data: Json) -> Iterator[Signal]:
    """The origin's clock: against the world's, or by certificates of which not one is valid yet. An issuer's
    is older than what it signs, so that a chain as a whole does not come from the future."""
    differs = clock(answer) - answer.at
    begins = [each.not_before for each in answer.chain if each.not_before]
    if abs(differs) >= SKEW:
        which = "ahead of" if differs > timedelta() else "behind"
        said = f"the clock of {answer.origin} is {duration(abs(differs))} {which} the world's"
        yield _skew(answer, data, said, differs, at_least=False)
    elif len(begins) > 1 and min(begins) - clock(answer) >= SKEW:
        behind = max(begins) - clock(answer)
        said = (
            f"all {len(begins)} certificates of {data['host']} begin after the clock of {answer.origin}:"
            f" it is at least {duration(behind)} behind"
        )
        yield _skew(answer, data, said, -behind, at_least=True)


def _skew(answer: answers.Shaken, data: Json, said: str, differs: timedelta, at_least: bool) -> Signal:
    return Signal(
        id="net.clock_skew",
        entity=origin(answer),
        text=said,
        severity="critical",
        at=answer.at,
        data=data | {"seconds": int(differs.total_seconds()), "at_least": at_least},
        quotes=(probe_quote(answer, "judged at"), *_own(answer)),
    )
