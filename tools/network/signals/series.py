"""Signals about the same probe several times: what is lost, and how slow it is for most. Pure."""

from collections.abc import Iterator, Sequence

from opssquad import Json, Ref, Signal, answers, series

from .ends import SLOW, ended, facts, node, origin

ENOUGH = 10
"""Probes from which a lost one counts: of few, one that is lost says nothing about the way."""
Probe = answers.Connected | answers.Echoed


def several(found: Sequence[Probe], about: Ref, *, silence: bool = True) -> Iterator[Signal]:
    """What the answers have in common, quoted from the series. `silence`: that nothing comes back at all is a
    fact about the host."""
    spread, quotes = series.spread(found), (series.quote(found),)
    data = _data(found) | {"sent": spread.sent, "lost": spread.lost, "loss": spread.loss}
    data |= {"percent": spread.loss, "p50": round(spread.p50, 1), "p95": round(spread.p95, 1)}
    for each in first_of_each_end(found):
        if each.end != "timeout" or silence and spread.lost == spread.sent:
            more = data | {"times": spread.ends.get(each.end, 0)}
            for signal in ended(each, about, more):
                yield signal.model_copy(update={"quotes": quotes})
    if 0 < spread.lost < spread.sent and spread.sent >= ENOUGH and not rationed(found):
        yield _lost(found, about, data)
    if spread.p95 > SLOW:
        yield Signal(
            id="net.slow",
            entity=about,
            text=f"of {spread.good} connections to {data['host']} 5 % take {spread.p95 / 1000:.1f} s or more,"
            f" from {found[0].origin}",
            at=found[0].at,
            data=data | {"part": "connect", "ms": round(spread.p95, 1)},
            quotes=quotes,
        )
    opened = next((each for each in found if isinstance(each, answers.Connected) and each.end == "ok"), None)
    if opened:
        yield Signal(
            id="net.open",
            entity=about,
            text=f"{data['host']} port {data['port']} accepts connections, {spread.good} of {spread.sent},"
            f" asked from {opened.origin}",
            severity="info",
            at=opened.at,
            data=data,
            quotes=quotes,
        )


def rationed(found: Sequence[Probe]) -> bool:
    """Whether answers may fail to come that were not lost: UDP echoes are answered by ICMP errors, of which
    Linux sends each peer a handful and then one a second (`icmp_ratelimit`)."""
    return any(isinstance(each, answers.Echoed) and each.how == "udp" for each in found)


def _data(found: Sequence[Probe]) -> Json:
    shown = next((each for each in found if each.end == "ok"), found[0])
    port = shown.ask.port if isinstance(shown, answers.Connected) else 0
    return facts(shown, shown.ask.host, port, shown.address)


def first_of_each_end(found: Sequence[Probe]) -> list[Probe]:
    """One answer for each way to end, in the order of the asking."""
    firsts: dict[str, Probe] = {}
    for each in found:
        firsts.setdefault(each.end, each)
    return list(firsts.values())


def _lost(found: Sequence[Probe], about: Ref, data: Json) -> Signal:
    spread, first = series.spread(found), found[0]
    return Signal(
        id="net.loss",
        # From a node it is the node's way that was measured: which host it leads to is in the data.
        entity=origin(first) if first.ask.origin else about,
        text=f"{spread.loss:g} % of {spread.sent} probes from {first.origin} to {data['host']} are lost",
        at=first.at,
        data=data | {"node": node(first)},
        quotes=(series.quote(found),),
    )
