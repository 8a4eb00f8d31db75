"""The tool `blocking`: who waits for whom, and for what."""

from datetime import datetime

from opssquad import Database, Result, tool

from .._text import many
from ._chains import Chain, chains
from ._common import client, lasting, missing, query_text, since, sources, unread
from .signals.locks import lock_signals

MOST = 6


@tool(effect="read")
async def blocking(database: Database) -> Result:
    """The blocking tree: sessions that hold what others wait for, since when, which lock, both statements."""
    sessions, locks = await database.rows("sessions"), await database.rows("locks")
    found, now = chains(sessions, locks), database.now()
    signals = tuple(each for chain in found for each in lock_signals(chain, sessions, now))
    count = many(len(found), "session")
    text = [f"{count} in the way of {sum(len(c.victims) for c in found)} others."] if found else []
    for chain in found[:MOST]:
        text += _told(chain, sessions.name, now)
    if len(found) > MOST:
        text.append(f"and {len(found) - MOST} more blockers")
    return Result(
        text="\n".join([*(text or ["No session waits for a lock."]), *missing((sessions,))]),
        sources=sources((sessions, locks)),
        data={"sessions": [str(s.entity) for s in signals if s.id == "lock.blocker"], **unread((sessions,))},
        signals=signals,
        commands=("select pid, pg_blocking_pids(pid) from pg_stat_activity where wait_event_type = 'Lock'",),
    )


def _told(chain: Chain, name: str, now: datetime) -> list[str]:
    root = chain.root
    text = [
        "",
        f"{root['pid']} {client(name, root).name} (role {root['role']}), {root['state']}, transaction open "
        f"{lasting(since(root, 'xact_start', now))}, blocks {len(chain.victims)}:",
        f"  last: {query_text(root, 100)}",
    ]
    if chain.holds:
        text.append(f"  holds {', '.join(chain.holds[:4])}")
    for depth, row in chain.tree[:10]:
        waited = lasting(since(row, "query_start", now))
        text.append(
            f"  {'  ' * depth}<- {row['pid']} {client(name, row).name} waits {waited}: {query_text(row, 40)}"
        )
    if len(chain.tree) > 10:
        text.append(f"  and {len(chain.tree) - 10} more that wait")
    return text
