"""The tool `server_log`: the end of the server's own log, alike messages together."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from opssquad import Cluster, Database, Quote, Result, Rows, clock_time, tool
from opssquad import rfc3339 as stamp

from ._common import missing, unread
from ._logformats import messages
from ._loglines import Entry
from ._workloads import placed
from .signals._logforms import told
from .signals.serverlog import log_signals

OURS = "opssquad"
"""How our own sessions call themselves: what the server refuses us is told by `missing`, and no client's."""
MOST, WIDE = 14, 180
"""Kinds of messages that are told, and characters of each."""
FULL, PARTS = 6, 3
"""Kinds that are told with so many of their parts; the others with one."""
RANKS: Mapping[str, int] = {"critical": 0, "warning": 1, "info": 2}
LEVELS: Mapping[str, int] = {"PANIC": 0, "FATAL": 1, "ERROR": 2, "WARNING": 3}
MASKED = re.compile(r"\"[^\"]*\"|'[^']*'|\b\d[\d.:/-]*\b")
"""What differs between alike messages: quoted names, values, numbers."""
PLAIN = ("LOG", "INFO", "NOTICE", "DEBUG1")


@tool(effect="read")
async def server_log(
    database: Database,
    cluster: Cluster | None,
    grep: Annotated[str, "only messages that hold these words"] = "",
    minutes: Annotated[int, "how far back"] = 180,
) -> Result:
    """The end of the server's log: alike messages counted, with who caused them, gravest first."""
    log, place = await database.log(), await database.rows("log_file")
    form = place.rows[0] if place.rows else {}
    lines = [row["line"] for row in log.rows]
    read = messages(lines, str(form.get("prefix") or ""), str(form.get("timezone") or ""))
    since = database.now() - timedelta(minutes=minutes)
    found = [e for e in read if (e.at is None or e.at >= since) and e.application != OURS]
    wanted = [each for each in found if grep.lower() in " ".join(each.lines).lower()]
    tables = (await database.rows("tables")).rows if found else ()
    sessions = await database.rows("sessions") if found else Rows("sessions", database.name)
    signals = tuple(log_signals(database.name, found, tables, sessions.rows))
    text = [_head(log, read, found, minutes), *_chosen(grep, found, wanted), *_told(wanted)]
    return Result(
        text="\n".join([*text, *missing((log,))]),
        sources=(Quote(locator=f"rows {log.name}/log", text="\n".join(lines)),) if lines else (),
        data=unread((log,)),
        signals=(await placed(cluster, signals, sessions))[0],
        commands=("select pg_read_file(pg_current_logfile())",),
    )


def _head(log: Rows, read: list[Entry], found: list[Entry], minutes: int) -> str:
    if not log.rows:
        return "The server's log could not be read."
    if not read:
        # Words of another language, or a format of somebody else's.
        return f"No message could be made out in {len(log.rows)} lines of the server's log."
    times = [each.at for each in read if each.at]
    if not found:
        last = f"; the last one is of {stamp(max(times))}" if times else ""
        return f"No message in the last {minutes} min{last}."
    span = [each.at for each in found if each.at]
    window = f", {clock_time(min(span))} to {clock_time(max(span))} UTC" if span else ""
    begins = "; what can be read of the log begins there" if len(found) == len(read) else ""
    return f"{len(found)} messages in the last {minutes} min{window}{begins}."


def _chosen(grep: str, found: list[Entry], wanted: list[Entry]) -> list[str]:
    return [f"{len(wanted)} of them hold {grep!r}."] if grep and found else []


def _told(wanted: list[Entry]) -> list[str]:
    alike: dict[tuple[str, str], list[Entry]] = {}
    for entry in wanted:
        alike.setdefault((entry.level, MASKED.sub("?", entry.message)), []).append(entry)
    ordered = sorted(alike.values(), key=lambda those: (_rank(those[-1]), -len(those)))
    text = []
    for number, those in enumerate(ordered[:MOST]):
        last = those[-1]
        who = Counter(e.application or e.user for e in those if e.application or e.user)
        by = f" [{', '.join(name for name, _ in who.most_common(3))}]" if who else ""
        text.append(f"{len(those)}x {last.level}{_when(those)}{by}: {last.message[:WIDE]}")
        if last.level not in PLAIN or _rank(last)[0] < len(RANKS):
            parts = [f"    {name}: {said[:WIDE]}" for name, said in last.parts.items()]
            text += parts[: PARTS if number < FULL else 1]
    if len(ordered) > MOST:
        left = sum(map(len, ordered[MOST:]))
        text.append(f"and {left} more messages of {len(ordered) - MOST} more kinds")
    return text


def _rank(entry: Entry) -> tuple[int, int]:
    """What stands for a fault comes first, then by level."""
    form = told(entry)
    return RANKS.get(form[0].severity, 3) if form else 3, LEVELS.get(entry.level, 9)


def _when(those: list[Entry]) -> str:
    """When the last of them was written, and the first where that was another minute."""
    times = [clock_time(each.at) for each in (those[0], those[-1]) if each.at]
    return f" {'-'.join(dict.fromkeys(times))}" if times else ""
