"""DNS of a recorded network: what follows from its zones and servers."""

from pathlib import Path

import pytest

from opssquad.worlds.net import asks
from tests.worlds.net.recorded import SERVER, network, written


@pytest.mark.parametrize(
    ("name", "kind", "status", "records", "tried"),
    [
        ("edge.tern.example.", "A", "NOERROR", ["192.0.2.80"], ["edge.tern.example."]),
        ("www.tern.example.", "A", "NOERROR", ["edge.tern.example.", "192.0.2.80"], ["www.tern.example."]),
        ("www.tern.example.", "CNAME", "NOERROR", ["edge.tern.example."], ["www.tern.example."]),
        ("far.tern.example.", "A", "NOERROR", ["cdn.elsewhere.example."], ["far.tern.example."]),
        ("new.apps.tern.example.", "A", "NOERROR", ["192.0.2.81"], ["new.apps.tern.example."]),
        ("tree.apps2.tern.example.", "A", "NOERROR", [], ["tree.apps2.tern.example."]),
        ("x.apps2.tern.example.", "A", "NXDOMAIN", [], ["x.apps2.tern.example."]),
        ("edge.tern.example.", "MX", "NOERROR", [], ["edge.tern.example."]),
        ("EDGE.tern.example.", "A", "NOERROR", ["192.0.2.80"], ["edge.tern.example."]),
        ("edge", "A", "NOERROR", ["192.0.2.80"], ["edge.shop.tern.example.", "edge.tern.example."]),
    ],
)  # fmt: skip
async def test_a_server_answers_from_its_zones(
    tmp_path: Path, name: str, kind: asks.RecordType, status: str, records: list[str], tried: list[str]
) -> None:
    found = await network(written(tmp_path, SERVER)).lookup(asks.Lookup(name=name, type=kind))
    assert (found.end, found.status) == ("ok", status)
    assert [each.data for each in found.records] == records
    assert list(found.tried) == tried
    assert found.server == "192.0.2.53"
    assert found.authoritative


async def test_a_name_that_is_not_there_comes_with_the_zone_that_says_so(tmp_path: Path) -> None:
    found = await network(written(tmp_path, SERVER)).lookup(asks.Lookup(name="gone.tern.example."))
    assert found.status == "NXDOMAIN"
    assert [(each.name, each.type) for each in found.authority] == [("tern.example.", "SOA")]


async def test_an_address_is_named_by_its_reverse_zone(tmp_path: Path) -> None:
    head = "$ORIGIN 2.0.192.in-addr.arpa.\n@ 60 IN SOA a. b. 1 2 3 4 5\n@ 60 IN NS a.\n"
    zone = f"{head}80 60 IN PTR edge.tern.example.\n"
    told = "servers:\n  - {address: 192.0.2.53, zones: [tern, back]}\n"
    folder = written(tmp_path, told, zones__back_zone=zone)
    found = await network(folder).lookup(asks.Lookup(name="192.0.2.80", type="PTR"))
    assert [each.data for each in found.records] == ["edge.tern.example."]


async def test_the_next_resolver_is_asked_where_one_is_silent(tmp_path: Path) -> None:
    told = "servers:\n  - {address: 192.0.2.53, zones: [tern]}\n  - {address: 192.0.2.99, answers: silent}\n"
    ask = asks.Lookup(name="edge.tern.example", origin="node/k2", seconds=4)
    found = await network(written(tmp_path, told)).lookup(ask)
    assert (found.end, found.server, found.origin) == ("ok", "192.0.2.53", "node k2")
    assert found.ms > 2000


@pytest.mark.parametrize(
    ("answers", "end", "status"),
    [
        ("silent", "timeout", ""),
        ("unreachable", "unreachable", ""),
        ("refused", "ok", "REFUSED"),
        ("servfail", "ok", "SERVFAIL"),
        ("nxdomain", "ok", "NXDOMAIN"),
    ],
)
async def test_a_server_that_is_asked_itself_may_give_no_answer(
    tmp_path: Path, answers: str, end: str, status: str
) -> None:
    told = f"servers:\n  - {{address: 192.0.2.54, answers: {answers}}}\n"
    ask = asks.Lookup(name="edge.tern.example.", server="192.0.2.54")
    found = await network(written(tmp_path, told)).lookup(ask)
    assert (found.end, found.status) == (end, status)


async def test_a_server_that_takes_longer_than_the_deadline_is_late(tmp_path: Path) -> None:
    told = "servers:\n  - {address: 192.0.2.53, zones: [tern], ms: 3000}\n"
    net = network(written(tmp_path, told))
    assert (await net.lookup(asks.Lookup(name="edge.tern.example.", seconds=2))).end == "timeout"
    patient = await net.lookup(asks.Lookup(name="edge.tern.example.", seconds=5))
    assert (patient.end, patient.ms) == ("ok", 3000)


async def test_a_server_may_answer_some_origins_otherwise(tmp_path: Path) -> None:
    told = """\
        servers:
          - {address: 192.0.2.53, answers: refused, origins: [node/k2]}
          - {address: 192.0.2.53, zones: [tern]}
        """
    net = network(written(tmp_path, told))
    ask = asks.Lookup(name="edge.tern.example.", server="192.0.2.53")
    assert (await net.lookup(ask)).status == "NOERROR"
    assert (await net.lookup(ask.model_copy(update={"origin": "node/k2"}))).status == "REFUSED"


@pytest.mark.parametrize("ask", [
    asks.Lookup(name="other.example."),
    asks.Lookup(name="edge.tern.example.", server="192.0.2.200"),
    asks.Lookup(name="edge.tern.example", origin="node/k2"),
], ids=["zone", "server", "resolver"])  # fmt: skip
async def test_what_nothing_tells_of_dns_was_not_recorded(tmp_path: Path, ask: asks.Lookup) -> None:
    found = await network(written(tmp_path, SERVER)).lookup(ask)
    assert found.end == "not_recorded"
    assert found.why


async def test_names_that_alias_each_other_are_a_failure_of_the_server(tmp_path: Path) -> None:
    zone = (
        "$ORIGIN ring.example.\n@ 60 IN SOA a. b. 1 2 3 4 5\n@ 60 IN NS a.\na 5 IN CNAME b\nb 5 IN CNAME a\n"
    )
    told = "servers:\n  - {address: 192.0.2.53, zones: [ring]}\n"
    found = await network(written(tmp_path, told, zones__ring_zone=zone)).lookup(
        asks.Lookup(name="a.ring.example.")
    )
    assert found.status == "SERVFAIL"
