"""What the kernel writes of sockets, read strictly; and the real files of this machine."""

import socket
import sys
from pathlib import Path

import pytest

from opssquad.worlds.net import asks
from opssquad.worlds.net.answers import Listener, SocketsSeen
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.kernel import Entry, counters, entries, ephemeral_used, listeners, seen, span
from opssquad.worlds.net.live import Live

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
little = pytest.mark.skipif(
    sys.byteorder != "little", reason="the addresses are as little-endian kernels have"
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def row(own: str, peer: str, state: str) -> str:
    return f"   0: {own} {peer} {state} 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100\n"


@little
def test_addresses_are_words_in_the_order_of_the_machine() -> None:
    four = row("0100007F:1F90", "0101000A:01BB", "01")
    six = row("B80D0120000000000000000001000000:0016", "0" * 32 + ":0000", "0A")
    assert entries(HEAD + four + six) == [
        Entry("127.0.0.1", 8080, "10.0.1.1", 443, "ESTABLISHED"),
        Entry("2001:db8::1", 22, "::", 0, "LISTEN"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 is not the head"),
        (row("0100007F:1F90", "00000000:0000", "0A"), "line 1 is not the head"),
        (HEAD + row("0100007F:1F90", "00000000:0000", "0D"), "line 2 is no socket"),
        (HEAD + row("0100007F", "00000000:0000", "0A"), "line 2 is no socket"),
        (HEAD + row("01007F:1F90", "00000000:0000", "0A"), "line 2 is no socket"),
        (HEAD + "   0: 0100007F:1F90\n", "line 2 is no socket"),
    ],
)
def test_what_is_no_table_of_sockets_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        entries(text)


def test_counters_are_pairs_of_lines() -> None:
    text = "Tcp: OutSegs RetransSegs MaxConn\nTcp: 1000 7 -1\nUdp: InDatagrams\nUdp: 3\n"
    assert counters(text) == {
        "Tcp": {"OutSegs": 1000, "RetransSegs": 7, "MaxConn": -1},
        "Udp": {"InDatagrams": 3},
    }


@pytest.mark.parametrize(
    "text", ["", "Tcp: A\n", "Tcp: A B\nTcp: 1\n", "Tcp: A\nUdp: 1\n", "Tcp: A\nTcp: x\n"]
)
def test_counters_without_their_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"pairs|differ|invalid literal"):
        counters(text)


def test_a_range_of_ports_goes_up() -> None:
    assert span("32768\t60999\n") == (32768, 60999)
    for bad in ("60999 32768", "0 70000", "1", "a b"):
        with pytest.raises(ValueError, match=r"no ports|unpack|invalid literal"):
            span(bad)


def connection(port: int, peer: str = "10.0.0.9", peer_port: int = 443, state: str = "TIME_WAIT") -> Entry:
    return Entry("10.0.0.1", port, peer, peer_port, state)


def test_ports_are_used_up_towards_one_destination() -> None:
    towards = [connection(port) for port in range(40000, 40010)]
    elsewhere = [connection(port, "10.0.0.8") for port in range(40000, 40004)]
    below = [connection(port) for port in range(1024, 1030)]
    assert ephemeral_used([*towards, *elsewhere, *below], (32768, 60999)) == 10


def test_connections_that_came_in_use_up_no_port() -> None:
    serving = Entry("0.0.0.0", 40000, "0.0.0.0", 0, "LISTEN")
    came = [connection(40000, "10.0.0.7", 50000 + number) for number in range(5)]
    assert ephemeral_used([serving, *came], (32768, 60999)) == 0


def test_udp_listens_where_it_has_no_peer() -> None:
    tcp = [Entry("0.0.0.0", 80, "0.0.0.0", 0, "LISTEN"), connection(40000)]
    udp = [
        Entry("0.0.0.0", 53, "0.0.0.0", 0, "CLOSE"),
        Entry("10.0.0.1", 40001, "10.0.0.9", 53, "ESTABLISHED"),
    ]
    assert listeners(tcp, udp) == (
        Listener(address="0.0.0.0", port=53, protocol="udp"),
        Listener(address="0.0.0.0", port=80, protocol="tcp"),
    )


def test_what_cannot_be_read_is_missing_with_its_reason_and_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(HEAD + row("0100007F:1F90", "00000000:0000", "0A"))
    (tmp_path / "snmp").write_text("Tcp: OutSegs\n")
    (tmp_path / "netstat").write_text("TcpExt: ListenDrops\nTcpExt: 4\n")
    found = seen(tmp_path, tmp_path)
    assert (found["states"], found["listen_drops"], found["segments_out"]) == ({"LISTEN": 1}, 4, 0)
    missing = {Path(each.partition(":")[0]).name: each.partition(": ")[2] for each in found["missing"]}
    assert missing["tcp6"] == "no such file or directory"
    assert missing["snmp"] == "1 lines are no pairs of names and values"
    assert {"nf_conntrack_max", "ip_local_port_range"} <= missing.keys()


@linux
async def test_a_server_of_this_machine_is_among_those_that_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = await Live(Here()).probe(asks.Sockets())
    assert isinstance(found, SocketsSeen)
    assert found.end == "ok"
    assert Listener(address="127.0.0.1", port=port) in found.listeners
    assert found.states["LISTEN"] >= 1
    assert found.segments_out > 0
