"""Signals about one TCP connection, and about the way that a trace went. Pure."""

import errno
import os
from collections.abc import Iterator

from opssquad import Ref, Signal, answers, probe_quote

from .ends import ended, facts, slow

NO_ROUTE = os.strerror(errno.ENETUNREACH).lower()


def connected(answer: answers.Connected, about: Ref) -> Iterator[Signal]:
    """How it ended, and what of it was slow."""
    ask = answer.ask
    data = facts(answer, ask.host, ask.port, answer.address)
    yield from ended(answer, about, data)
    # One that failed took as long as its deadline, which is ours.
    took = {"resolve": answer.resolve_ms, "connect": answer.ms if answer.end == "ok" else 0.0}
    yield from slow(answer, about, data, took)
    if answer.end == "ok":
        yield Signal(
            id="net.open",
            entity=about,
            text=f"{ask.host} port {ask.port} accepts connections, asked from {answer.origin}",
            severity="info",
            at=answer.at,
            data=data,
            quotes=(probe_quote(answer),),
        )


def unanswered(answer: answers.Connected, about: Ref, name: str) -> Iterator[Signal]:
    """That one of several addresses of a host does not answer, though another one does. Nothing where the
    place that asked has no route to such addresses at all, as most have none for IPv6."""
    if answer.why == NO_ROUTE:
        return
    ask = answer.ask
    data = facts(answer, f"{ask.host} (an address of {name})", ask.port, answer.address)
    yield from ended(answer, about, data | {"part_of": name})


def traced(answer: answers.Traced, about: Ref) -> Iterator[Signal]:
    """Who on the way refuses, and a link that carries less than ours. That nobody answers is no fact about
    the host: most routers and firewalls answer no trace."""
    data = facts(answer, answer.ask.host, answer.ask.port, answer.address)
    if answer.end != "timeout":
        yield from ended(answer, about, data)
    if 0 < answer.mtu < answer.link_mtu:
        yield _narrow(answer, about, data | {"mtu": answer.mtu, "link_mtu": answer.link_mtu})


def _narrow(answer: answers.Traced, about: Ref, data: dict[str, object]) -> Signal:
    carries = f"the way to {answer.ask.host} carries {answer.mtu} bytes, the link here {answer.link_mtu}"
    # Who is told sends less; who is not sends again until it gives up.
    how = "larger packets vanish without a word" if answer.silent else "senders are told"
    return Signal(
        id="net.mtu",
        entity=about,
        text=f"{carries}: {how}, asked from {answer.origin}",
        severity="critical" if answer.silent else "info",
        at=answer.at,
        data=data | {"silent": answer.silent},
        quotes=(probe_quote(answer, "bytes pass whole"),),
    )
