"""Who waits for whom: sessions that block, with all that wait for them, directly or behind others. Pure."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from opssquad import Json, Rows

STRONG = ("AccessExclusiveLock", "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
"""Modes that stop ordinary work, the strongest first."""
TABLES = ("r", "p", "m", "f")
"""Kinds of relations whose rows can be locked, as `pg_class.relkind` has them."""
PREPARED = 0
"""What `pg_blocking_pids` tells in place of a process for a prepared transaction."""


@dataclass(frozen=True)
class Wait:
    """What a session waits for: the mode, on what, of which table as far as it is told, and since when; `row`
    is that of the look `locks`."""

    mode: str
    what: str
    relation: str
    since: str | None
    row: Json


@dataclass
class Chain:
    """What holds others up and waits for nobody, what waits for it (`tree`: depth and session, in order), and
    the locks that it holds, as `AccessExclusiveLock on public.orders`. `seen` is False where `root` is no
    session of the look: a prepared transaction (its pid is 0), or one that is gone; `circle` is True where
    all wait for one another. `waits` are by the pids of those that wait."""

    root: Json
    tree: list[tuple[int, Json]] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    waits: dict[int, Wait] = field(default_factory=dict)
    seen: bool = True
    circle: bool = False

    @property
    def victims(self) -> list[Json]:
        """All that wait, each once."""
        return [row for _, row in self.tree]

    @property
    def direct(self) -> list[Wait]:
        """What those that wait for the root itself wait for."""
        return [self.waits[row["pid"]] for depth, row in self.tree if depth == 0 and row["pid"] in self.waits]

    def since(self, row: Json) -> Json:
        """When it began to wait, as a row of one column: by its lock, else by its statement."""
        wait = self.waits.get(row["pid"])
        return {"since": (wait and wait.since) or row.get("query_start")}


def chains(sessions: Rows, locks: Rows) -> list[Chain]:
    """Every blocker that is not blocked itself, the one with most victims first; then circles."""
    by_pid = {row["pid"]: row for row in sessions.rows}
    behind = _behind(sessions)
    held, waits = _held(locks), _waits(locks)
    found = []
    for pid in behind:
        if not (by_pid.get(pid) or {}).get("blocked_by"):
            root = by_pid.get(pid) or {"pid": pid, "database": sessions.name}
            found.append(_chain(root, behind, held, waits, seen=pid in by_pid))
    reached = {row["pid"] for chain in found for row in chain.victims}
    for pid in behind:
        # A deadlock that is not found out yet: nobody in it is a root.
        if pid in by_pid and by_pid[pid].get("blocked_by") and pid not in reached:
            found.append(_chain(by_pid[pid], behind, held, waits, circle=True))
            reached |= {pid, *(row["pid"] for row in found[-1].victims)}
    return sorted(found, key=lambda chain: (chain.circle, -len(chain.victims)))


def victims(pid: int, sessions: Rows) -> list[int]:
    """The pids of those that wait for a session, directly or behind others."""
    return [row["pid"] for _, row in _below(pid, _behind(sessions))]


def _behind(sessions: Rows) -> dict[int, list[Json]]:
    """Who says of a session that it waits for it, by the pid of that."""
    found: dict[int, list[Json]] = defaultdict(list)
    for row in sessions.rows:
        for pid in dict.fromkeys(row.get("blocked_by") or ()):
            found[pid].append(row)
    return found


def _chain(
    root: Json,
    behind: Mapping[int, list[Json]],
    held: Mapping[int, list[str]],
    waits: Mapping[int, Wait],
    seen: bool = True,
    circle: bool = False,
) -> Chain:
    pid = root["pid"]
    tree = list(_below(pid, behind))
    mine = {row["pid"]: waits[row["pid"]] for _, row in tree if row["pid"] in waits}
    return Chain(root, tree, held.get(pid, []), mine, seen, circle)


def _below(root: int, behind: Mapping[int, list[Json]]) -> Iterator[tuple[int, Json]]:
    """All that wait, each under the nearest to the root of those that it waits for: whoever waits in a queue
    waits for all before it as well."""
    under: dict[int, list[Json]] = defaultdict(list)
    seen, queue = {root}, deque([root])
    while queue:
        pid = queue.popleft()
        for row in behind.get(pid, ()):
            if row["pid"] not in seen:
                seen.add(row["pid"])
                under[pid].append(row)
                queue.append(row["pid"])
    stack = [(0, row) for row in reversed(under[root])]
    while stack:
        depth, row = stack.pop()
        yield depth, row
        stack += [(depth + 1, each) for each in reversed(under.get(row["pid"], ()))]


def _held(locks: Rows) -> dict[int, list[str]]:
    found: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for row in locks.rows:
        if row["granted"] and row["mode"] in STRONG and row["relation"] and row["locktype"] == "relation":
            rank = STRONG.index(row["mode"])
            found[row["pid"] or PREPARED].add((rank, f"{row['mode']} on {_relation(row)}"))
    return {pid: [text for _, text in sorted(each)] for pid, each in found.items()}


def _relation(row: Json) -> str:
    return f"{row['schema']}.{row['relation']}" if row["relation"] else ""


def _waits(locks: Rows) -> dict[int, Wait]:
    """What each session that waits asks for. One that waits for a row waits for the transaction that changed
    it: the table is the one whose row it has at hand."""
    granted: dict[int, list[Json]] = defaultdict(list)
    for row in locks.rows:
        if row["granted"] and row["relation"]:
            granted[row["pid"] or PREPARED].append(row)
    found = {}
    for row in locks.rows:
        if not row["granted"] and row["pid"] not in found:
            relation = _relation(row) or _table_at_hand(granted.get(row["pid"], ()))
            found[row["pid"]] = Wait(
                row["mode"], _what(row, relation), relation, row.get("waiting_since"), row
            )
    return found


def _table_at_hand(granted: Sequence[Json]) -> str:
    """The table of the row that a session works on: it holds that row's lock, or it writes to one table."""
    rows = {_relation(each) for each in granted if each["locktype"] == "tuple"}
    written = {
        _relation(each)
        for each in granted
        if each.get("kind") in TABLES and each["mode"] in ("RowExclusiveLock", "RowShareLock")
    }
    found = rows or written
    return next(iter(found)) if len(found) == 1 else ""


def _what(row: Json, relation: str) -> str:
    match row["locktype"]:
        case "relation":
            return relation or "a table of another database"
        case "transactionid" | "tuple":
            return f"a row of {relation}" if relation else "a row"
        case other:
            return f"{other} {relation}".strip()
