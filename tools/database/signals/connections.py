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
HALF = 0.5
"""The share of what there is that must be taken before it matters who has most: a server with one client
gives it all connections, and is well."""
TOLD = 6
"""Clients, roles and limits that are told."""
ADDRESSES = 40
"""Addresses of a client that are told."""


def limit_of(server: Json) -> int:
    """How many connections ordinary logins may have at a time."""
    return int(server["max_connections"]) - int(server["superuser_reserved"]) - int(server["reserved"])


def clients_of(sessions: Rows) -> list[Json]:
    """The sessions of clients, of all databases."""
    return [row for row in sessions.rows if row.get("backend_type") in ("client backend", None)]


def connection_signals(
    server: Rows, sessions: Rows, roles: Rows, databases: Rows | None = None
) -> Iterator[Signal]:
    """What the connections of a server tell. `server` is the look of that name."""
    mine, limit = clients_of(sessions), limit_of(server.rows[0])
    yield from _limit(server, sessions, mine, limit)
    yield from _one_client(sessions, mine, limit)
    yield from _roles(sessions, mine, roles)
    yield from _databases(mine, databases)


def _limit(server: Rows, sessions: Rows, mine: list[Json], limit: int) -> Iterator[Signal]:
    share = len(mine) / limit if limit else 0.0
    if share < NEAR or not mine:
        return
    name, text = database_ref(sessions.name), f"{len(mine)} of {limit} connections are taken"
    id = "connections.exhausted" if share >= FULL else "connections.near_limit"
    yield Signal(
        id=id,
        entity=name,
        text=text,
        severity="critical" if share >= FULL else "warning",
        data={"used": len(mine), "limit": limit, "share": round(share, 3)},
        quotes=(
            server.quote(server.rows[0], "max_connections", "reserved"),
            *(sessions.quote(row, "pid", "state") for row in mine[-2:]),
        ),
    )


def _one_client(sessions: Rows, mine: list[Json], limit: int) -> Iterator[Signal]:
    owners = Counter(client(sessions.name, row) for row in mine)
    for name, count in owners.most_common(1):
        theirs = [row for row in mine if client(sessions.name, row) == name]
        idle = sum(row.get("state") == "idle" for row in theirs)
        if count < MANY or count < MOST * len(mine) or len(mine) < HALF * limit:
            continue
        others = len(mine) - count
        roles = Counter(str(row["role"]) for row in theirs)
        text = (
            f"{name.name} has {count} of the {len(mine)} connections, {idle} of them idle; ordinary "
            f"logins may have {limit}"
        )
        yield Signal(
            id="connections.one_client",
            entity=name,
            text=text,
            at=None,
            data={
                "client": name.name,
                "application": name.name,
                "limit": limit,
                "role": roles.most_common(1)[0][0],
                "count": count,
                "idle": idle,
                "share": round(count / len(mine), 3),
                "of_limit": round(count / limit, 3) if limit else 0,
                "fair": max(5, (limit - others) // 2),
                "addresses": sorted({str(row["client"]) for row in theirs if row.get("client")})[:ADDRESSES],
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
                text=f"role {ref.name} has all {most} connections that it may have",
                data={"role": ref.name, "limit": most},
                quotes=(roles.quote(row),),
            )


def _databases(mine: list[Json], databases: Rows | None) -> Iterator[Signal]:
    held = Counter(str(row["database"]) for row in mine)
    for row in databases.rows if databases else ():
        most, name = int(row.get("connection_limit") or -1), str(row["database"])
        if databases and 0 < most <= held[name]:
            ref = database_ref(name)
            yield Signal(
                id="connections.database_limit",
                entity=ref,
                text=f"database {name} has all {most} connections that it may have",
                data={"database": name, "limit": most},
                quotes=(databases.quote(row, "database"), databases.quote(row, "connection_limit")),
            )


def told_of(server: Json, sessions: Rows) -> list[str]:
    """Connections by client and state against the limit, most first, then by role."""
    mine, limit = clients_of(sessions), limit_of(server)
    kept = int(server["superuser_reserved"]) + int(server["reserved"])
    text = [
        f"Connections: {len(mine)} of {limit} for ordinary logins ({percent(len(mine), limit)}); "
        f"{kept} more are reserved."
    ]
    states: dict[str, Counter[str]] = {}
    for row in mine:
        states.setdefault(client(sessions.name, row).name, Counter())[str(row.get("state") or "?")] += 1
    owners = sorted(states.items(), key=lambda each: -each[1].total())
    for name, each in owners[:TOLD]:
        text.append(
            f"  {name}: {each.total()} ({', '.join(f'{n} {state}' for state, n in each.most_common())})"
        )
    if len(owners) > TOLD:
        text.append(f"  and {len(owners) - TOLD} more clients")
    roles = Counter(str(row["role"]) for row in mine)
    if len(roles) > 1:
        text.append(f"  by role: {', '.join(f'{name} {n}' for name, n in roles.most_common(TOLD))}")
    return text


def limits(sessions: Rows, roles: Rows, databases: Rows) -> list[str]:
    """The limits that roles and databases have of their own, and how much of them is taken."""
    mine = clients_of(sessions)
    of_roles, of_databases = (Counter(str(row[name]) for row in mine) for name in ("role", "database"))
    told = [
        f"{kind} {row[kind]} {held[str(row[kind])]} of {row['connection_limit']}"
        for kind, look, held in (("role", roles, of_roles), ("database", databases, of_databases))
        for row in look.rows
        if int(-1 if row.get("connection_limit") is None else row["connection_limit"]) >= 0
    ]
    more = f" and {len(told) - TOLD} more" if len(told) > TOLD else ""
    return [f"Limits of their own: {', '.join(told[:TOLD])}{more}."] if told else []
