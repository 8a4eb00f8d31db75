"""Which of several DNS servers is the odd one."""

import pytest
from tools.network.resolve import resolve
from tools.network.signals.dns import odd

from opssquad import answers, asks
from opssquad.worlds.net.here import Here, Resolvers
from tests.network.certificates import AT
from tests.network.servers import dns_server, zone
from tests.tools.network.probing import run

NAME = "pay.example."


def said(server: str, address: str, *, authoritative: bool = False) -> answers.Resolved:
    """What a server answers."""
    return answers.Resolved(
        ask=asks.Lookup(name=NAME, server=server),
        origin="here",
        at=AT,
        status="NOERROR",
        server=server,
        authoritative=authoritative,
        records=(answers.DnsRecord(name=NAME, type="A", ttl=30, data=address),),
    )


OWN = said("a", "10.0.0.1", authoritative=True)


def met(address: str, end: answers.End) -> answers.Connected:
    """How a connection to an address ended."""
    return answers.Connected(ask=asks.Connect(host=address, port=443), origin="here", at=AT, end=end)


@pytest.mark.parametrize(
    ("found", "tried", "strange"),
    [
        ([OWN, said("b", "10.0.0.9"), said("c", "10.0.0.9")], [], ["b", "c"]),
        ([said("a", "10.0.0.1"), said("b", "10.0.0.1"), said("c", "10.0.0.9")], [], ["c"]),
        ([said("a", "10.0.0.1"), said("b", "10.0.0.9")], [], []),
        (
            [said("a", "10.0.0.1"), said("b", "10.0.0.9")],
            [met("10.0.0.1", "refused"), met("10.0.0.9", "timeout")],
            ["b"],
        ),
        (
            [said("a", "10.0.0.1"), said("b", "10.0.0.9")],
            [met("10.0.0.1", "timeout"), met("10.0.0.9", "unreachable")],
            [],
        ),
        ([], [], []),
    ],
    ids=["authority", "most", "nothing tells", "nobody answers", "nobody answers at any", "no answer"],
)  # fmt: skip
def test_the_odd_one_is_told_only_where_something_tells(
    found: list[answers.Resolved], tried: list[answers.Connected], strange: list[str]
) -> None:
    assert odd(found, tried) == strange


async def test_each_resolver_of_the_place_is_asked_and_compared() -> None:
    """An address that may not be probed is none that nobody answers at."""
    async with (
        dns_server(zone(f"{NAME} 30 A 127.0.0.1", flags=0)) as first,
        dns_server(zone(f"{NAME} 30 A 127.0.0.77", flags=0)) as second,
    ):
        here = Here(
            words="here",
            now=lambda: AT,
            resolvers=Resolvers((first.place, second.place)),
            refuses=lambda host, address, port: "not that one" if address == "127.0.0.77" else "",
        )
        found = await run(resolve, None, here, name=NAME)
    (signal,) = [each for each in found.signals if each.id == "net.servers_differ"]
    assert signal.data["answers"] == {first.place: "127.0.0.1", second.place: "127.0.0.77"}
    assert signal.data["odd"] == []
    assert any(each.locator == "probe connect 127.0.0.1:443" for each in found.sources)
