"""A laboratory: hosts in network namespaces around a router, with links that delay, rules that drop, and DNS.

Every host has a network of its own towards the router, in IPv4 and IPv6, so that all traffic passes there.
Namespaces are named after the process, devices live inside them: laboratories side by side do not collide.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Literal, Self, TypeVar

from opssquad.worlds.net import answers, asks
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.live import Live
from tests.network.namespace import inside

T = TypeVar("T")
COMMANDS = ("ip", "nft", "unshare")
LINK = Path(__file__).parent.with_name("link.py")
OWN = Path("/etc/netns")
"""Where `ip netns exec` has files of /etc that a namespace has of its own."""
ROUTER = "router"
TABLE = """table inet lab {
  chain input { type filter hook input priority 0; }
  chain forward { type filter hook forward priority 0; }
  chain output { type filter hook output priority 0; }
}
"""
# Addresses are there at once, and routers say each time what is wrong: tests ask more often than people.
SYSCTLS = {
    "ipv4/ip_forward": 1,
    "ipv6/conf/all/forwarding": 1,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/default/disable_ipv6": 1,
    "ipv6/conf/all/accept_dad": 0,
    "ipv4/icmp_ratelimit": 0,
    "ipv6/icmp/ratelimit": 0,
}
Chain = Literal["input", "forward", "output"]
_numbers = count(1)


@lru_cache
def why_not(*more: str) -> str:
    """Why there can be no laboratory here, in words; empty where there can. `more` are commands that are
    needed beside its own."""
    missing = [each for each in (*COMMANDS, *more) if not shutil.which(each)]
    if missing:
        return f"no network namespaces: {', '.join(missing)} not installed"
    name = f"lab{os.getpid()}-try"
    # Names of namespaces take a mount, which may be forbidden where a namespace is not.
    tried = (
        "ip link add one type veth peer two && ip link set lo up && nft add table inet lab"
        f" && ip netns add {name} && ip netns del {name}"
    )
    done = subprocess.run(["unshare", "--net", "sh", "-c", tried], capture_output=True, text=True)
    said = done.stderr.strip().splitlines() or ["no reason given"]
    return f"no network namespaces: {said[-1]}" if done.returncode else ""


@lru_cache
def link_by() -> Literal["netem", "tun"]:
    """By what links delay and lose: the kernel's netem where it has it, else a process of ours."""
    if why_not():
        return "tun"
    tried = "ip link set lo up && tc qdisc add dev lo root netem delay 1ms"
    done = subprocess.run(["unshare", "--net", "sh", "-c", tried], capture_output=True)
    return "tun" if done.returncode else "netem"


@dataclass(frozen=True)
class Link:
    """How a host is wired: milliseconds that a packet takes each way, percent of packets that are lost each
    way, and the largest packet."""

    delay: float = 0.0
    loss: float = 0.0
    mtu: int = 1500


@dataclass(frozen=True)
class Host:
    """A host: its namespace, its device, its addresses, and the router's towards it."""

    name: str
    namespace: str
    v4: str
    v6: str
    router4: str
    router6: str


class Lab:
    """The router and its hosts, for the length of a `with`. Whatever happens in it, nothing stays behind."""

    def __init__(self) -> None:
        self._prefix = f"lab{os.getpid()}-{next(_numbers)}"
        self._stack = ExitStack()
        self.hosts: dict[str, Host] = {}

    def __enter__(self) -> Self:
        with self._stack:
            self._namespace(ROUTER)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def host(self, name: str, link: Link | None = None) -> Host:
        """Add a host, wired to the router."""
        number, wired = len(self.hosts) + 1, link or Link()
        four, six = f"10.77.{number}", f"fd77:{number}:"
        made = Host(name, self._namespace(name), f"{four}.2", f"{six}:2", f"{four}.1", f"{six}:1")
        self.hosts[name] = made
        self._wire(made.namespace, f"to{number}", wired)
        ends = ((made.namespace, "eth0", 2), (self._at(ROUTER), f"to{number}", 1))
        for namespace, device, _ in ends:
            self._ip(namespace, f"link set {device} up mtu {wired.mtu}")
        for namespace, device, end in ends:
            # IPv6 that is on before the link is up notices a second late that it is.
            self._write(namespace, {f"ipv6/conf/{device}/disable_ipv6": 0})
            self._ip(
                namespace,
                f"addr add {four}.{end}/24 dev {device}",
                f"addr add {six}:{end}/64 dev {device} nodad",
            )
        self._ip(made.namespace, f"route add default via {four}.1", f"route add ::/0 via {six}:1")
        return made

    def _at(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _namespace(self, name: str) -> str:
        full = self._at(name)
        _done("ip", "netns", "add", full)
        self._stack.callback(_done, "ip", "netns", "del", full)
        self._write(full, SYSCTLS)
        self._ip(full, "link set lo up")
        _done("ip", "netns", "exec", full, "nft", "-f", "-", text=TABLE)
        return full

    def _write(self, namespace: str, values: Mapping[str, int]) -> None:
        lines = " && ".join(f"echo {value} > /proc/sys/net/{key}" for key, value in values.items())
        _done("ip", "netns", "exec", namespace, "sh", "-c", lines)

    def _ip(self, namespace: str, *lines: str) -> None:
        _done("ip", "-n", namespace, "-batch", "-", text="\n".join(lines))

    def _wire(self, namespace: str, device: str, link: Link) -> None:
        router, shaped = self._at(ROUTER), link.delay or link.loss
        if shaped and link_by() == "tun":
            self._ip(namespace, "tuntap add dev eth0 mode tun")
            self._ip(router, f"tuntap add dev {device} mode tun")
            between = [namespace, "eth0", router, device, str(link.delay), str(link.loss)]
            self._started([sys.executable, "-S", str(LINK), *between], "ready")
            return
        self._ip(router, f"link add {device} type veth peer eth0 netns {namespace}")
        if shaped:
            how = ["netem", "delay", f"{link.delay}ms", "loss", f"{link.loss}%"]
            for there, end in ((namespace, "eth0"), (router, device)):
                _done("tc", "-n", there, "qdisc", "add", "dev", end, "root", *how)

    def run(self, host: str, *argv: str) -> str:
        """Run a program on a host to its end; what it printed."""
        return _done("ip", "netns", "exec", self._at(host), *argv)

    def socket(self, host: str, port: int) -> socket.socket:
        """A socket that listens on a host, whoever serves it; it closes with the laboratory."""

        async def opened() -> socket.socket:
            return socket.create_server((self.hosts[host].v4, port), backlog=100)

        made = self.inside(host, opened)
        self._stack.callback(made.close)
        return made

    def resolve_by(self, host: str, *servers: str) -> None:
        """Have programs that run on a host look names up at these servers."""
        folder = OWN / self._at(host)
        folder.mkdir(parents=True)
        self._stack.callback(shutil.rmtree, folder)
        (folder / "resolv.conf").write_text("".join(f"nameserver {each}\n" for each in servers))

    def start(self, host: str, *argv: str, ready: str) -> subprocess.Popen[str]:
        """Start a program on a host, and wait for a line that holds `ready`; it ends with the laboratory."""
        return self._started(["ip", "netns", "exec", self._at(host), *argv], ready)

    def _started(self, argv: Sequence[str], ready: str) -> subprocess.Popen[str]:
        started = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._stack.callback(_ended, started)
        assert started.stdout is not None
        said: list[str] = []
        for line in started.stdout:
            said.append(line)
            if ready in line:
                return started
        raise RuntimeError(f"{' '.join(argv)} ended early: {''.join(said)}")

    def inside(self, host: str, work: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine as if it were on a host."""
        return inside(self._at(host), work)

    def ask(self, host: str, ask: asks.Ask, here: Here | None = None) -> answers.Answer:
        """A probe of ours from a host."""
        return self.inside(host, lambda: Live(here or Here()).probe(ask))

    def rule(self, host: str, chain: Chain, rule: str) -> None:
        """Add a rule of nftables on a host or the router."""
        _done("ip", "netns", "exec", self._at(host), "nft", "add", "rule", "inet", "lab", chain, rule)

    def drop(self, host: str, port: int) -> None:
        """Have packets to a TCP port vanish."""
        self.rule(host, "input", f"tcp dport {port} drop")

    def reset(self, host: str, port: int) -> None:
        """Have packets to a TCP port answered by a reset."""
        self.rule(host, "input", f"tcp dport {port} reject with tcp reset")

    def reject(self, port: int, reason: str = "admin-prohibited") -> None:
        """Have the router refuse packets to a TCP port by ICMP, with a reason of nftables' `icmpx`."""
        self.rule(ROUTER, "forward", f"tcp dport {port} reject with icmpx type {reason}")

    def lose(self, percent: int, what: str = "", *, evenly: bool = False) -> None:
        """Have the router lose packets, at random or evenly (then of each ten exactly that part, the last
        ones); `what` is which, in words of nftables."""
        part = f"numgen inc mod 10 >= {10 - percent // 10}"
        chance = part if evenly else f"numgen random mod 100 < {percent}"
        self.rule(ROUTER, "forward", f"{what} {chance} drop")

    def dnsmasq(self, host: str, records: Mapping[str, str], *local: str) -> None:
        """Have a DNS server on a host: addresses by name; of the domains `local` it knows nothing else."""
        its = self.hosts[host]
        words = [f"--address=/{name}/{address}" for name, address in records.items()]
        words += [f"--local=/{name}/" for name in local]
        listen = (f"--listen-address={each}" for each in (its.v4, its.v6))
        quiet = ("--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=", "--user=root")
        argv = ("dnsmasq", "--no-daemon", "--bind-interfaces", *quiet, *listen, *words)
        self.start(host, *argv, ready="started")


def _done(*argv: str, text: str = "") -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


def _ended(started: subprocess.Popen[str]) -> None:
    started.kill()
    started.wait()
    if started.stdout:
        started.stdout.close()
