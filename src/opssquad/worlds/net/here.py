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
class Here:
    """This machine. `words` say so in every answer."""

    words: str = field(default_factory=lambda: f"here ({socket.gethostname()})")
    now: Clock = wall_clock
    refuses: Reach = anywhere
