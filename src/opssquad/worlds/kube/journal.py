"""The journal of a recorded world: every request that may change something, noted before it is applied.

A world that is opened again with its journal becomes the same world. One JSON object a line; a line that a
crash cut short is dropped, because its request was never applied.
"""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from opssquad.errors import UsageError
from opssquad.times import parse_time
from opssquad.worlds.kube.apiserver.request import Call, User

# Who may ask was decided when the request came; the credential itself stays out of the file.
NOT_KEPT = frozenset({"authorization", "cookie"})


@dataclass(frozen=True)
class Beginning:
    """The first line: which recording, and how its clock runs."""

    recording: str
    started_at: datetime
    speed: float


@dataclass(frozen=True)
class Entry:
    """A request and the moment, on the world's clock, at which it was applied."""

    at: datetime
    call: Call


class Journal:
    """An append-only file; the beginning is read from it, or written to it if it is new."""

    def __init__(self, file: Path, beginning: Beginning) -> None:
        self.file = file
        lines = _complete_lines(file)
        self.beginning = _begun(file, lines[0]) if lines else beginning
        self._entries = [_entry(file, number, line) for number, line in enumerate(lines[1:], 2)]
        if not lines:
            file.parent.mkdir(parents=True, exist_ok=True)
            start = {"recording": beginning.recording, "started_at": beginning.started_at.isoformat()}
            self._append({**start, "speed": beginning.speed})
        elif self.beginning.recording != beginning.recording:
            ours, theirs = beginning.recording, self.beginning.recording
            raise UsageError(
                f"{file} is the journal of recording {theirs!r}, not of {ours!r}; name another file"
            )

    def __iter__(self) -> Iterator[Entry]:
        """The requests that stood in the file when it was opened."""
        return iter(self._entries)

    def record(self, at: datetime, call: Call) -> None:
        """Put a request on disk; returns when it is there."""
        self._append(
            {
                "at": at.isoformat(),
                "method": call.method,
                "target": call.target,
                "user": {"name": call.user.name, "groups": list(call.user.groups)},
                "headers": {k: v for k, v in call.headers.items() if k not in NOT_KEPT},
                "body": base64.b64encode(call.body).decode(),
            }
        )

    def _append(self, line: dict[str, Any]) -> None:
        # For its owner alone: requests carry what they wrote.
        with open(self.file, "a", encoding="utf-8", opener=partial(os.open, mode=0o600)) as out:
            out.write(json.dumps(line) + "\n")
            out.flush()
            os.fsync(out.fileno())


def _complete_lines(file: Path) -> list[str]:
    if not file.exists():
        return []
    # What is no text fails as a line, with its number.
    text = file.read_text(encoding="utf-8", errors="surrogateescape")
    whole, _, rest = text.rpartition("\n")
    if rest:
        file.write_text(f"{whole}\n" if whole else "", encoding="utf-8", errors="surrogateescape")
    return whole.splitlines()


def _begun(file: Path, line: str) -> Beginning:
    try:
        data = json.loads(line)
        return Beginning(data["recording"], parse_time(data["started_at"]), float(data["speed"]))
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{file}, line 1: not the journal of a recorded world; name another file") from None


def _entry(file: Path, number: int, line: str) -> Entry:
    try:
        data = json.loads(line)
        user = User(data["user"]["name"], tuple(data["user"]["groups"]))
        body = base64.b64decode(data["body"], validate=True)
        call = Call(data["method"], data["target"], user, data["headers"], body)
        return Entry(parse_time(data["at"]), call)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file}, line {number}: not an entry of a journal: {error}") from None
