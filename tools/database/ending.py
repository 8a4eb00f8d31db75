"""Cancelling what a session runs, and terminating a session, each with its card and its check."""

import asyncio
from typing import Annotated

from opssquad import Check, Database, Json, Preview, Progress, Result, Rows, Signal, ToolError, Undo, tool

from ._afterwards import Going, Seen, judged, seen
from ._chains import victims
from ._common import EVERY, client, session
from ._sessions import STREAM, bound, cost, observed, one_session, story

WATCHED = 10.0
"""Seconds for which a check looks: a rollback takes a while."""
SETTLED = 3.0
"""Seconds that others may hold a lock before it counts as taken again."""
RUNS = ("active", "fastpath function call")
"""States in which there is something to cancel."""
Pid = Annotated[int, "process id of the session"]


def _before(sessions: Rows, row: Json, behind: list[int]) -> Json:
    return {
        "started": row["backend_start"],
        "query_start": row["query_start"],
        "client": client(sessions.name, row).name,
        "victims": behind,
        "waiting": sum(bool(each.get("blocked_by")) for each in sessions.rows),
    }


async def _watched(database: Database, progress: Progress, pid: int, going: Going, before: Json) -> Seen:
    """Look until it has ended and nobody is held up, or for as long as that may take."""
    spent = settled = 0.0
    while True:
        now = await seen(database, pid, going, before)
        settled += 0.0 if now.there else EVERY
        spent += EVERY
        if now.over or spent >= WATCHED or settled >= SETTLED:
            return now
        progress.say(f"session {pid} still ends" if now.there else f"{len(now.held)} sessions still wait")
        await asyncio.sleep(EVERY)


@tool(effect="mutate", deadline=30.0)
async def cancel_query(database: Database, pid: Pid) -> Result:
    """Cancel what a session runs now; the session stays."""
    row, _ = await one_session(database, pid)
    done = await database.act("cancel", pid=pid, started=row["backend_start"])
    return Result(text=f"what session {pid} ran is cancelled", commands=(done.statement,))


@cancel_query.preview
async def _foresee_cancel(database: Database, pid: Pid) -> Preview:
    row, sessions = await one_session(database, pid)
    if row["backend_type"] == STREAM:
        raise ToolError(f"session {pid} is a stream of replication, with no statement to cancel")
    if row["state"] not in RUNS:
        raise ToolError(
            f"session {pid} is {row['state']}: nothing runs to be cancelled; terminate_session ends it"
        )
    behind, wrote = victims(pid, sessions), bool(row.get("xid"))
    lost = "its transaction is rolled back with all it wrote" if wrote else "nothing was written"
    return Preview(
        command=database.statement("cancel", pid=pid, started=row["backend_start"]),
        impact=f"{story(sessions, row, behind, database.now())}; its statement fails with an error, {lost}",
        risk="medium" if wrote else "low",
        risk_rule="the transaction wrote" if wrote else "the transaction wrote nothing",
        binding=_running(sessions, row),
        verify_plan="see that the statement has ended and who goes on",
        before=_before(sessions, row, behind),
    )


def _running(sessions: Rows, row: Json) -> dict[str, str]:
    """The session and the very statement: what it runs next is not meant."""
    what = row["query_start"] if row["state"] in RUNS else "none"
    return {name: f"{as_seen} statement={what}" for name, as_seen in bound(sessions, row).items()}


@cancel_query.undo
def _undo_cancel(pid: Pid) -> Undo:
    return Undo(note="none: its client must run the statement again, we do not")


@cancel_query.observe
async def _observe_cancel(database: Database, pid: Pid) -> dict[str, str]:
    sessions = await database.rows("sessions")
    return next((_running(sessions, row) for row in sessions.rows if row["pid"] == pid), {})


@cancel_query.verify
async def _check_cancel(database: Database, progress: Progress, pid: Pid, before: Json) -> Check:
    def runs(row: Json) -> bool:
        return row["state"] in RUNS and bool(row["query_start"] == before["query_start"])

    now = await _watched(database, progress, pid, runs, before)
    ended = f"the statement of session {pid} has ended"
    return judged(now, before, ended, f"session {pid} goes on with its statement")


@tool(effect="mutate", deadline=30.0)
async def terminate_session(database: Database, pid: Pid) -> Result:
    """End a session: its transaction is rolled back, its locks are free. Not one that vacuums against
    wraparound."""
    row, _ = await one_session(database, pid)
    done = await database.act("terminate", pid=pid, started=row["backend_start"])
    return Result(text=f"session {pid} is terminated", commands=(done.statement,))


@terminate_session.preview
async def _foresee_terminate(database: Database, pid: Pid) -> Preview:
    row, sessions = await one_session(database, pid)
    behind = victims(pid, sessions)
    costs, risk, rule = cost(row)
    return Preview(
        command=database.statement("terminate", pid=pid, started=row["backend_start"]),
        impact=f"{story(sessions, row, behind, database.now())}. {costs[0].upper()}{costs[1:]}",
        risk=risk,
        risk_rule=rule,
        binding=bound(sessions, row),
        verify_plan="see that the session is gone and that those who waited for it go on",
        before=_before(sessions, row, behind),
    )


@terminate_session.undo
def _undo_terminate(pid: Pid) -> Undo:
    return Undo(note="none: a session that was ended does not come back; its client connects and begins anew")


@terminate_session.observe
async def _observe_terminate(database: Database, pid: Pid) -> dict[str, str]:
    return await observed(database, pid)


@terminate_session.verify
async def _check_terminate(database: Database, progress: Progress, pid: Pid, before: Json) -> Check:
    now = await _watched(database, progress, pid, lambda row: True, before)
    still = f"session {pid} is still there after {WATCHED:g} s: it rolls back, or does not react"
    check = judged(now, before, f"session {pid} is gone", still)
    if now.there:
        return check
    ref = session(now.name, pid)
    # It is over: what was known of it is so no more.
    ended = Signal(id="session.ended", entity=ref, text=check.text, severity="info")
    return check.model_copy(update={"signals": (ended,)})
