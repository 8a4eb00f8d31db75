"""The real network as a run may ask it: within the policy about destinations."""

from collections.abc import Callable
from functools import cache, partial

from opssquad.gate.in_force import InForce
from opssquad.investigation.in_force import held
from opssquad.investigation.options import Options
from opssquad.squad.crew import others_of
from opssquad.times import wall_clock
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.net.here import Here
from opssquad.worlds.net.live import Live
from opssquad.worlds.net.reach import Bounded


def live_network(options: Options, cluster: Cluster | None) -> Live:
    """The network as it is seen from here; what the policy about destinations refuses is not asked."""
    return Live(Here(now=cluster.now if cluster else wall_clock, refuses=bounds(options)))


def bounds(options: Options) -> Bounded:
    """What may be asked from here."""
    return Bounded(partial(_refuses, _destinations(options)))


def _destinations(options: Options) -> Callable[[], InForce]:
    """The policy about destinations, read when first something is probed: that of every squad that could
    take over, as it is not known yet which do."""
    return cache(lambda: held(options, others_of(options.squad, lambda _: True)))


def _refuses(policy: Callable[[], InForce], host: str, address: str, port: int) -> str:
    return policy().now().refuses(host, address, port)
