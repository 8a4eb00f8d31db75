"""What the kernel says of its sockets, from /proc: pure parsers, and one that reads the files.

`/proc/thread-self` rather than `/proc/self`: the files are those of the network namespace of the thread.
"""

import asyncio
import ipaddress
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from opssquad.times import wall_clock
from opssquad.worlds.net.answers import Listener, SocketsSeen
from opssquad.worlds.net.asks import Sockets
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.tcp import since

T = TypeVar("T")
NET, SYS = Path("/proc/thread-self/net"), Path("/proc/sys/net")
STATES = {
    1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT",
    7: "CLOSE", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING", 12: "SYN_RECV",
}  # fmt: skip
"""TCP states by their numbers in the kernel; a request that is not a socket yet counts as `SYN_RECV`."""
MOST_LISTENERS = 200


@dataclass(frozen=True)
class Entry:
    """A socket: its own address and port, the peer's, and its state."""

    address: str
    port: int
    peer: str
    peer_port: int
    state: str


def entries(text: str) -> list[Entry]:
    """The sockets of `net/tcp`, `tcp6`, `udp` or `udp6`. Raises ValueError with the number of a bad line."""
    lines = text.splitlines()
    if not lines or "local_address" not in lines[0]:
        raise ValueError("line 1 is not the head of a table of sockets")
    return [_entry(line, number) for number, line in enumerate(lines[1:], 2) if line.strip()]


def _entry(line: str, number: int) -> Entry:
    words = line.split()
    try:
        (address, port), (peer, peer_port) = _endpoint(words[1]), _endpoint(words[2])
        return Entry(address, port, peer, peer_port, STATES[int(words[3], 16)])
    except (IndexError, ValueError, KeyError):
        raise ValueError(f"line {number} is no socket: {line.strip()[:60]!r}") from None


def _endpoint(text: str) -> tuple[str, int]:
    """`0100007F:1F90`: words of four bytes, each in the order of the machine."""
    address, _, port = text.partition(":")
    data = bytes.fromhex(address)
    if len(data) not in (4, 16) or len(port) != 4:
        raise ValueError(text)
    if sys.byteorder == "little":
        data = b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
    return str(ipaddress.ip_address(data)), int(port, 16)


def counters(text: str) -> dict[str, dict[str, int]]:
    """Pairs of lines of `net/snmp` and `net/netstat`, by their head: `{"Tcp": {"OutSegs": 7}}`. Raises
    ValueError."""
    found: dict[str, dict[str, int]] = {}
    lines = text.splitlines()
    if not lines or len(lines) % 2:
        raise ValueError(f"{len(lines)} lines are no pairs of names and values")
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        (head, *keys), (again, *numbers) = names.split() or [""], values.split() or [""]
        if head != again or not head.endswith(":") or len(keys) != len(numbers):
            raise ValueError(f"names and values of {head[:20]!r} differ")
        found[head[:-1]] = {key: int(number) for key, number in zip(keys, numbers, strict=True)}
    return found


def span(text: str) -> tuple[int, int]:
    """`32768	60999`: first and last port. Raises ValueError."""
    first, last = map(int, text.split())
    if not 0 < first <= last <= 65535:
        raise ValueError(f"{first} to {last} are no ports")
    return first, last


def listeners(tcp: Iterable[Entry], udp: Iterable[Entry]) -> tuple[Listener, ...]:
    """Who listens: TCP sockets that do, UDP ones without a peer; each once, by port."""
    found = {("tcp", each.port, each.address) for each in tcp if each.state == "LISTEN"}
    found |= {("udp", each.port, each.address) for each in udp if not each.peer_port and each.port}
    return tuple(
        Listener(address=address, port=port, protocol=protocol)
        for protocol, port, address in sorted(found, key=lambda each: (each[1], each[0], each[2]))
    )[:MOST_LISTENERS]


def ephemeral_used(tcp: Iterable[Entry], ports: tuple[int, int]) -> int:
    """Ports of the range that are taken towards one destination, of that with most: a port can be used again
    towards another. Connections that came in do not count."""
    told = list(tcp)
    serving = {each.port for each in told if each.state == "LISTEN"}
    taken: Counter[tuple[str, int]] = Counter()
    for each in told:
        if each.peer_port and ports[0] <= each.port <= ports[1] and each.port not in serving:
            taken[each.peer, each.peer_port] += 1
    return max(taken.values(), default=0)


def _parsed(path: Path, parse: Callable[[str], T], without: T, missing: list[str]) -> T:
    """What a file says; where it cannot be read or parsed, the reason is added to those that are missing."""
    try:
        return parse(path.read_text(encoding="ascii"))
    except OSError as error:
        missing.append(f"{path}: {(error.strerror or str(error)).lower()}")
    except ValueError as error:
        missing.append(f"{path}: {error}")
    return without


def seen(net: Path = NET, sys: Path = SYS) -> dict[str, Any]:
    """What the files say, as the fields of a `SocketsSeen`."""
    missing: list[str] = []

    def table(name: str) -> list[Entry]:
        return _parsed(net / name, entries, [], missing)

    def counted(name: str) -> dict[str, dict[str, int]]:
        return _parsed(net / name, counters, {}, missing)

    def limit(name: str) -> int:
        return _parsed(sys / "netfilter" / name, int, 0, missing)

    tcp, udp = table("tcp") + table("tcp6"), table("udp") + table("udp6")
    snmp, netstat = counted("snmp"), counted("netstat")
    ports = _parsed(sys / "ipv4/ip_local_port_range", span, (0, 0), missing)
    return {
        "conntrack": limit("nf_conntrack_count"),
        "conntrack_max": limit("nf_conntrack_max"),
        "listeners": listeners(tcp, udp),
        "states": dict(Counter(each.state for each in tcp)),
        "segments_out": _count(snmp, "Tcp", "OutSegs"),
        "retransmitted": _count(snmp, "Tcp", "RetransSegs"),
        "listen_drops": _count(netstat, "TcpExt", "ListenDrops"),
        "ephemeral_used": ephemeral_used(tcp, ports),
        "ephemeral_range": ports,
        "missing": tuple(missing),
    }


def _count(told: Mapping[str, Mapping[str, int]], part: str, name: str) -> int:
    return told.get(part, {}).get(name, 0)


async def sockets(ask: Sockets, here: Here) -> SocketsSeen:
    """Read them, in a thread: a busy machine has hundreds of thousands of sockets."""
    began = time.perf_counter()
    answer = partial(SocketsSeen, ask=ask, origin=here.words, at=here.now(), clock=wall_clock())
    try:
        async with asyncio.timeout(ask.seconds):
            found = await asyncio.to_thread(seen)
    except TimeoutError:
        return answer(end="timeout", ms=since(began), why=f"/proc was not read in {ask.seconds:g} s")
    unread = next((each for each in found["missing"] if each.startswith(f"{NET / 'tcp'}:")), "")
    if unread:
        return answer(end="not_possible", ms=since(began), why=unread, missing=found["missing"])
    return answer(ms=since(began), **found)
