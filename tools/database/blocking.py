"""The tool `blocking`: who waits for whom, and for what."""

from datetime import datetime

from opssquad import Cluster, Database, Json, Result, Rows, Signal, tool

from .._text import many
from ._chains import PREPARED, Chain, chains
from ._common import client, lasting, missing, query_text, since, sources, unread
from ._workloads import placed
from .signals.locks import lock_signals, prepared_signals

MOST, DEEP = 6, 10
"""Blockers that are told, and those that wait that are told of each."""


@tool(effect="read")
async def blocking(database: Database, cluster: Cluster | None) -> Result:
    """The blocking tree: sessions that hold what others wait for, since when, which lock, both statements."""
    sessions, locks = await database.rows("sessions"), await database.rows("locks")
    found, now = chains(sessions, locks), database.now()
    looks = [sessions, locks]
    signals: list[Signal] = []
    for chain in found:
        signals += lock_signals(chain, sessions, now)
        if chain.root["pid"] == PREPARED:
            looks.append(await database.rows("prepared"))
            signals += prepared_signals(chain, sessions, looks[-1], now)
    return Result(
        text="\n".join([*_text(found, locks, sessions, now), *missing(looks)]),
        sources=sources(looks),
        data={"sessions": [str(s.entity) for s in signals if s.id == "lock.blocker"], **unread(looks)},
        signals=(await placed(cluster, signals, sessions))[0],
        commands=(
            "select pid, pg_blocking_pids(pid), * from pg_stat_activity where wait_event_type = 'Lock'",
        ),
    )


def _text(found: list[Chain], locks: Rows, sessions: Rows, now: datetime) -> list[str]:
    waiting = {row["pid"] for row in locks.rows if not row["granted"]}
    told = {row["pid"] for chain in found for row in chain.victims}
    text = []
    if found:
        text = [f"{many(len(found), 'session')} in the way of {len(told)} others."]
    elif not waiting:
        text = ["No session waits for a lock."]
    for chain in found[:MOST]:
        text += _told(chain, sessions.name, now)
    if len(found) > MOST:
        text.append(f"and {len(found) - MOST} more blockers")
    if not found and waiting:
        text.append(f"{many(len(waiting), 'session')} waited for a lock, and no longer did a moment later.")
    return text


def _told(chain: Chain, name: str, now: datetime) -> list[str]:
    text = ["", *_head(chain, name, now)]
    if chain.holds:
        more = f" and {len(chain.holds) - 4} more" if len(chain.holds) > 4 else ""
        text.append(f"  holds {', '.join(chain.holds[:4])}{more}")
    for depth, row in chain.tree[:DEEP]:
        text += _waiter(chain, name, row, min(depth, 5), now)
    if len(chain.tree) > DEEP:
        text.append(f"  and {len(chain.tree) - DEEP} more that wait")
    return text


def _head(chain: Chain, name: str, now: datetime) -> list[str]:
    root, count = chain.root, len(chain.victims)
    if root["pid"] == PREPARED:
        return [f"A prepared transaction, which is no session, blocks {count}:"]
    if not chain.seen:
        return [f"{root['pid']}, which is not among the sessions (gone, or one of ours), blocks {count}:"]
    word = "waits in a circle with" if chain.circle else "blocks"
    at = f", from {root['client']}" if root.get("client") else ""
    return [
        f"{root['pid']} {client(name, root).name} (role {root['role']}{at}) {word} {count}:",
        f"  {root['state'] or root.get('backend_type') or '?'} for "
        f"{lasting(since(root, 'state_change', now))}, transaction open for "
        f"{lasting(since(root, 'xact_start', now))}, connected for "
        f"{lasting(since(root, 'backend_start', now))}",
        f"  {'runs' if root['state'] == 'active' else 'last ran'}: {query_text(root, 160)}",
    ]


def _waiter(chain: Chain, name: str, row: Json, depth: int, now: datetime) -> list[str]:
    wait, indent = chain.waits.get(row["pid"]), "  " * (depth + 1)
    wanted = f" for {wait.mode} on {wait.what}" if wait else ""
    waited = lasting(since(chain.since(row), "since", now))
    return [
        f"{indent}<- {row['pid']} {client(name, row).name} waits {waited}{wanted}",
        f"{indent}   {query_text(row, 70 - len(indent))}",
    ]
