"""How long things take on a node, in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Durations. `task` is how long a container runs that is to end by itself.

    `ready` is the most that readiness takes, whatever the probe's initial delay.
    """

    pull: float = 2.0
    present: float = 0.3
    failed_pull: float = 0.7
    to_back_off: float = 3.0
    init: float = 0.5
    task: float = 2.6
    first_probe: float = 0.3
    ready: float = 2.0
    crash: float = 1.0
    stop: float = 1.2
    config_retry: float = 10.0
    always_pulls: bool = False


LIFE_LIKE = Timing()
BACK_OFF, LONGEST_BACK_OFF = 10, 300
"""The first pause before a restart, and the longest; each is twice the one before."""


def back_off(restarts: int) -> int:
    """The pause in seconds before a container is started again that was restarted so often."""
    return min(BACK_OFF << max(0, min(restarts, 10) - 1), LONGEST_BACK_OFF)


def spoken(seconds: int) -> str:
    """A pause as the kubelet says it: `10s`, `2m40s`, `5m0s`."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
