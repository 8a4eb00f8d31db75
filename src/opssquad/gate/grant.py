"""Grants: the signed permission to carry out exactly one call, once, checked again where the call runs.

A grant that was used leaves a mark in the state folder, so that no process admits it again. That a call is
carried out once over all crashes is the ledger's promise besides.
"""

import hmac
import json
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from opssquad.errors import Refused
from opssquad.gate.keys import load_key
from opssquad.times import Clock, wall_clock
from opssquad.types import Cleared, Decision, Grant, ToolCall

KEPT = timedelta(days=3)
"""How long the mark of a used grant is kept; cards wait a day at most."""


class Signer:
    """Signs grants with the key of this installation, and admits calls that carry one."""

    def __init__(self, key: bytes, now: Clock = wall_clock, marks: Path | None = None) -> None:
        self._key = key
        self._now = now
        self._marks = marks
        self._used: set[str] = set()

    @classmethod
    def open(cls, folder: Path, now: Clock = wall_clock) -> Self:
        """With the key in `grant.key` of the state folder, made (mode 0600) where there is none.

        Raises StoreError if the key cannot be read, is not a key, or may be read by others.
        """
        return cls(load_key(folder / "grant.key"), now, folder / "grants")

    def grant(self, call: ToolCall, decision: Decision, expires: datetime) -> Grant:
        """Permission for this call until `expires`. Raises Refused unless the decision is a yes to it."""
        if decision.outcome != "approved":
            raise Refused(f"approval {decision.approval} is {decision.outcome}; there is nothing to grant")
        if decision.call_digest != call.digest:
            raise Refused(f"approval {decision.approval} is for another call than {call.tool}")
        grant = Grant(
            call_digest=call.digest,
            approval=decision.approval,
            by=decision.by,
            expires=expires,
            signature="",
        )
        return grant.model_copy(update={"signature": self._sign(grant)})

    def admit(self, cleared: Cleared) -> None:
        """Let the call pass, once. Raises Refused unless its grant is ours, fits, is unused and in time."""
        grant, tool = cleared.grant, cleared.call.tool
        if grant is None:
            raise Refused(f"{tool}: it carries no grant; it needs an approval first")
        if not hmac.compare_digest(grant.signature.encode(), self._sign(grant).encode()):
            raise Refused(f"{tool}: the grant was not signed by this installation, or was changed")
        if grant.call_digest != cleared.call.digest:
            raise Refused(f"{tool}: the grant is for another call; ask for a new approval")
        if self._now() >= grant.expires:
            raise Refused(
                f"{tool}: the grant expired at {grant.expires:%H:%M:%S} UTC; ask for a new approval"
            )
        if grant.signature in self._used or not self._mark(grant.signature, tool):
            raise Refused(f"{tool}: the grant was used before; ask for a new approval")
        self._used.add(grant.signature)

    def _mark(self, signature: str, tool: str) -> bool:
        """Mark a grant as used for every process; False if it was. Raises Refused if that is impossible."""
        if self._marks is None:
            return True
        try:
            self._marks.mkdir(mode=0o700, exist_ok=True)
            _forget(self._marks, self._now() - KEPT)
            # Made here or there already, in one step of the kernel: of two processes one wins.
            os.close(os.open(self._marks / signature, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            _sync(self._marks)
        except FileExistsError:
            return False
        except OSError as error:
            said = f"its grant cannot be marked as used in {self._marks} ({error.strerror})"
            raise Refused(f"{tool}: {said}, so it is not carried out") from error
        return True

    def _sign(self, grant: Grant) -> str:
        fields = grant.model_dump(mode="json", exclude={"signature"})
        return hmac.digest(self._key, json.dumps(fields, sort_keys=True).encode(), "sha256").hex()


def _forget(marks: Path, before: datetime) -> None:
    """Drop the marks of grants that expired long ago: those are refused for their age."""
    for mark in marks.iterdir():
        with suppress(FileNotFoundError):  # another process was faster
            if mark.stat().st_mtime < before.timestamp():
                mark.unlink()


def _sync(folder: Path) -> None:
    """Have the names in a folder on disk before going on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
