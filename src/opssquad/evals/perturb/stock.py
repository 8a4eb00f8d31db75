"""The stock of texts that noise is made of (noise.yaml), and how a line is put into a log's own style."""

import re
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal

from opssquad.documents import read_yaml
from opssquad.times import parse_time
from opssquad.worlds.kube.recording.fates import Strict
from opssquad.worlds.kube.recording.files import log_lines

NUMBERS = {"info": 30, "warn": 40, "error": 50}


class Warned(Strict):
    """A warning event about something that is well."""

    about: Literal["Pod", "Service"]
    when: Literal["start", "stale", "fresh"]
    reason: str
    component: str
    probe: Literal["http", "exec"] | None = None
    message: str


class Line(Strict):
    """What a log line says, and how loudly."""

    level: Literal["warn", "error"]
    text: str


class ServerLine(Strict):
    """What a database's log says, at which level, and whether a client's session says it."""

    level: Literal["LOG", "WARNING", "ERROR"]
    text: str
    client: bool


class Style(Strict):
    """A way of writing logs: the beginning of its lines as a pattern, and a line of it."""

    like: str
    line: str


class Stock(Strict):
    """noise.yaml."""

    events: list[Warned]
    lines: list[Line]
    database: list[ServerLine]
    styles: list[Style]
    settings: dict[str, str]
    edits: dict[str, str]
    causes: list[str]

    def style(self, log: str) -> Style | None:
        """The style of a log, by its last line that has one; None for software that writes in its own way."""
        for line in reversed(log_lines(log)[-20:]):
            for style in self.styles:
                if re.match(style.like, line.partition(" ")[2]):
                    return style
        return None


@cache
def stock() -> Stock:
    """The texts to draw from."""
    return read_yaml(Path(__file__).parent / "noise.yaml", Stock)


def written(style: Style, level: str, text: str, moment: datetime, pod: str, service: str) -> str:
    """A whole log line, stamp first, without its end."""
    inner = moment - timedelta(microseconds=300)
    millis = f"{inner:%Y-%m-%dT%H:%M:%S}.{inner.microsecond // 1000:03}Z"
    body = Template(style.line).substitute(
        text=text,
        level=level,
        LEVEL=level.upper(),
        number=NUMBERS[level],
        millis=millis,
        micros=f"{inner:%Y-%m-%dT%H:%M:%S.%f}Z",
        spaced=f"{inner:%Y-%m-%d %H:%M:%S},{inner.microsecond // 1000:03}",
        epoch=f"{inner.timestamp():.4f}",
        epoch_ms=int(inner.timestamp() * 1000),
        pod=pod,
        service=service,
    )
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z {body}"


def merged(log: str, lines: list[str]) -> str:
    """A log with further lines at their times; what stands at the same time keeps its order."""
    both = [*log_lines(log), *lines]
    # A stack trace's lines carry stamps of their own, so nothing is torn apart by sorting.
    return "".join(f"{line}\n" for line in sorted(both, key=lambda line: line.partition(" ")[0]))


def span(log: str) -> tuple[datetime, datetime] | None:
    """The times of a log's first and last line; None for an empty one."""
    lines = log_lines(log)
    return (parse_time(_stamp(lines[0])), parse_time(_stamp(lines[-1]))) if lines else None


def _stamp(line: str) -> str:
    return line.partition(" ")[0]
