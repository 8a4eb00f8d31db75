"""Signals about locks: the session that blocks, and those that wait."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from opssquad import Json, Rows, Signal

from .._chains import Chain
from .._common import client, lasting, moment, query_text, session, since
from .sessions import UPKEEP, session_data

BRIEF = 4.0
"""Seconds of waiting that are the traffic of any database."""
DDL = re.compile(r"\s*(alter|drop|create|truncate|reindex|cluster|refresh|lock|comment|grant|revoke)\b", re.I)


def lock_signals(chain: Chain, sessions: Rows, now: datetime) -> Iterator[Signal]:
    """The root of a chain, and its victims together."""
    root = chain.root
    ref = session(str(root.get("database") or sessions.name), root["pid"])
    longest = max(
        (each for each in (since(v, "query_start", now) for v in chain.victims) if each), default=None
    )
    statement = str(root.get("query") or "")
    data: Json = {
        **session_data(sessions, root),
        "victims": len(chain.victims),
        "longest": int(longest.total_seconds()) if longest else 0,
        "holds": chain.holds[:4],
        "ddl": bool(DDL.match(statement)),
    }
    brief = longest is None or longest.total_seconds() < BRIEF
    yield Signal(
        id="lock.brief" if brief else "lock.blocker",
        entity=ref,
        owner=ref,
        text=_words(chain, sessions.name, now),
        severity="info" if brief else "critical",
        at=_began(chain),
        data=data,
        quotes=(sessions.quote(root),),
    )
    if UPKEEP.match(statement) and root.get("state") == "active":
        text = f"session {root['pid']} runs maintenance: {query_text(root, 80)}"
        yield Signal(id="lock.maintenance", entity=ref, owner=ref, text=text, quotes=(sessions.quote(root),))
    yield from _victims(chain, sessions, lasting(longest))


def _words(chain: Chain, name: str, now: datetime) -> str:
    root = chain.root
    held = f" with {chain.holds[0]}" if chain.holds else ""
    open_ = lasting(since(root, "xact_start", now))
    return (
        f"session {root['pid']} of {client(name, root).name} (role {root['role']}) is {root['state']}{held}, "
        f"its transaction open for {open_}, and {len(chain.victims)} others wait for it; "
        f"its last statement: {query_text(root, 90)}"
    )


def _began(chain: Chain) -> datetime | None:
    """When the first victim began to wait."""
    times = [each for each in (moment(v, "query_start") for v in chain.victims) if each]
    return min(times, default=None)


def _victims(chain: Chain, sessions: Rows, longest: str) -> Iterator[Signal]:
    clients = Counter(client(sessions.name, row) for row in chain.victims)
    ref = session(str(chain.root.get("database") or sessions.name), chain.root["pid"])
    named = ", ".join(f"{each.name} {count}" for each, count in clients.most_common(4))
    yield Signal(
        id="lock.waiting",
        entity=next(iter(clients)),
        owner=ref,
        text=f"{len(chain.victims)} sessions wait behind {ref.name}, the longest for {longest}: {named}",
        data={"count": len(chain.victims), "clients": [each.name for each in clients]},
        quotes=tuple(sessions.quote(row) for row in chain.victims[:3]),
    )
