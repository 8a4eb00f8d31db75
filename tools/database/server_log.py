"""The tool `server_log`: the end of the server's own log, alike messages together."""

import re
from collections import Counter
from datetime import timedelta
from typing import Annotated

from opssquad import Database, Quote, Result, Rows, clock_time, tool

from ._common import missing, unread
from ._loglines import Entry, entries
from .signals.serverlog import log_signals

MOST = 14
MASKED = re.compile(r"\"[^\"]*\"|'[^']*'|\b\d[\d.:/-]*\b")
"""What differs between alike messages: quoted names, values, numbers."""
PLAIN = ("LOG", "INFO", "NOTICE", "DEBUG1")


@tool(effect="read")
async def server_log(
    database: Database,
    grep: Annotated[str, "only messages that hold these words"] = "",
    minutes: Annotated[int, "how far back"] = 180,
) -> Result:
    """The end of the server's log: alike messages counted, with who caused them, gravest first."""
    log = await database.log()
    since = database.now() - timedelta(minutes=minutes)
    found = [e for e in entries([row["line"] for row in log.rows]) if e.at is None or e.at >= since]
    wanted = [e for e in found if grep.lower() in " ".join(e.lines).lower()]
    tables = (await database.rows("tables")).rows if found else ()
    signals = tuple(log_signals(database.name, found, tables))
    text = [_head(log, found, wanted, minutes), *_told(wanted)]
    return Result(
        text="\n".join([*text, *missing((log,))]),
        sources=(Quote(locator=f"rows {log.name}/log", text="\n".join(r["line"] for r in log.rows)),),
        data=unread((log,)),
        signals=signals,
        commands=("select pg_read_file(pg_current_logfile())",),
    )


def _head(log: Rows, found: list[Entry], wanted: list[Entry], minutes: int) -> str:
    if not log.rows:
        return "The server's log could not be read."
    times = [e.at for e in found if e.at]
    span = f", {clock_time(min(times))} to {clock_time(max(times))} UTC" if times else ""
    chosen = "" if len(wanted) == len(found) else f", {len(wanted)} of them asked for"
    return f"{len(found)} messages in the last {minutes} min{span}{chosen}."


def _told(wanted: list[Entry]) -> list[str]:
    rank = {"PANIC": 0, "FATAL": 1, "ERROR": 2, "WARNING": 3}
    alike: dict[tuple[str, str], list[Entry]] = {}
    for entry in wanted:
        alike.setdefault((entry.level, MASKED.sub("?", entry.message)), []).append(entry)
    ordered = sorted(alike.items(), key=lambda item: (rank.get(item[0][0], 9), -len(item[1])))
    text = []
    for (level, _), those in ordered[:MOST]:
        last = those[-1]
        who = Counter(e.application or e.user for e in those if e.application or e.user)
        by = f" [{', '.join(name for name, _ in who.most_common(3))}]" if who else ""
        when = f" {clock_time(last.at)}" if last.at else ""
        text.append(f"{len(those)}x {level}{when}{by}: {last.message[:200]}")
        text += [f"    {name}: {said[:200]}" for name, said in last.parts.items() if level not in PLAIN]
    if len(ordered) > MOST:
        text.append(f"and {len(ordered) - MOST} more kinds of messages")
    return text
