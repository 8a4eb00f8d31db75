"""What `logs` says of what it read: which log it was, what it shows, the digest, the lines themselves.

Pure; the digest itself is `_digest`'s.
"""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opssquad import Log, Signal, ToolError, matcher

from ._digest import chain, groups, hanging, table, told
from ._instances import Instance
from ._kube import dig, kubectl, owner, ref
from ._loglines import Entry, split_stamp
from ._text import some
from .signals._case import Case

VERBATIM = 100
AT_LEAST = 1000
SEARCHED = 5000
ROOM = 4200
"""Characters of verbatim lines that fit beside the rest in what a model reads."""
TOLD_IN_DIGEST = ("log.error", "log.fatal")


@dataclass(frozen=True)
class Wanted:
    """What was asked for: lines from the end, only those that match, how far back; `room` in bytes."""

    tail: int
    grep: str = ""
    since_minutes: int = 0
    room: int = 4 * 2**20

    @property
    def lines(self) -> int:
        """How many lines are read."""
        if self.grep:
            return max(self.tail, SEARCHED)
        return self.tail if self.tail <= VERBATIM else max(self.tail, AT_LEAST)

    @property
    def verbatim(self) -> bool:
        """Whether the engineer asked for the lines themselves."""
        return bool(self.grep) or self.tail <= VERBATIM


def command(chosen: Instance, wanted: Wanted) -> str:
    """The line an engineer would have typed."""
    meta = chosen.pod["metadata"]
    line = kubectl(
        *("logs", meta["name"], "-c", chosen.container),
        "--previous" if chosen.previous else "",
        f"--tail={wanted.lines}",
        f"--since={wanted.since_minutes}m" if wanted.since_minutes else "",
        namespace=meta["namespace"],
    )
    return f"{line} | grep -iE {shlex.quote(wanted.grep)}" if wanted.grep else line


def head(chosen: Instance, text: str) -> str:
    """Whose log it is, which instance and why, how many lines of what time."""
    up = owner(chosen.pod)
    whose = "" if up == ref(chosen.pod) else f" of {up.kind} {up.name}"
    named = f"Log of pod {chosen.pod['metadata']['name']}{whose}, container {chosen.container}"
    why = f": {chosen.why}" if chosen.why else ""
    if not chosen.started:
        return f"{named}: no log, {chosen.why}."
    lines = text.splitlines()
    first, last = (split_stamp(lines[i])[0][11:19] for i in (0, -1)) if lines else ("", "")
    span = (
        f" {len(lines)} {'line' if len(lines) == 1 else 'lines'}, {first} to {last} UTC."
        if lines
        else " It is empty."
    )
    listed = [each["name"] for each in dig(chosen.pod, "spec", "containers", default=())]
    others = [each for each in listed if each != chosen.container]
    if isinstance(text, Log) and text.cut:
        span += " That is not all of it: what came before, or the ends of very long lines, is left out."
    return f"{named}{why}.{span}" + (f" Not read: container {some(others, 5)}." if others else "")


def body(case: Case, signals: Iterable[Signal], wanted: Wanted) -> list[str]:
    """What the logs show: failed calls and the like, errors before an end, the digest, lines asked for."""
    lines: list[str] = []
    facts = [each for each in signals if each.id not in TOLD_IN_DIGEST]
    if facts:
        lines += ["", "What it shows:", *(row for each in facts for row in hanging("- ", _fact(each)))]
    ended = any(each.ended for each in case.reads)
    if ended and (grave := chain(case.entries)):
        lines += ["", "Errors before the end:", *told(grave, case.now)]
    shown = _matching(case.entries, wanted.grep) if wanted.grep else list(case.entries)
    if wanted.grep:
        lines += ["", f"{len(shown)} of {len(case.entries)} entries match {wanted.grep!r}."]
    if shown and (len(shown) > 12 or not wanted.verbatim):
        lines += ["", *table(groups(shown), case.now, 8 if wanted.verbatim else 12)]
    if shown and wanted.verbatim:
        lines += ["", *_verbatim([line for each in shown for line in each.lines], wanted.tail)]
    return lines


def _fact(signal: Signal) -> str:
    data = signal.data
    behind = f" -> {data['workload']}" if data.get("workload") else ""
    return f"{signal.text}{behind}"


def _matching(found: Iterable[Entry], pattern: str) -> list[Entry]:
    try:
        holds = matcher(pattern, ignore_case=True)
    except ToolError:
        # What is no expression, such as `failed (`, is searched for as it stands.
        return [each for each in found if pattern.casefold() in each.text.casefold()]
    return [each for each in found if holds(each.text)]


def _verbatim(lines: Sequence[str], most: int) -> list[str]:
    """The last lines as `kubectl logs` prints them, as many as fit."""
    bodies = [split_stamp(line)[1] for line in lines[-most:]]
    kept: list[str] = []
    size = 0
    for body in reversed(bodies):
        size += len(body) + 1
        if kept and size > ROOM:
            break
        kept.append(body)
    left = len(bodies) - len(kept)
    note = f" ({left} before them are kept with the evidence)" if left else ""
    return [f"Last {len(kept)} lines{note}:", *kept[::-1]]
