"""Signals about how a probe ended, and about parts of it that took long; whatever the kind of probe. Pure."""

from collections.abc import Iterator, Mapping

from opssquad import Json, Ref, Signal, answers, probe_quote

SLOW = 1000.0
"""Milliseconds from which a part is slow: TCP sends a lost packet again after 1 s (RFC 6298), so less is the
way and the work, and more is a loss, a queue, or somebody who is busy."""
ENDS: Mapping[str, tuple[str, str]] = {
    "refused": ("net.refused", "refuses connections"),
    "timeout": ("net.timeout", "does not answer"),
    "unreachable": ("net.unreachable", "cannot be reached"),
    "reset": ("net.reset", "resets the connection"),
    "closed": ("net.reset", "hangs up"),
    "unresolved": ("net.unresolved", "has no address"),
}
"""Ends that are facts about the other side: the signal, and what it does. That we may not, cannot, or have no
record are none."""


def origin(answer: answers.Answer) -> Ref:
    """From where it was probed, as an object: `Node//w2`, or `Host//here`."""
    kind, _, name = answer.ask.origin.partition("/")
    return Ref(kind="Node", name=name) if kind == "node" and name else Ref(kind="Host", name="here")


def node(answer: answers.Answer) -> str:
    """The name of the node that it was probed from; empty where that is none."""
    place = origin(answer)
    return place.name if place.kind == "Node" else ""


def facts(answer: answers.Answer, host: str, port: int, address: str = "") -> Json:
    """What every signal about a probe tells."""
    asked = answer.ask.origin or "here"
    return {"host": host, "port": port, "address": address, "origin": asked, "ms": round(answer.ms, 1)}


def ended(answer: answers.Answer, about: Ref, data: Json) -> Iterator[Signal]:
    """A probe that got no answer; nothing for one that did. Where the data say that the connection was
    `opened`, the way there is well, and whoever accepted it is not."""
    if answer.end not in ENDS:
        return
    name, does = ENDS[answer.end]
    if answer.end == "timeout" and data.get("opened"):
        does = "accepts connections, and does not answer in time"
    why = f": {answer.why}" if answer.why else ""
    yield Signal(
        id=name,
        entity=about,
        text=f"{_place(data)} {does}, asked from {answer.origin}{why}",
        severity="critical",
        at=answer.at,
        data=data | {"how": answer.end},
        quotes=(probe_quote(answer),),
    )


def _place(data: Json) -> str:
    return f"{data['host']} port {data['port']}" if data["port"] else str(data["host"])


def slow(answer: answers.Answer, about: Ref, data: Json, parts: Mapping[str, float]) -> Iterator[Signal]:
    """Parts (`resolve`, `connect`, `tls`, `first_byte`) that took over a second."""
    for part, ms in parts.items():
        if ms > SLOW:
            yield Signal(
                id="net.slow",
                entity=about,
                text=f"{part.replace('_', ' ')} of {data['host']} took {ms / 1000:.1f} s,"
                f" from {answer.origin}",
                at=answer.at,
                data=data | {"part": part, "ms": round(ms, 1)},
                quotes=(probe_quote(answer),),
            )
