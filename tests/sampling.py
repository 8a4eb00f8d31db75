"""Which recordings a slow test reads: one made from a scenario teaches it little that the next does not."""

from collections.abc import Iterable

from tests.tools.recorded import IDS

EACH = 5


def sample(names: Iterable[str]) -> list[str]:
    """The recordings of a real control plane, and of those made from scenarios every fifth."""
    made = sorted(set(names) - set(IDS))
    return sorted({*IDS, *made[::EACH]})
