"""Calls that failed, as log entries tell them: refused, timed out, cut off or answered with a server's error,
and whom they were made to.

Pure; which Service is behind an address is told by `_addresses`, what becomes a signal is `logs`' business.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from .._addresses import Address, addresses, endpoints
from .._loglines import Entry
from .strangers import CERTIFICATE, LIMITED, met

ANNOUNCED = 3
"""How many entries before a failure may tell what was being connected to."""
CONNECTING = re.compile(r"\bconnect(?:ing)? (?:to|with)\b|\bdial(?:l?ing)?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Failure:
    """A way in which a call fails. One of the hints, in lower case, stands in all that the pattern matches:
    looking for them first is ten times as fast."""

    signal: str
    key: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def words(self, text: str) -> str:
        """The words that tell of such a failure; empty where none do."""
        lower = text.lower()
        found = self.pattern.search(text) if any(hint in lower for hint in self.hints) else None
        return found[0] if found else ""


REFUSED = Failure(
    signal="log.connect_refused",
    key="address",
    hints=("refused", "upstream", "no endpoints", "connect call failed", "connect to", "all addresses"),
    pattern=re.compile(
        r"connection refused|ECONNREFUSED|no live upstreams|no healthy upstream|no endpoints available"
        r"|actively refused|(?<!Errno 110\] )Connect call failed"
        r"|could(?:n't| not) connect to (?:the )?(?:server|endpoint)"
        r"|unable to connect to the remote server|failed to connect to all addresses",
        re.IGNORECASE,
    ),
)
TIMEOUT = Failure(
    signal="log.timeout",
    key="target",
    hints=("timed", "timeout", "deadline exceeded"),
    pattern=re.compile(
        r"timed[ -]?out|timeout (?:of|after|expired|exceeded|awaiting|waiting|while|error)|i/o timeout"
        r"|ETIMEDOUT|deadline exceeded|\btimeout\b|timeout(?:error|exception)\b"
        r"|\b(?:connect|connection|read|request|socket|pool)timeout\b",
        re.IGNORECASE,
    ),
)
ANSWERED = Failure(
    signal="log.bad_answer",
    key="target",
    hints=("50", "server error", "bad gateway", "unavailable"),
    pattern=re.compile(
        r"\b50[0-4] (?:Internal Server Error|Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)"
        r"|\b(?:status(?:[ _]?code)?|responded(?: with)?|answered(?: with)?|returned|code|HTTP(?:/[\d.]+)?)"
        r"[\"']?[ :=(]{1,3}50[0-4]\b"
        r"|Internal Server Error|Bad Gateway|Service Unavailable",
        re.IGNORECASE,
    ),
)
RESET = Failure(
    signal="log.reset",
    key="target",
    hints=("reset", "eof", "broken pipe", "disconnected", "connection closed", "hang up"),
    pattern=re.compile(
        r"connection reset|ECONNRESET|\bunexpected EOF\b|: EOF\b|broken pipe|EPIPE|server disconnected"
        r"|connection closed before|socket hang up|premature(?:ly)? (?:EOF|closed)",
        re.IGNORECASE,
    ),
)
GATEWAY_TIMEOUT = 504
GRAVE = frozenset({"fatal", "error", "warn"})


@dataclass(frozen=True)
class Called:
    """A failed call: in which ways it failed (none where it is a certificate that failed), the addresses that
    may be the callee's, and whether they only stand just before it (`announced`)."""

    failures: tuple[Failure, ...]
    named: Sequence[Address]
    announced: bool


def called(entries: Sequence[Entry]) -> dict[int, Called]:
    """Every failed call by the id of its entry. Where a failure names no address, it is what the same process
    said it would connect to."""
    found: dict[int, Called] = {}
    before: dict[int, deque[Entry]] = {}
    for each in entries:
        latest = before.setdefault(each.origin, deque(maxlen=ANNOUNCED))
        failures = _failures(each)
        if failures or _tells_whom(each):
            named = _passed_to(each) or addresses(each.text)
            told = (endpoints(e.message) for e in reversed(latest) if CONNECTING.search(e.message))
            guess = [] if named else next(told, [])
            found[id(each)] = Called(failures, named or guess, bool(guess))
        latest.append(each)
    return found


def _tells_whom(entry: Entry) -> bool:
    """Whether it matters whom an entry was answered by that tells of no failed call."""
    return entry.level in GRAVE and any(name in (CERTIFICATE, LIMITED) for name, _, _ in met(entry.text))


def _failures(entry: Entry) -> tuple[Failure, ...]:
    if entry.level not in GRAVE:
        return ()
    if entry.access:
        # Its own answer; that another gave it, or gave none, is known of a proxy alone.
        late = entry.access.status == GATEWAY_TIMEOUT
        return ((TIMEOUT if late else ANSWERED),) if entry.access.upstream else ()
    text = entry.text
    failures = tuple(each for each in (REFUSED, TIMEOUT) if each.words(text))
    weaker = (each for each in (RESET, ANSWERED) if not failures and each.words(text))
    return failures or tuple(weaker)


def _passed_to(entry: Entry) -> list[Address]:
    if not entry.access or not entry.access.upstream:
        return []
    upstream = entry.access.upstream
    return addresses(upstream) or endpoints(upstream) or [Address(upstream)]
