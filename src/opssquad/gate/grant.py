"""Grants: the signed permission to carry out exactly one call, once, checked again where the call runs.

That a call is carried out once over all processes and crashes is the ledger's promise; a signer remembers
only the grants that it admitted itself.
"""

import hmac
import json
from datetime import datetime
from pathlib import Path
from typing import Self

from opssquad.errors import Refused
from opssquad.gate.keys import load_key
from opssquad.times import Clock, wall_clock
from opssquad.types import Cleared, Decision, Grant, ToolCall


class Signer:
    """Signs grants with the key of this installation, and admits calls that carry one."""

    def __init__(self, key: bytes, now: Clock = wall_clock) -> None:
        self._key = key
        self._now = now
        self._used: set[str] = set()

    @classmethod
    def open(cls, folder: Path, now: Clock = wall_clock) -> Self:
        """With the key in `grant.key` of the state folder, made (mode 0600) where there is none.

        Raises StoreError if the key cannot be read, is not a key, or may be read by others.
        """
        return cls(load_key(folder / "grant.key"), now)

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
        if grant.signature in self._used:
            raise Refused(f"{tool}: the grant was used before; ask for a new approval")
        self._used.add(grant.signature)

    def _sign(self, grant: Grant) -> str:
        fields = grant.model_dump(mode="json", exclude={"signature"})
        return hmac.digest(self._key, json.dumps(fields, sort_keys=True).encode(), "sha256").hex()
