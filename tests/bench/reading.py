"""Figures of reading a long log: the digest of its lines, and the digest with all that the lines prove."""

import time
from datetime import UTC, datetime

from tools._addresses import Directory
from tools._digest import groups, table
from tools._loglines import Entry, entries
from tools.signals._case import Case, Read
from tools.signals.calls import called
from tools.signals.logs import log_signals

from tests.bench.measure import ROOT, Figure

LINES = 100_000
NOW = datetime(2026, 12, 1, tzinfo=UTC)
POD = {"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}, "spec": {"containers": []}}


def long_log(lines: int = LINES) -> str:
    """That many lines: those of all the recorded logs, over and over."""
    recorded: list[str] = []
    for path in sorted((ROOT / "evals" / "recordings").glob("*/logs/*/*/*.log")):
        recorded += path.read_text(encoding="utf-8").splitlines()
    return "\n".join((recorded * (lines // len(recorded) + 1))[:lines])


def digest_figures(times: int) -> list[Figure]:
    """Seconds from the text of a log to the rows of its digest, and to the signals beside it."""
    log = long_log()
    digests, signals = [], []
    for _ in range(times):
        began = time.monotonic()
        read = entries(log)
        table(groups(read), NOW)
        digests.append(time.monotonic() - began)
        began = time.monotonic()
        prove(log, read)
        signals.append(time.monotonic() - began)
    return [
        Figure(f"digest of {LINES} log lines", digests, "s", 2),
        Figure("what these lines prove, beside the digest", signals, "s", None),
    ]


def prove(log: str, read: list[Entry]) -> None:
    """All signals of a log, as the tool finds them."""
    log_signals(Case([Read(POD, "web", False, log)], read, NOW, Directory(()), called(read)))
