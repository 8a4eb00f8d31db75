"""What became of those who waited for a session, once it was cancelled or ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opssquad import Check, Database, Json, Option, Quote

from ._chains import Chain, chains
from ._common import client, session, sources

Going = Callable[[Json], bool]
"""Whether a session still does what was to end."""


@dataclass(frozen=True)
class Seen:
    """A look at it. `held`: who of them still waits, and not merely behind another of them; `holders`: what
    they wait for now; `waiting`: all sessions of the server that wait for a lock."""

    there: bool
    held: Sequence[int]
    holders: Sequence[Json]
    waiting: int
    name: str
    read: tuple[Quote, ...]

    @property
    def over(self) -> bool:
        """Whether it has ended and nobody is held up any more."""
        return not self.there and not self.held


async def seen(database: Database, pid: int, going: Going, before: Json) -> Seen:
    """How it is now."""
    sessions, locks = await database.rows("sessions"), await database.rows("locks")
    there = any(
        row["pid"] == pid and row["backend_start"] == before["started"] and going(row)
        for row in sessions.rows
    )
    # One that waited and has the lock now is a reason for the others to wait on: they go on one by one.
    mine = set(before["victims"])
    found = [chain for chain in chains(sessions, locks) if _holds(chain, mine)]
    held = {row["pid"] for chain in found for row in chain.victims} & mine
    roots = [chain.root for chain in found]
    waiting = sum(bool(row.get("blocked_by")) for row in sessions.rows)
    return Seen(there, sorted(held), roots, waiting, sessions.name, sources((sessions, locks)))


def _holds(chain: Chain, mine: set[int]) -> bool:
    return chain.root["pid"] not in mine and any(row["pid"] in mine for row in chain.victims)


def judged(now: Seen, before: Json, what: str, still: str) -> Check:
    """The check: `what` ended (`session 7 is gone`), or `still` holds."""
    if now.there:
        return Check(outcome="same", text=still, sources=now.read)
    count = len(before["victims"])
    if not now.held:
        ones = "the one that waited for it goes on" if count == 1 else f"the {count} that waited for it go on"
        return Check(outcome="better", text=f"{what}{f', and {ones}' if count else ''}", sources=now.read)
    again = [row for row in now.holders if client(now.name, row).name == before["client"]]
    whose = ", ".join(f"session {row['pid']} of {client(now.name, row).name}" for row in now.holders[:3])
    text = f"{what}, but {len(now.held)} of the {count} that waited for it wait for {whose} now"
    if now.waiting > before["waiting"]:
        outcome = "worse"
    else:
        outcome = "better" if len(now.held) < count and not again else "same"
    text += "; the same client took the lock again" if again else ""
    return Check.model_validate({"outcome": outcome, "text": text, "sources": now.read, "next": _next(now)})


def _next(now: Seen) -> tuple[Option, ...]:
    """Ending what holds them up now, where it is a session."""
    return tuple(
        Option(
            label=f"Terminate session {row['pid']} of {client(now.name, row).name}",
            action="sql",
            target=str(session(str(row["database"] or now.name), row["pid"])),
            tool="terminate_session",
            args={"pid": row["pid"]},
            risk="medium",
            reversible=False,
        )
        for row in now.holders[:2]
        if row["pid"] and "backend_start" in row
    )
