"""The place that live probes start from: this machine, with the world's clock and what may be probed."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from opssquad.times import Clock, wall_clock

Reach = Callable[[str, str, int], str]
"""Why a destination may not be probed, of host, address and port (0: no port); empty where it may."""


def anywhere(host: str, address: str, port: int) -> str:
    """Refuses nothing."""
    return ""


@dataclass(frozen=True)
class Resolvers:
    """How a place looks names up: servers as `address` or `address:port`, the domains that are tried after a
    name, and the dots from which a name is first tried as it is."""

    servers: tuple[str, ...]
    search: tuple[str, ...] = ()
    ndots: int = 1


@dataclass(frozen=True)
class Here:
    """This machine. `words` say so in every answer; `resolvers` are the system's where none are given;
    `trusted` are certificates (PEM) that are trusted besides the system's."""

    words: str = field(default_factory=lambda: f"here ({socket.gethostname()})")
    now: Clock = wall_clock
    refuses: Reach = anywhere
    resolvers: Resolvers | None = None
    trusted: str = ""
