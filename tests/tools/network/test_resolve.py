"""The tool `resolve`, on real DNS servers and a served cluster."""

from collections.abc import AsyncIterator

import dns.message
import pytest
from tools.network.resolve import resolve

from opssquad import Cluster, ToolError
from opssquad.worlds.net.here import Here, Resolvers
from tests.network.certificates import AT
from tests.network.servers import closed_port, dns_server, silent, zone
from tests.tools.network.probing import run
from tests.tools.served import cluster_of

NAME = "orders.trade.svc.cluster.local."


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with cluster_of("brew-0111") as found:
        yield found


@pytest.fixture
async def bare() -> AsyncIterator[Cluster]:
    """A cluster in which no DNS of its own is seen."""
    async with cluster_of("auth-0308") as found:
        yield found


async def test_a_name_that_resolves_is_told_with_its_records_and_no_fault() -> None:
    async with dns_server(zone("pay.example. 30 A 10.0.0.1")) as serving:
        found = await run(resolve, name="pay.example.", servers=serving.place)
    assert found.signals == ()
    assert "pay.example. 30 A 10.0.0.1" in found.text
    assert found.data["answers"][0]["values"] == ["10.0.0.1"]
    assert found.commands == (f"dig @127.0.0.1 -p {serving.port} +search pay.example. A",)


async def test_a_name_that_is_not_there_is_unresolved() -> None:
    async with dns_server(zone("pay.example. 30 A 10.0.0.1", "pay.example. 30 AAAA fd00::1")) as serving:
        found = await run(resolve, name="cart.example.", servers=serving.place)
        (signal,) = found.signals
        assert (signal.id, str(signal.entity)) == ("net.unresolved", "Host//cart.example")
        assert signal.data["status"] == "NXDOMAIN"
        assert signal.data["origin"] == "here"
        assert signal.text.endswith(f"NXDOMAIN from {serving.place}, asked from here (test)")


async def test_only_a_missing_a_record_is_a_fault() -> None:
    async with dns_server(zone("pay.example. 30 AAAA fd00::1", "cart.example. 30 A 10.0.0.1")) as serving:
        found = await run(resolve, name="pay.example.", servers=serving.place)
        assert [(each.id, each.severity) for each in found.signals] == [("net.unresolved", "warning")]
        found = await run(resolve, name="cart.example.", type="AAAA", servers=serving.place)
        assert found.signals == ()


async def test_a_server_that_does_not_answer_is_told_beside_the_name() -> None:
    with closed_port() as port:
        found = await run(resolve, name="pay.example.", servers=f"127.0.0.1:{port}")
    assert [(each.id, str(each.entity)) for each in found.signals] == [
        ("net.refused", "Host//127.0.0.1"),
        ("net.unresolved", "Host//pay.example"),
    ]
    assert found.signals[1].data["status"] == "refused"


async def test_servers_that_differ_are_told_with_what_each_says() -> None:
    right = zone("pay.example. 30 A 10.0.0.1", "pay.example. 30 A 10.0.0.2")
    same = zone("pay.example. 90 A 10.0.0.2", "pay.example. 90 A 10.0.0.1")
    wrong = zone("pay.example. 30 A 10.9.9.9")
    async with dns_server(right) as one, dns_server(same) as two, dns_server(wrong) as three:
        found = await run(resolve, name="pay.example.", servers=f"{one.place}, {two.place}")
        assert found.signals == ()
        found = await run(resolve, name="pay.example.", servers=f"{one.place}, {three.place}")
    (signal,) = found.signals
    assert (signal.id, len(signal.quotes)) == ("net.servers_differ", 2)
    assert signal.data["answers"] == {one.place: "10.0.0.1, 10.0.0.2", three.place: "10.9.9.9"}


async def test_a_service_whose_name_leads_elsewhere_has_a_wrong_address(bare: Cluster) -> None:
    service = await bare.get("Service", "auth-service", "authentication")
    own = service["spec"]["clusterIP"]
    name = "auth-service.authentication.svc.cluster.local."
    async with dns_server(zone(f"{name} 30 A {own}")) as serving:
        assert (await run(resolve, bare, name=name, servers=serving.place)).signals == ()
    async with dns_server(zone(f"{name} 30 A 10.1.1.1")) as serving:
        (signal,) = (await run(resolve, bare, name=name, servers=serving.place)).signals
    assert (signal.id, str(signal.entity)) == (
        "net.wrong_address",
        "Service/authentication/auth-service",
    )
    assert (signal.data["expected"], signal.data["got"]) == ([own], ["10.1.1.1"])


async def test_a_resolver_that_is_not_the_clusters_need_not_know_a_service(cluster: Cluster) -> None:
    async with dns_server(zone("pay.example. 30 A 10.0.0.1")) as serving:
        found = await run(resolve, cluster, name=NAME, servers=serving.place)
    assert found.signals == ()
    assert f"{serving.place} is not the cluster's DNS: it need not know Service trade/orders" in found.text


async def test_the_origins_own_resolver_is_asked_where_none_is_named() -> None:
    async with dns_server(zone("pay.shop. 30 A 10.0.0.1")) as serving:
        here = Here(words="pod", now=lambda: AT, resolvers=Resolvers((serving.place,), ("shop",), 5))
        found = await run(resolve, here=here, name="pay")
        both = await run(resolve, here=here, name="pay", servers=f"own, {serving.place}")
    assert found.data["answers"] == [
        {"server": serving.place, "status": "NOERROR", "name": "pay.shop.", "values": ["10.0.0.1"]}
    ]
    assert len(both.data["answers"]) == 2
    assert found.commands == ("dig +search pay A",)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"name": "http://user:hunter2@pay/"}, "without a user"),
        ({"name": "pay", "servers": "dns.example"}, "give its address"),
        ({"name": "pay", "servers": ",".join(f"10.0.0.{each}" for each in range(6))}, "at most 5"),
        ({"name": "pay", "type": "ANY"}, "type"),
        ({"name": "pay", "origin": "node/w9"}, "nothing probes from 'node/w9'"),
    ],
)
async def test_what_cannot_be_asked_is_one_clear_line(args: dict[str, str], why: str) -> None:
    with pytest.raises(ToolError, match=why) as refusal:
        await run(resolve, **args)
    assert "hunter2" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


async def test_a_slow_answer_is_told_with_how_long_it_took() -> None:
    lost = []

    def late(query: dns.message.Message, by_tcp: bool) -> bytes | None:
        lost.append(query.id)
        return zone("pay.example. 30 A 10.0.0.1")(query, by_tcp) if len(lost) > 1 else silent(query, by_tcp)

    async with dns_server(late) as serving:
        (signal,) = (await run(resolve, name="pay.example.", servers=serving.place)).signals
    assert (signal.id, signal.data["part"]) == ("net.slow", "resolve")
    assert signal.data["ms"] > 1000
