"""Signals about what a kernel says of its sockets: full tables, segments that are sent again. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from opssquad import Json, Signal, answers, probe_quote

from .ends import apart, node, origin
from .tls import SKEW

FULL = 0.95
"""Of a table. The kernel drops what is new at 100 %, and a burst of a second fills 5 %."""
AGAIN = 0.02
"""Of segments. Networks in one house lose far less than one of a thousand; from 1 % on throughput breaks
down, and what was a bad minute long ago is hidden by the total since boot."""
ENOUGH = 1000
"""Segments from which their share says something."""


def sockets(answer: answers.SocketsSeen) -> Iterator[Signal]:
    """All that it shows. The object is the place that was asked."""
    yield from _skewed(answer)
    if answer.end != "ok":
        return
    first, last = answer.ephemeral_range
    ports = last - first + 1 if last else 0
    yield from _full(answer, "conntrack", answer.conntrack, answer.conntrack_max, "nf_conntrack count")
    yield from _full(answer, "ephemeral", answer.ephemeral_used, ports, "ephemeral ports")
    if answer.segments_out > ENOUGH and answer.retransmitted / answer.segments_out >= AGAIN:
        share = round(100 * answer.retransmitted / answer.segments_out, 1)
        more = {"out": answer.segments_out, "retransmitted": answer.retransmitted, "percent": share}
        text = f"{share:g} % of {answer.segments_out} TCP segments since boot were sent again"
        yield _signal(answer, "net.retransmits", text, "segments out", more)


def _skewed(answer: answers.SocketsSeen) -> Iterator[Signal]:
    differs = answer.clock - answer.at if answer.clock else timedelta()
    if abs(differs) >= SKEW:
        text = f"its clock is {apart(differs)} that of the cluster"
        more = {"seconds": int(differs.total_seconds())}
        yield _signal(answer, "net.clock_skew", text, "clock ", more)


NAMES = {
    "conntrack": "the table of connections (nf_conntrack)",
    "ephemeral": "the range of ports for connections to one destination",
}


def _full(answer: answers.SocketsSeen, table: str, count: int, most: int, line: str) -> Iterator[Signal]:
    if most and count / most >= FULL:
        share = round(100 * count / most, 1)
        text = f"{NAMES[table]} is {share:g} % full: {count} of {most}"
        more = {"table": table, "count": count, "max": most, "percent": share}
        yield _signal(answer, "net.table_full", text, line, more)


def _signal(answer: answers.SocketsSeen, id: str, text: str, line: str, more: Json) -> Signal:
    asked = {"origin": answer.ask.origin or "here", "node": node(answer), "ms": round(answer.ms, 1)}
    return Signal(
        id=id,
        entity=origin(answer),
        text=f"{text}, at {answer.origin}",
        severity="critical",
        at=answer.at,
        data=asked | more,
        quotes=(probe_quote(answer, line),),
    )
