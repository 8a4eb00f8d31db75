"""Cancelling what a session runs, and terminating a session, each with its card and its check."""

import asyncio
from typing import Annotated

from opssquad import Check, Database, Json, Preview, Progress, Result, Signal, ToolError, Undo, tool

from ._chains import chains
from ._common import client, query_text, session, sources
from ._sessions import bound, cost, observed, one_session, story, victims

WATCHED, EVERY = 10.0, 0.5
"""Seconds for which a check looks, and between its looks: a rollback takes a while."""
Pid = Annotated[int, "process id of the session"]


@tool(effect="mutate", deadline=30.0)
async def cancel_query(database: Database, pid: Pid) -> Result:
    """Cancel what a session runs now; the session stays."""
    row, _ = await one_session(database, pid)
    done = await database.act("cancel", pid=pid, started=row["backend_start"])
    return Result(text=f"what session {pid} ran is cancelled", commands=(done.statement,))


@cancel_query.preview
async def _foresee_cancel(database: Database, pid: Pid) -> Preview:
    row, sessions = await one_session(database, pid)
    if row["state"] != "active":
        raise ToolError(
            f"session {pid} is {row['state']}: nothing runs that could be cancelled; terminate_session "
            f"ends it"
        )
    behind = victims(pid, sessions, await database.rows("locks"))
    return Preview(
        command=database.statement("cancel", pid=pid, started=row["backend_start"]),
        impact=f"{story(sessions, row, behind, database.now())}; its statement fails with an error",
        risk="medium" if row.get("xid") else "low",
        risk_rule="the transaction wrote" if row.get("xid") else "the transaction wrote nothing",
        binding=bound(row),
        verify_plan="see that the statement has ended and who goes on",
        before={"query_start": row["query_start"], "victims": behind, "started": row["backend_start"]},
    )


@cancel_query.undo
def _undo_cancel(pid: Pid) -> Undo:
    return Undo(note="a statement that was cancelled is run again by its client, not by us")


@cancel_query.observe
async def _observe_cancel(database: Database, pid: Pid) -> dict[str, str]:
    return await observed(database, pid)


@cancel_query.verify
async def _check_cancel(database: Database, progress: Progress, pid: Pid, before: Json) -> Check:
    for _ in range(int(WATCHED / EVERY)):
        sessions = await database.rows("sessions")
        row = next((each for each in sessions.rows if each["pid"] == pid), None)
        if row is None or row["state"] != "active" or row["query_start"] != before["query_start"]:
            freed = _freed(before, sessions.rows)
            return Check(
                outcome="better",
                text=f"the statement of session {pid} has ended{freed}",
                sources=sources((sessions,)),
            )
        progress.say(f"session {pid} still runs: {query_text(row, 80)}")
        await asyncio.sleep(EVERY)
    return Check(
        outcome="same", text=f"session {pid} goes on with its statement", sources=sources((sessions,))
    )


@tool(effect="mutate", deadline=30.0)
async def terminate_session(database: Database, pid: Pid) -> Result:
    """End a session: its transaction is rolled back, its locks are free."""
    row, _ = await one_session(database, pid)
    done = await database.act("terminate", pid=pid, started=row["backend_start"])
    return Result(text=f"session {pid} is terminated", commands=(done.statement,))


@terminate_session.preview
async def _foresee_terminate(database: Database, pid: Pid) -> Preview:
    row, sessions = await one_session(database, pid)
    behind = victims(pid, sessions, await database.rows("locks"))
    costs, risk, rule = cost(row)
    return Preview(
        command=database.statement("terminate", pid=pid, started=row["backend_start"]),
        impact=f"{story(sessions, row, behind, database.now())}. {costs[0].upper()}{costs[1:]}",
        risk=risk,
        risk_rule=rule,
        binding=bound(row),
        verify_plan="see that the session is gone and that those who waited for it go on",
        before={
            "victims": behind,
            "client": client(sessions.name, row).name,
            "started": row["backend_start"],
        },
    )


@terminate_session.undo
def _undo_terminate(pid: Pid) -> Undo:
    return Undo(note="a session that was ended does not come back; its client connects anew and begins again")


@terminate_session.observe
async def _observe_terminate(database: Database, pid: Pid) -> dict[str, str]:
    return await observed(database, pid)


@terminate_session.verify
async def _check_terminate(database: Database, progress: Progress, pid: Pid, before: Json) -> Check:
    text = ""
    for _ in range(int(WATCHED / EVERY)):
        sessions, locks = await database.rows("sessions"), await database.rows("locks")
        there = any(r["pid"] == pid and r["backend_start"] == before["started"] for r in sessions.rows)
        waiting = [r for r in sessions.rows if r["pid"] in before["victims"] and r.get("blocked_by")]
        read = sources((sessions, locks))
        if not there and not waiting:
            said = f"session {pid} is gone{_freed(before, sessions.rows)}"
            ended = _ended(sessions.name, pid, said)
            return Check(outcome="better", text=said, signals=(ended,), sources=read)
        text = (
            "is still there, rolling back"
            if there
            else f"is gone, and {len(waiting)} of those it blocked still wait"
        )
        progress.say(f"session {pid} {text}")
        await asyncio.sleep(EVERY)
    holders = [str(chain.root["pid"]) for chain in chains(sessions, locks)]
    behind = f" behind session {', '.join(holders)}" if holders else ""
    return Check(outcome="same", text=f"session {pid} {text}{behind}", sources=read)


def _ended(database: str, pid: int, said: str) -> Signal:
    """That the session is over: what was known of it is so no more."""
    ref = session(database, pid)
    return Signal(id="session.ended", entity=ref, owner=ref, text=said, severity="info")


def _freed(before: Json, rows: object) -> str:
    count = len(before["victims"])
    if not count:
        return ""
    return (
        f", and the {count} sessions that waited for it go on"
        if count > 1
        else ", and the one that waited goes on"
    )
