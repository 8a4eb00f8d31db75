"""Replays many operations and counts: the share that passes for each client, and the list of what does
not.
"""

from collections.abc import Iterable, Mapping, Sequence

from tests.conformance.replay import replay
from tests.conformance.transcripts import Operation

Failures = Mapping[Operation, Sequence[str]]


async def failures(chosen: Iterable[Operation]) -> Failures:
    """The operations that differ, each with its differences. A file that several clients share is played
    once.
    """
    played: dict[str, Sequence[str]] = {}
    found: dict[Operation, Sequence[str]] = {}
    for operation in chosen:
        key = str(operation.path)
        if key not in played:
            played[key] = await replay(operation)
        if played[key]:
            found[operation] = played[key]
    return found


def shares(chosen: Sequence[Operation], found: Failures) -> dict[str, tuple[int, int]]:
    """For each client: how many operations pass, of how many."""
    clients = dict.fromkeys(o.client for o in chosen)
    return {
        client: (
            sum(o.client == client and o not in found for o in chosen),
            sum(o.client == client for o in chosen),
        )
        for client in clients
    }


def summary(chosen: Sequence[Operation], found: Failures, details: bool = False) -> list[str]:
    """Lines to print: shares first, then what does not pass with its first difference (or all of them)."""
    lines = []
    for client, (passed, total) in shares(chosen, found).items():
        lines.append(f"{client}: {passed} of {total} operations pass ({100 * passed / total:.1f} %)")
    running = sum(not operation.standing_still for operation in chosen)
    lines.append(
        f"  ({running} were recorded with controllers at work: of those the course of objects is compared)"
    )
    for operation, differences in found.items():
        lines.append(f"  {operation}")
        lines += [f"    {line}" for line in (differences if details else differences[:1])]
    return lines
