"""Tools that ask from several places: nodes whose probes are real ones, to ports of this machine."""

import socket
import sys
from collections.abc import Mapping
from datetime import datetime

import pytest
from tools.network.connect import connect, ping
from tools.network.handshake import handshake
from tools.network.http import http
from tools.network.resolve import resolve
from tools.network.sockets import sockets
from tools.network.trace import trace

from opssquad import Cluster, Json, Tool, ToolError
from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.live import Live
from tests.network.servers import closed_port, says, tcp_server
from tests.tools.network.probing import HERE, ids, run
from tests.tools.served import cluster_of

NAME = "cart.shop.svc.cluster.local"
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


class Nodes:
    """Here and nodes, all on this machine: a name is 127.0.0.1 from anywhere, and a port the one that its
    place gets to. `kernels` is what those of places say other than this one does, `seconds` a deadline that
    tests can wait for; `asked` are the probes."""

    def __init__(
        self, ports: Mapping[str, int], kernels: Mapping[str, Json] | None = None, seconds: float = 0.0
    ) -> None:
        self._ports, self._kernels, self._live = ports, kernels or {}, Live(HERE)
        self._soon: Json = {"seconds": seconds} if seconds else {}
        self.asked: list[asks.Ask] = []

    def now(self) -> datetime:
        return self._live.now()

    def login(self) -> Json:
        return self._live.login()

    def origins(self) -> dict[str, str]:
        return {"": HERE.words, **{each: each.replace("/", " ") for each in self._ports}}

    def resolvers(self, origin: str) -> list[str]:
        return self._live.resolvers(origin)

    async def probe(self, ask: asks.Ask) -> answers.Answer:
        self.asked.append(ask)
        there: Json = {"host": "127.0.0.1"} if isinstance(ask, asks.Connect | asks.Echo) else {}
        if isinstance(ask, asks.Connect):
            there["port"] = self._ports.get(ask.origin, ask.port)
        found = await self._live.probe(ask.model_copy(update=there | self._soon))
        told = {"ask": ask, "origin": self.origins()[ask.origin], **self._kernels.get(ask.origin, {})}
        return found.model_copy(update=told)


def names(count: int) -> list[str]:
    return [f"node/w{number}" for number in range(1, count + 1)]


def origins(nodes: Nodes) -> set[str]:
    return {each.origin for each in nodes.asked}


async def test_a_name_of_the_cluster_is_asked_from_every_node_and_first_is_told_which_differ() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        with closed_port() as closed:
            nodes = Nodes({"node/w1": server.port, "node/w2": closed, "node/w3": server.port})
            found = await run(connect, backend=nodes, host=NAME, port=80)
    first, *rest = found.text.splitlines()
    assert first == "Places differ. node/w1, node/w3: net.open; node/w2: net.refused"
    assert [each.partition(":")[0] for each in rest if each.startswith("From ")] == [
        "From node/w1",
        "From node/w2",
        "From node/w3",
    ]
    assert [(each.id, str(each.owner)) for each in found.signals] == [
        ("net.open", "Node//w1"),
        ("net.refused", "Node//w2"),
        ("net.open", "Node//w3"),
    ]


async def test_places_that_see_the_same_are_not_said_to_differ() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        nodes = Nodes(dict.fromkeys(names(2), server.port))
        found = await run(connect, backend=nodes, host=NAME, port=80, times=3)
    assert found.text.startswith("From node/w1: net.open:")
    assert "3 of 3 ok" in found.text
    assert len(nodes.asked) == 6


@pytest.mark.parametrize(("count", "left"), [(12, 0), (15, 3)])
async def test_twelve_places_are_asked_the_rest_is_counted_and_all_is_told_in_forty_lines(
    count: int, left: int
) -> None:
    async with tcp_server(says(reads="nothing")) as server:
        with closed_port() as closed:
            nodes = Nodes({**dict.fromkeys(names(count), server.port), "node/w2": closed})
            # `run` refuses a text of more than forty lines.
            found = await run(connect, backend=nodes, host=NAME, port=80, times=4)
    assert origins(nodes) == set(names(12))
    assert sum(line.startswith("From ") for line in found.text.splitlines()) == 12
    told = found.text.splitlines()[-1] == (
        f"Places that were not asked: {left} more; origin=node/w13 asks one of them."
    )
    assert told == bool(left)


@linux
async def test_a_server_whose_queue_is_full_does_not_answer_and_that_is_no_loss() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        # The queue takes one; the kernel drops what comes then.
        with socket.create_connection(("127.0.0.1", port)):
            found = await run(connect, backend=Nodes({}, seconds=0.3), host="127.0.0.1", port=port, times=10)
    assert [(each.id, each.data["lost"], each.data["sent"]) for each in found.signals] == [
        ("net.timeout", 10, 10)
    ]
    assert "no answer in 0.3 s" in found.text


async def test_an_origin_that_is_named_is_the_only_one() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        nodes = Nodes(dict.fromkeys(names(3), server.port))
        found = await run(connect, backend=nodes, host=NAME, port=80, origin="node/w2")
    assert origins(nodes) == {"node/w2"}
    assert found.data["end"] == "ok"
    with pytest.raises(ToolError, match="nothing probes from 'node/w9'"):
        await run(connect, backend=nodes, host=NAME, port=80, origin="node/w9")


async def test_here_is_a_place_that_can_be_named_and_then_a_name_of_the_cluster_is_asked_from_it() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        nodes = Nodes(dict.fromkeys(names(2), server.port))
        found = await run(connect, backend=nodes, host=NAME, port=server.port, origin="here")
    assert origins(nodes) == {""}
    assert ids(found) == ["net.open"]
    nodes = Nodes(dict.fromkeys(names(2), 80))
    await run(sockets, backend=nodes, origin="here")
    assert origins(nodes) == {""}


async def test_a_host_outside_is_asked_from_here_whatever_nodes_there_are() -> None:
    async with tcp_server(says(reads="nothing")) as server:
        nodes = Nodes(dict.fromkeys(names(2), server.port))
        await run(connect, backend=nodes, host="pay.example", port=server.port)
    assert origins(nodes) == {""}


@linux
async def test_the_address_of_a_service_is_pinged_from_every_node_and_without_any_from_here() -> None:
    async with cluster_of("auth-0308") as cluster:
        address = await _address(cluster)
        nodes = Nodes(dict.fromkeys(names(2), 80))
        found = await run(ping, cluster, backend=nodes, host=address, times=1)
        alone = Nodes({})
        await run(ping, cluster, backend=alone, host=address, times=1)
    assert origins(nodes) == {"node/w1", "node/w2"}
    assert list(found.data["places"]) == ["node/w1", "node/w2"]
    assert origins(alone) == {""}


async def _address(cluster: Cluster) -> str:
    service = await cluster.get("Service", "auth-service", "authentication")
    return str(service["spec"]["clusterIP"])


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        (connect, {"host": NAME, "port": 80}),
        (connect, {"host": "cart.shop.svc", "port": 80}),
        (ping, {"host": NAME}),
        (trace, {"host": NAME}),
        (handshake, {"host": NAME}),
        (http, {"url": f"http://{NAME}/"}),
        (resolve, {"name": NAME}),
    ],
)
async def test_where_nobody_is_inside_nothing_is_sent_to_a_name_of_the_cluster(
    tool: Tool, args: dict[str, object]
) -> None:
    nodes = Nodes({})
    found = await run(tool, backend=nodes, **args)
    assert (nodes.asked, found.signals, found.sources) == ([], (), ())
    assert "nothing was sent" in found.text
    assert "\n" not in found.text


@linux
async def test_the_sockets_of_every_place_are_read_and_a_full_table_is_its_nodes() -> None:
    well: Json = {"conntrack": 10, "conntrack_max": 1000, "segments_out": 0, "missing": (), "clock": None}
    well |= {"ephemeral_range": (0, 0)}
    full = well | {"conntrack": 990, "segments_out": 2000, "retransmitted": 100}
    nodes = Nodes(dict.fromkeys(names(2), 80), {"": well, "node/w1": well, "node/w2": full})
    found = await run(sockets, backend=nodes)
    assert origins(nodes) == {"", "node/w1", "node/w2"}
    assert found.text.startswith(
        "Places differ. here, node/w1: ok; node/w2: net.retransmits, net.table_full\n"
    )
    assert ids(found) == ["net.table_full", "net.retransmits"]
    assert [(str(each.entity), each.data["node"]) for each in found.signals] == [("Node//w2", "w2")] * 2
