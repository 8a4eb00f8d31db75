"""Signals about names: not there, answered differently, or with an address that is wrong. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from opssquad import Ref, Signal, answers, probe_quote

from .ends import ended, facts, slow

ADDRESSES = ("A", "AAAA")
PORT = 53


def address(server: str) -> str:
    """A server without its port."""
    if server.startswith("["):
        return server[1:].partition("]")[0]
    return server if server.count(":") > 1 else server.partition(":")[0]


def values(answer: answers.Resolved) -> tuple[str, ...]:
    """The data of the records of the type that was asked for, in a fixed order."""
    return tuple(sorted({each.data for each in answer.records if each.type == answer.ask.type}))


def gives(answer: answers.Resolved) -> str:
    """What a server answered, in words."""
    if not answer.status:
        return answer.end.replace("_", " ")
    if answer.status != "NOERROR":
        return answer.status
    return ", ".join(values(answer)) or f"no {answer.ask.type} records"


def unresolved(answer: answers.Resolved, about: Ref, server: Ref) -> Iterator[Signal]:
    """A name without an answer that helps, and the server that gave none. That a name has no AAAA, MX or
    TXT record is nothing wrong with it: only a missing A record is told."""
    name = answer.name or answer.ask.name
    data = facts(answer, name, PORT, answer.server) | {
        "server": answer.server, "status": answer.status or answer.end, "type": answer.ask.type,
        "tried": list(answer.tried),
    }  # fmt: skip
    if answer.end in ("timeout", "refused", "unreachable", "reset", "closed"):
        yield from ended(answer, server, data | {"host": answer.server or answer.ask.server})
    elif answer.end not in ("ok", "malformed", "too_much"):
        return
    bare = answer.status == "NOERROR" and not values(answer)
    if answer.status == "NOERROR" and not (bare and answer.ask.type == "A"):
        return
    yield Signal(
        id="net.unresolved",
        entity=about,
        text=f"{name} {answer.ask.type} is not resolved: {gives(answer)} from {answer.server or 'nobody'},"
        f" asked from {answer.origin}",
        severity="warning" if bare else "critical",
        at=answer.at,
        data=data,
        quotes=(probe_quote(answer),),
    )


def slowly(answer: answers.Resolved, about: Ref) -> Iterator[Signal]:
    """An answer that took long."""
    if answer.status:
        data = facts(answer, answer.name or answer.ask.name, PORT, answer.server)
        yield from slow(answer, about, data, {"resolve": answer.ms})


def odd(found: Sequence[answers.Resolved], tried: Sequence[answers.Connected] = ()) -> list[str]:
    """The servers that answer otherwise than those who answer for the zone; where none does, or they differ
    themselves, otherwise than most; else those of whose addresses nobody answers at any. None where nothing
    tells."""
    found = [each for each in found if each.status]
    if not found:
        return []
    sure = {gives(each) for each in found if each.authoritative}
    counts = Counter(gives(each) for each in found)
    (most, many), *others = counts.most_common()
    right = next(iter(sure)) if len(sure) == 1 else most if others and many > others[0][1] else ""
    if right:
        return [each.server for each in found if gives(each) != right]
    dead = _dead(tried)
    idle = [each.server for each in found if values(each) and dead.issuperset(values(each))]
    return idle if len(idle) < len(found) else []


def _dead(tried: Sequence[answers.Connected]) -> set[str]:
    """Addresses that nobody answers at, whichever port was tried. What may not be probed tells nothing."""
    there = {each.ask.host for each in tried if each.end not in ("timeout", "unreachable")}
    return {each.ask.host for each in tried} - there


def differ(
    found: Sequence[answers.Resolved], about: Ref, tried: Sequence[answers.Connected] = ()
) -> Iterator[Signal]:
    """Servers that answer one question differently; those that did not answer count for nothing. `tried` are
    connections to addresses that only some of them give."""
    there = [each for each in found if each.status]
    said = {each.server: gives(each) for each in there}
    if len(set(said.values())) < 2:
        return
    first = there[0]
    strange = [str(Ref(kind="Host", name=address(each))) for each in odd(there, tried)]
    dead = sorted(_dead(tried))
    silent = f"; nobody answers at {', '.join(dead)}" if dead and strange else ""
    data = facts(first, first.ask.name, PORT) | {"type": first.ask.type, "answers": said, "odd": strange}
    yield Signal(
        id="net.servers_differ",
        entity=about,
        text=f"{first.ask.name} {first.ask.type} differs: "
        + "; ".join(f"{server} says {what}" for server, what in said.items())
        + silent,
        at=first.at,
        data=data,
        quotes=(*map(probe_quote, there), *(probe_quote(each) for each in tried if each.ask.host in dead)),
    )


def wrong(answer: answers.Resolved, service: Ref, addresses: Collection[str]) -> Iterator[Signal]:
    """A Service's name that leads to an address that is none of the Service's own."""
    strange = [each for each in values(answer) if each not in addresses]
    if answer.ask.type not in ADDRESSES or not addresses or not strange:
        return
    yield Signal(
        id="net.wrong_address",
        entity=service,
        text=f"{answer.name} is {', '.join(strange)} for {answer.server}, but Service {service.namespace}/"
        f"{service.name} has {', '.join(addresses)}",
        severity="critical",
        at=answer.at,
        data=facts(answer, answer.name, PORT, strange[0])
        | {"server": answer.server, "expected": list(addresses), "got": strange},
        quotes=tuple(probe_quote(answer, each) for each in strange[:3]),
    )
