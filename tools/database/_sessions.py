"""One session, as a change of it needs to know it: who it is, whom it blocks, what ending it costs."""

from collections.abc import Sequence
from datetime import datetime

from opssquad import Database, Json, Risk, Rows, ToolError

from ._chains import chains
from ._common import client, lasting, query_text, session, since

HIDDEN = "<insufficient privilege>"
"""What PostgreSQL shows of other roles' statements to a login that is no member of pg_read_all_stats."""
WRAPAROUND = "(to prevent wraparound)"
"""The end of an autovacuum's line that must not be held off: without it the server stops taking writes."""
STREAM = "walsender"
ENDED = ("client backend", STREAM, "autovacuum worker")
"""Kinds of sessions that may be ended: they are begun anew, by their client or by the server."""


async def one_session(database: Database, pid: int) -> tuple[Json, Rows]:
    """The row of a session, and those of all. Raises ToolError where there is none that may be ended."""
    sessions = await database.rows("sessions")
    row = next((each for each in sessions.rows if each["pid"] == pid), None)
    if row is None:
        waits = [str(chain.root["pid"]) for chain in chains(sessions, await database.rows("locks"))][:5]
        near = f"; those that block are: {', '.join(waits)}" if waits else ""
        raise ToolError(f"there is no session {pid} (any more), or it is one of ours{near}")
    if row["query"] == HIDDEN or not row["backend_start"]:
        raise ToolError(f"what session {pid} does is not shown to this login: {sessions.missing}", blind=True)
    if (kind := row["backend_type"]) not in (*ENDED, None):
        raise ToolError(f"{pid} is a {kind} of the server's own; it is not for us to end")
    if kind == "autovacuum worker" and str(row["query"]).endswith(WRAPAROUND):
        raise ToolError(
            f"{pid} vacuums so that transaction ids do not run out; held off, the server would stop taking"
            " writes. Let it end, or end what waits for it"
        )
    return row, sessions


def who(sessions: Rows, row: Json) -> str:
    """`orders-api (role orders_rw, from 10.1.2.3)`."""
    at = f", from {row['client']}" if row.get("client") else ""
    return f"{client(sessions.name, row).name} (role {row['role']}{at})"


def story(sessions: Rows, row: Json, behind: Sequence[int], now: datetime) -> str:
    """Who it is, for how long, what it did last, and who waits for it."""
    connected, open_ = lasting(since(row, "backend_start", now)), since(row, "xact_start", now)
    doing = f"{row['state']}, its transaction open for {lasting(open_)}" if open_ else str(row["state"])
    many = "1 session waits" if len(behind) == 1 else f"{len(behind)} sessions wait"
    waiting = f"; {many if behind else 'nobody waits'} for it"
    return f"{who(sessions, row)}, connected for {connected}, {doing}; last: {query_text(row, 160)}{waiting}"


def cost(row: Json) -> tuple[str, Risk, str]:
    """What its rollback costs, the risk of ending it, and by which rule."""
    if row["backend_type"] == STREAM:
        text = "it streams to a replica or another consumer, which is behind until it has connected anew"
        return text, "medium", "a replica or consumer loses its stream for a while"
    if row["backend_type"] == "autovacuum worker":
        return "the server vacuums that table again later", "low", "it is begun again by itself"
    if row.get("xid") is None:
        return "nothing was written, so nothing is rolled back", "low", "the transaction wrote nothing"
    lost = (
        "its transaction has written (how much is not told): all of that is lost at once, and its dead rows"
        " stay until vacuum"
    )
    if row.get("state") == "active":
        return f"{lost}; what it does now is lost too", "high", "the transaction wrote and is at work"
    return lost, "medium", "the transaction wrote and stands idle"


def bound(sessions: Rows, row: Json) -> dict[str, str]:
    """What a card about the session rests on: that it is this one, in this transaction."""
    name = str(session(str(row["database"] or sessions.name), row["pid"]))
    return {name: f"started={row['backend_start']} xact={row.get('xact_start') or 'none'}"}


async def observed(database: Database, pid: int) -> dict[str, str]:
    """The same as it is now; nothing where the session is gone."""
    sessions = await database.rows("sessions")
    return next((bound(sessions, row) for row in sessions.rows if row["pid"] == pid), {})
