"""Signals about locks: the session that blocks, and those that wait."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from opssquad import Json, Ref, Rows, Signal

from .._chains import PREPARED, Chain
from .._common import client, lasting, moment, query_text, session, since
from .._common import prepared as prepared_ref
from .sessions import UPKEEP, session_data

BRIEF = 4.0
"""Seconds of waiting that are the traffic of any database."""
DDL = re.compile(r"\s*(alter|drop|create|truncate|reindex|cluster|refresh|lock|comment|grant|revoke)\b", re.I)


def lock_signals(chain: Chain, sessions: Rows, now: datetime) -> Iterator[Signal]:
    """The root of a chain, and its victims together. What is no session has no signal of its own."""
    longest = waited(chain, now)
    brief = longest is None or longest.total_seconds() < BRIEF
    if chain.seen and not chain.circle:
        yield from _root(chain, sessions, now, brief)
    # Those that wait are told of also where nobody can say for whom.
    if not brief or chain.seen:
        yield from _victims(chain, sessions, lasting(longest), brief)


def _root(chain: Chain, sessions: Rows, now: datetime, brief: bool) -> Iterator[Signal]:
    root, ref = chain.root, root_ref(chain, sessions.name)
    statement = str(root.get("query") or "")
    yield Signal(
        id="lock.brief" if brief else "lock.blocker",
        entity=ref,
        text=_words(chain, sessions.name, now),
        severity="info" if brief else "critical",
        at=_began(chain),
        data={**session_data(sessions, root), **_facts(chain, now)},
        quotes=(sessions.quote(root),),
    )
    if (UPKEEP.match(statement) and root.get("state") == "active") or _is_autovacuum(root):
        text = f"session {root['pid']} runs maintenance: {query_text(root, 80)}"
        data = {
            "pid": root["pid"],
            "autovacuum": _is_autovacuum(root),
            "wraparound": "wraparound" in statement,
        }
        yield Signal(
            id="lock.maintenance", entity=ref, text=text, data=data, quotes=(sessions.quote(root),)
        )  # fmt: skip


def _is_autovacuum(row: Json) -> bool:
    return row.get("backend_type") == "autovacuum worker"


def _facts(chain: Chain, now: datetime) -> Json:
    """What a conclusion needs of the chain besides who its root is."""
    longest, wanted = waited(chain, now), chain.direct
    relations = Counter(each.relation for each in wanted if each.relation)
    idle = str(chain.root.get("state") or "").startswith("idle")
    return {
        "victims": len(chain.victims),
        "longest": int(longest.total_seconds()) if longest else 0,
        "holds": chain.holds[:4],
        "modes": sorted({each.mode for each in wanted}),
        "relation": relations.most_common(1)[0][0] if relations else "",
        "wanted": Counter(each.what for each in wanted).most_common(1)[0][0] if wanted else "",
        "idle_since": chain.root.get("state_change") if idle else None,
        "ddl": bool(DDL.match(str(chain.root.get("query") or ""))),
    }


def _words(chain: Chain, name: str, now: datetime) -> str:
    root = chain.root
    held = f" with {chain.holds[0]}" if chain.holds else ""
    open_ = lasting(since(root, "xact_start", now))
    return (
        f"session {root['pid']} of {client(name, root).name} (role {root['role']}) is {root['state']}{held}, "
        f"its transaction open for {open_}, and {len(chain.victims)} others wait for it; "
        f"its last statement: {query_text(root, 90)}"
    )


def root_ref(chain: Chain, name: str) -> Ref:
    """What holds the others up, as a component."""
    if chain.root["pid"] == PREPARED:
        return prepared_ref(name, "unknown")
    return session(str(chain.root.get("database") or name), chain.root["pid"])


def waited(chain: Chain, now: datetime) -> timedelta | None:
    """How long the one has waited that has waited longest."""
    spans = (since(chain.since(row), "since", now) for row in chain.victims)
    return max((each for each in spans if each is not None), default=None)


def _began(chain: Chain) -> datetime | None:
    """When the first victim began to wait."""
    times = (moment(chain.since(row), "since") for row in chain.victims)
    return min((each for each in times if each), default=None)


def _victims(chain: Chain, sessions: Rows, longest: str, brief: bool) -> Iterator[Signal]:
    clients = Counter(client(sessions.name, row) for row in chain.victims)
    ref = root_ref(chain, sessions.name)
    named = ", ".join(f"{each.name} {count}" for each, count in clients.most_common(4))
    yield Signal(
        id="lock.waiting",
        entity=clients.most_common(1)[0][0],
        owner=ref,
        text=f"{len(chain.victims)} sessions wait {'in a circle' if chain.circle else f'behind {ref.name}'}, "
        f"the longest for {longest}: {named}",
        severity="info" if brief else "warning",
        at=_began(chain),
        data={
            "count": len(chain.victims),
            "clients": [each.name for each, _ in clients.most_common()],
            "pids": [row["pid"] for row in chain.victims[:20]],
            "behind": str(ref),
        },
        quotes=tuple(sessions.quote(row) for row in chain.victims[:3]),
    )


def prepared_signals(chain: Chain, sessions: Rows, prepared: Rows, now: datetime) -> Iterator[Signal]:
    """Transactions that were prepared and neither committed nor rolled back: no process holds their locks,
    and nothing that ends sessions frees them. The oldest is named."""
    mine = [row for row in prepared.rows if row["database"] == sessions.name]
    for row in sorted(mine, key=lambda each: str(each["prepared"]))[:1]:
        ref = prepared_ref(sessions.name, row["gid"])
        more = f" (the oldest of {len(mine)})" if len(mine) > 1 else ""
        victims = chain.victims
        yield Signal(
            id="lock.prepared",
            entity=ref,
            text=f"the prepared transaction {row['gid']}{more} of role {row['owner']} has waited for its end "
            f"for {lasting(since(row, 'prepared', now))}, and {len(victims)} sessions wait for its locks",
            severity="critical",
            at=moment(row, "prepared"),
            data={
                "gid": row["gid"], "owner": row["owner"], "victims": len(victims), "holds": chain.holds[:4],
                "count": len(mine),
            },
            quotes=(prepared.quote(row), *(sessions.quote(v, "pid", "blocked_by") for v in victims[:1])),
        )  # fmt: skip
