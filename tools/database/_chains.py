"""Who waits for whom: sessions that block, with all that wait for them, directly or behind others. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from opssquad import Json, Rows

STRONG = ("AccessExclusiveLock", "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
"""Modes that stop ordinary work, the strongest first."""


@dataclass
class Chain:
    """A session that waits for nobody, what waits for it (`tree`: depth and session, in order), and the locks
    that it holds, as `AccessExclusiveLock on public.orders`."""

    root: Json
    tree: list[tuple[int, Json]] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)

    @property
    def victims(self) -> list[Json]:
        """All that wait, each once."""
        return [row for _, row in self.tree]


def chains(sessions: Rows, locks: Rows) -> list[Chain]:
    """Every blocker that is not blocked itself, the one with most victims first."""
    by_pid = {row["pid"]: row for row in sessions.rows}
    waiting: dict[int, list[Json]] = defaultdict(list)
    for row in sessions.rows:
        for pid in row.get("blocked_by") or ():
            waiting[pid].append(row)
    roots = [pid for pid in waiting if not (by_pid.get(pid) or {}).get("blocked_by")]
    held = _held(locks)
    found = [
        Chain(by_pid[pid], list(_below(pid, waiting, {pid})), held.get(pid, []))
        for pid in roots
        if pid in by_pid
    ]
    return sorted(found, key=lambda chain: -len(chain.victims))


def _below(
    pid: int, waiting: dict[int, list[Json]], seen: set[int], depth: int = 0
) -> Iterator[tuple[int, Json]]:
    for row in waiting.get(pid, ()):
        if row["pid"] not in seen:
            seen.add(row["pid"])
            yield depth, row
            yield from _below(row["pid"], waiting, seen, depth + 1)


def _held(locks: Rows) -> dict[int, list[str]]:
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for row in locks.rows:
        if row["granted"] and row["mode"] in STRONG and row["relation"]:
            rank = STRONG.index(row["mode"])
            found[row["pid"]].append((rank, f"{row['mode']} on {row['schema']}.{row['relation']}"))
    return {pid: [text for _, text in sorted(set(each))] for pid, each in found.items()}
