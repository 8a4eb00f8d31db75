"""Signals about HTTP: errors, refusals, circles, certificates, clocks, and that it works. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from opssquad import Json, Ref, Signal, answers, duration, probe_quote

from .ends import ended, facts, slow
from .tls import SKEW

REDIRECTS = range(300, 400)
DENIED = (401, 403, 407)
MESH = "RBAC: access denied"
"""What Envoy answers where an authorization policy of the mesh does not let a request pass."""


def fetched(answer: answers.Fetched, about: Ref, host: str, port: int) -> Iterator[Signal]:
    """All that a request shows."""
    last = answer.steps[-1] if answer.steps else None
    data = facts(answer, host, port, last.address if last else "") | {"url": answer.ask.url}
    # A step is kept once its connection is there; one more may have failed after the last redirect.
    data["opened"] = last is not None and last.status not in REDIRECTS
    yield from ended(answer, about, data)
    yield from _answered(answer, about, data)
    yield from (_certificate(answer, about, data, each) for each in answer.faults)
    yield from skewed(answer, about, data)
    for each in answer.steps:
        parts = {
            "resolve": each.resolve_ms, "connect": each.connect_ms, "tls": each.tls_ms,
            "first_byte": each.first_byte_ms,
        }  # fmt: skip
        yield from slow(answer, about, data | {"url": each.url}, parts)


def _answered(answer: answers.Fetched, about: Ref, data: Json) -> Iterator[Signal]:
    last = answer.steps[-1] if answer.steps else None
    status = last.status if last else 0
    data = data | {"status": status}
    if answer.end == "too_much" and 300 <= status < 400:
        followed = len(answer.steps) - 1
        said = f"redirects without an end, after {followed} that were followed without cookies: {answer.why}"
        yield _signal(answer, about, "net.redirect_loop", said, data | {"redirects": followed})
    elif answer.end in ("malformed", "too_much", "refused_tls"):
        yield _signal(answer, about, "net.http_error", f"gives no HTTP reply: {answer.why}", data)
    elif status in DENIED and last:
        mesh = MESH in answer.body
        by = " (an authorization policy of the mesh)" if mesh else ""
        said = f"denies the request: HTTP {status} {last.reason}{by}"
        yield _signal(answer, about, "net.http_denied", said, data | {"mesh": mesh}, MESH if mesh else "")
    elif status >= 400 and last:
        yield _signal(answer, about, "net.http_error", f"answers HTTP {status} {last.reason}".rstrip(), data)
    elif answer.end == "ok" and last:
        yield _signal(answer, about, "net.serves", f"answers HTTP {status} in {answer.ms:.0f} ms", data)


def _signal(answer: answers.Fetched, about: Ref, name: str, said: str, data: Json, word: str = "") -> Signal:
    bad = "warning" if 400 <= data["status"] < 500 else "critical"
    head = probe_quote(answer)
    return Signal.model_validate(
        {
            "id": name,
            "entity": about,
            "text": f"{answer.ask.url} {said}, from {answer.origin}",
            "severity": "info" if name == "net.serves" else bad,
            "at": answer.at,
            "data": data,
            "quotes": (head, probe_quote(answer, word)) if word else (head,),
        }
    )


def _certificate(answer: answers.Fetched, about: Ref, data: Json, fault: str) -> Signal:
    return Signal(
        # A handshake tells more of it, and must not be taken for the older look at the same.
        id="http.certificate",
        entity=about,
        text=f"a certificate on the way to {answer.ask.url} is wrong: {fault.replace('_', ' ')}",
        severity="warning" if fault == "weak" else "critical",
        at=answer.at,
        data=data | {"why": fault},
        quotes=(probe_quote(answer, "wrong with its certificate:"),),
    )


def skewed(answer: answers.Fetched, about: Ref, data: Json) -> Iterator[Signal]:
    """A server whose Date is not ours. A cache's reply has the date of when it was made, and its age."""
    dated = [(each, at) for each in answer.steps if (at := _date(each)) is not None]
    if not dated:
        return
    step, at = dated[-1]
    differs = at - answer.at
    # Between both the probe ran: so much is nobody's fault.
    if abs(differs) - timedelta(milliseconds=answer.ms) < SKEW:
        return
    which = "ahead of" if differs > timedelta() else "behind"
    yield Signal(
        id="net.clock_skew",
        entity=about,
        text=f"the clock of {step.address} is {duration(abs(differs))} {which} that of {answer.origin}",
        at=answer.at,
        data=data
        | {"seconds": int(differs.total_seconds()), "at_least": False, "date": step.headers["date"]},
        quotes=(probe_quote(answer, f"date: {step.headers['date']}"),),
    )


def _date(step: answers.Step) -> datetime | None:
    try:
        at = parsedate_to_datetime(step.headers.get("date", ""))
        age = timedelta(seconds=min(int(step.headers.get("age", "0")), 10**9))
    except ValueError:
        return None
    return at + age if at.tzinfo else None
