"""Whether connections run out, and who has them."""

from collections import Counter
from collections.abc import Iterator

from opssquad import Json, Rows, Signal

from .._common import client, database_ref, percent, role

FULL, NEAR = 0.9, 0.8
"""Shares of what ordinary logins may use from which connections are exhausted, or near to it: pools come back
in steps, so a server that is out of connections is rarely seen at all of them."""
MOST = 0.5
"""The share of a server's connections from which one client has most of them."""
MANY = 10
"""Connections below which no client has many, however small the server."""


def limit_of(server: Json) -> int:
    """How many connections ordinary logins may have at a time."""
    return int(server["max_connections"]) - int(server["superuser_reserved"]) - int(server["reserved"])


def clients_of(sessions: Rows) -> list[Json]:
    """The sessions of clients, of all databases."""
    return [row for row in sessions.rows if row.get("backend_type") in ("client backend", None)]


def connection_signals(server: Json, sessions: Rows, roles: Rows) -> Iterator[Signal]:
    """What the connections of a server tell."""
    mine, limit = clients_of(sessions), limit_of(server)
    yield from _limit(sessions, mine, limit)
    yield from _one_client(sessions, mine, limit)
    yield from _roles(sessions, mine, roles)


def _limit(sessions: Rows, mine: list[Json], limit: int) -> Iterator[Signal]:
    share = len(mine) / limit if limit else 0.0
    if share < NEAR or not mine:
        return
    name, text = database_ref(sessions.name), f"{len(mine)} of {limit} connections are taken"
    id = "connections.exhausted" if share >= FULL else "connections.near_limit"
    yield Signal(
        id=id,
        entity=name,
        owner=name,
        text=text,
        severity="critical" if share >= FULL else "warning",
        data={"used": len(mine), "limit": limit, "share": round(share, 3)},
        quotes=tuple(sessions.quote(row, "pid", "state") for row in mine[-2:]),
    )


def _one_client(sessions: Rows, mine: list[Json], limit: int) -> Iterator[Signal]:
    owners = Counter(client(sessions.name, row) for row in mine)
    for name, count in owners.most_common(1):
        theirs = [row for row in mine if client(sessions.name, row) == name]
        idle = sum(row.get("state") == "idle" for row in theirs)
        if count < MANY or count < MOST * len(mine):
            continue
        others = len(mine) - count
        roles = Counter(str(row["role"]) for row in theirs)
        text = f"{name.name} has {count} of the {len(mine)} connections, {idle} of them idle"
        yield Signal(
            id="connections.one_client",
            entity=name,
            owner=name,
            text=text,
            at=None,
            data={
                "client": name.name,
                "role": roles.most_common(1)[0][0],
                "count": count,
                "idle": idle,
                "share": round(count / len(mine), 3),
                "of_limit": round(count / limit, 3) if limit else 0,
                "fair": max(5, (limit - others) // 2),
                "addresses": sorted({str(row["client"]) for row in theirs if row.get("client")}),
            },
            quotes=tuple(sessions.quote(row) for row in theirs[:2]),
        )


def _roles(sessions: Rows, mine: list[Json], roles: Rows) -> Iterator[Signal]:
    held = Counter(str(row["role"]) for row in mine)
    for row in roles.rows:
        most = int(row.get("connection_limit") or -1)
        if most > 0 and held[row["role"]] >= most:
            ref = role(str(row["role"]))
            yield Signal(
                id="connections.role_limit",
                entity=ref,
                owner=ref,
                text=f"role {ref.name} has all {most} connections that it may have",
                data={"role": ref.name, "limit": most},
                quotes=(roles.quote(row),),
            )


def told_of(server: Json, sessions: Rows) -> list[str]:
    """Connections by client and state against the limit, most first."""
    mine, limit = clients_of(sessions), limit_of(server)
    text = [f"Connections: {len(mine)} of {limit} for ordinary logins ({percent(len(mine), limit)})."]
    owners = Counter(client(sessions.name, row).name for row in mine)
    for name, count in owners.most_common(6):
        states = Counter(
            str(row.get("state") or "?") for row in mine if client(sessions.name, row).name == name
        )
        text.append(f"  {name}: {count} ({', '.join(f'{n} {state}' for state, n in states.most_common())})")
    if len(owners) > 6:
        text.append(f"  and {len(owners) - 6} more clients")
    return text
