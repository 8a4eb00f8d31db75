"""What new containers write: the lines of recorded ones, re-stamped. Nothing is made up.

A container that starts well repeats what the same workload logged at its own start in the recording, up to
the first warning, with image tag and settings of the new template. A crash repeats the recorded crash.
"""

import re
from datetime import datetime, timedelta

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.world import LogLine
from opssquad.worlds.kube.controllers.naming import tag
from opssquad.worlds.kube.logbook import stamp

STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|\+00:00)?")
TROUBLE = re.compile(r"\b(warn(ing)?|error|fatal|critical|panic|exception|traceback|fail(ed|ure)?)\b", re.I)
STARTS_WITHIN = timedelta(seconds=3)
START_LASTS = timedelta(seconds=20)
MOST_LINES = 12


def restamped(lines: list[LogLine], begin: datetime) -> list[LogLine]:
    """The lines as if the first had been written at `begin`; stamps inside the text move along."""
    if not lines:
        return []
    shift = begin - parse_time(lines[0].time)
    return [LogLine(stamp(parse_time(line.time) + shift), _moved(line.text, shift)) for line in lines]


def _moved(text: str, shift: timedelta) -> str:
    def move(found: re.Match[str]) -> str:
        fraction, zone = found[1] or "", found[2] or ""
        separator = found[0][10]
        moment = parse_time(found[0].replace(",", ".").replace(" ", "T").removesuffix("Z")) + shift
        text = moment.strftime(f"%Y-%m-%d{separator}%H:%M:%S")
        digits = f"{moment.microsecond:06d}000"[: len(fraction) - 1] if fraction else ""
        return f"{text}{fraction[:1]}{digits}{zone}"

    return STAMP.sub(move, text)


def span(lines: list[LogLine]) -> float:
    """Seconds from the first line to the last."""
    return (parse_time(lines[-1].time) - parse_time(lines[0].time)).total_seconds() if lines else 0.0


def opening(lines: list[LogLine], started: datetime) -> list[LogLine]:
    """The first lines of a container that started at `started`, up to the first sign of trouble.

    Empty if the log does not go back to the start.
    """
    if not lines or parse_time(lines[0].time) - started > STARTS_WITHIN:
        return []
    kept: list[LogLine] = []
    for line in lines[:MOST_LINES]:
        if TROUBLE.search(line.text) or parse_time(line.time) - started > START_LASTS:
            break
        kept.append(line)
    return kept


def adapted(lines: list[LogLine], before: Json, after: Json) -> list[LogLine]:
    """Lines of one container as another would write them: image tag and `NAME=value` of its own spec."""
    pairs = [(tag(before["image"]), tag(after["image"]))]
    new = {entry["name"]: entry.get("value") for entry in after.get("env", ())}
    for entry in before.get("env", ()):
        if entry.get("value") and new.get(entry["name"]):
            pairs.append((f"{entry['name']}={entry['value']}", f"{entry['name']}={new[entry['name']]}"))
    adapted = []
    for line in lines:
        text = line.text
        for old, replacement in pairs:
            if old and old != replacement:
                text = re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w.])", replacement.replace("\\", r"\\"), text)
        adapted.append(LogLine(line.time, text))
    return adapted
