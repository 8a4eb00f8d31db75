"""One session, as a change of it needs to know it: who it is, whom it blocks, what ending it costs."""

from collections.abc import Sequence
from datetime import datetime

from opssquad import Database, Json, Risk, Rows, ToolError

from ._chains import chains
from ._common import client, lasting, query_text, session, since


async def one_session(database: Database, pid: int) -> tuple[Json, Rows]:
    """The row of a client's session, and those of all. Raises ToolError where there is none that may be
    ended."""
    sessions = await database.rows("sessions")
    row = next((each for each in sessions.rows if each["pid"] == pid), None)
    if row is None:
        waits = [str(chain.root["pid"]) for chain in chains(sessions, await database.rows("locks"))][:5]
        near = f"; those that block are: {', '.join(waits)}" if waits else ""
        raise ToolError(f"there is no session {pid} (any more){near}")
    if row["backend_type"] not in ("client backend", None):
        raise ToolError(f"{pid} is a {row['backend_type']} of the server's own; it is not for us to end")
    return row, sessions


def who(sessions: Rows, row: Json) -> str:
    """`orders-api (role orders_rw, from 10.1.2.3)`."""
    at = f", from {row['client']}" if row.get("client") else ""
    return f"{client(sessions.name, row).name} (role {row['role']}{at})"


def victims(pid: int, sessions: Rows, locks: Rows) -> list[int]:
    """Who waits for it, directly or behind others."""
    waiting: list[int] = []
    queue = [pid]
    while queue:
        one = queue.pop()
        found = [
            r["pid"] for r in sessions.rows if one in (r.get("blocked_by") or ()) and r["pid"] not in waiting
        ]
        waiting += found
        queue += found
    return waiting


def story(sessions: Rows, row: Json, behind: Sequence[int], now: datetime) -> str:
    """Who it is, for how long, what it did last, and who waits for it."""
    connected, open_ = lasting(since(row, "backend_start", now)), since(row, "xact_start", now)
    doing = f"{row['state']}, its transaction open for {lasting(open_)}" if open_ else str(row["state"])
    waiting = f"; {len(behind)} sessions wait for it" if behind else "; nobody waits for it"
    return f"{who(sessions, row)}, connected for {connected}, {doing}; last: {query_text(row, 160)}{waiting}"


def cost(row: Json) -> tuple[str, Risk, str]:
    """What its rollback costs, the risk of ending it, and by which rule."""
    if row.get("xid") is None:
        return "it has written nothing, so nothing is rolled back", "low", "the transaction wrote nothing"
    if row.get("state") == "active":
        return (
            "its transaction has written: that is rolled back, and what it was doing is lost; the dead"
            " rows stay until vacuum",
            "high",
            "the transaction wrote and is at work",
        )
    return (
        "its transaction has written: that is rolled back; the dead rows stay until vacuum",
        "medium",
        "the transaction wrote and stands idle",
    )


def bound(row: Json) -> dict[str, str]:
    """What a card about the session rests on: that it is this one, in this transaction."""
    name = str(session(str(row["database"]), row["pid"]))
    return {name: f"started={row['backend_start']} transaction={row.get('xact_start') or 'none'}"}


async def observed(database: Database, pid: int) -> dict[str, str]:
    """The same as it is now; nothing where the session is gone."""
    sessions = await database.rows("sessions")
    return next((bound(row) for row in sessions.rows if row["pid"] == pid), {})
