"""The values around a call: target, verdict, preview, card, decision, grant.

Frozen pydantic models that refuse unknown fields. Nothing here waits, decides or knows a system; what tools
return and squads conclude is in `findings`.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

Json = dict[str, Any]
Outcome = Literal["allow", "ask", "refuse"]
Effect = Literal["read", "mutate"]
Risk = Literal["low", "medium", "high"]
Ruling = Literal["approved", "refused"]
"""What an approver can say to a card."""
Mode = Literal["chat", "ask"]
"""How a thread is held: as a conversation, or as one question that must end in a conclusion."""
Restraint = Literal["none", "suggest", "read"]
"""What a thread may do at most, loosest first: propose changes, only suggest them, or only read."""


class Value(BaseModel):
    """Base of every value: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ref(Value):
    """One object of the cluster. Cluster-scoped objects have an empty namespace."""

    kind: str
    namespace: str = ""
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `Kind/namespace/name`; `Node//n1` for cluster-scoped objects. Raises ValueError."""
        parts = text.split("/", 2)
        if len(parts) != 3 or not parts[0] or not parts[2]:
            raise ValueError(f"{text!r} is not Kind/namespace/name")
        return cls(kind=parts[0], namespace=parts[1], name=parts[2])

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


class Target(Value):
    """Where a call goes. `cluster` is the name on screen, for kubeconfig users the context's name; `database`
    is one's name and server, `orders at db.example:5432`."""

    cluster: str
    namespace: str = ""
    node: str = ""
    database: str = ""


def digest(value: Any) -> str:
    """sha256 of canonical JSON, in hex."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class ToolCall(Value):
    """A tool with validated arguments and a target. The id is unique and part of the digest."""

    id: str
    tool: str
    args: Json = Field(default_factory=dict)
    target: Target

    @property
    def digest(self) -> str:
        told = self.model_dump(mode="json")
        if not self.target.database:
            # A call that was carded before there were databases keeps its digest.
            del told["target"]["database"]
        return digest(told)


def called(tool: str, args: Json) -> str:
    """A call as one would write it."""
    given = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in args.items())
    return f"{tool}({given})"


def person(name: str) -> str:
    """One spelling of a person's name: `Kim ` and `kim` are not two people."""
    return " ".join(name.split()).casefold()


class Needs(Value):
    """Who must approve a card: how many people, of which roles (any of them; none named: anyone).

    With `requester_may_approve` false, whoever asked for the change is none of them.
    """

    approvers: int = Field(default=1, ge=1, le=9)
    roles: tuple[str, ...] = ()
    requester_may_approve: bool = True


class Verdict(Value):
    """What policy says of a call, the rule that said it, and who must approve where it asks."""

    outcome: Outcome
    rule: str
    reason: str = ""
    needs: Needs = Needs()


class Preview(Value):
    """What a mutation would do, computed before the act by the tool itself.

    `command` is the line an engineer would type. `diff` comes from a server-side dry run. `binding` maps
    objects (`Kind/namespace/name`) to what was observed (resourceVersion, or `revision=N`): if any of it
    differs at the moment of the act, the approval is void. `before` is what `verify` compares with later.
    `settled` are arguments that the call left open, as this preview took them ("the previous one" is 2).
    """

    command: str
    impact: str
    risk: Risk
    risk_rule: str
    diff: str = ""
    binding: Mapping[str, str] = Field(default_factory=dict)
    verify_plan: str = ""
    before: Json = Field(default_factory=dict)
    settled: Json = Field(default_factory=dict)


class Undo(Value):
    """How to take a mutation back. Without a tool it cannot be undone by us, and `note` says so plainly."""

    note: str
    tool: str = ""
    args: Json = Field(default_factory=dict)
    command: str = ""


class Approval(Value):
    """The card that a human decides on. `world_time` is the world's clock, the other times are real ones.

    A `suggestion` is shown with the command to copy; nobody can decide it. `cluster_id` tells the cluster
    from all others, whatever its context is called; empty where there is none. `squad` is who wants it. A
    card about a read has no binding and no undo.
    """

    id: str
    thread: str
    call: ToolCall
    preview: Preview
    undo: Undo
    why: str
    evidence: tuple[str, ...] = ()
    requested_by: str
    squad: str = ""
    requested_at: datetime
    expires_at: datetime
    world_time: datetime
    rule: str
    needs: Needs = Needs()
    suggestion: bool = False
    effect: Effect = "mutate"
    cluster_id: str = ""


class Decision(Value):
    """What became of an approval. Voided: the world had changed when the act was due. Consented: a yes of one
    of several whose yes is needed; the card still waits. `roles` are those that policy gives `by`. With
    `session`, a yes to a read holds for alike reads of the thread from then on."""

    approval: str
    call_digest: str
    outcome: Literal["approved", "refused", "expired", "voided", "consented"]
    by: str
    at: datetime
    reason: str = ""
    roles: tuple[str, ...] = ()
    session: bool = False


class Grant(Value):
    """Permission for exactly one call, once: `signature` is an HMAC over the other fields."""

    call_digest: str
    approval: str
    by: str
    expires: datetime
    signature: str


class Cleared(Value):
    """The only thing an executor accepts: a call with its grant; reads carry none."""

    call: ToolCall
    verdict: Verdict
    grant: Grant | None = None


class Usage(Value):
    """Tokens of one model request, as the endpoint counted them; zero where it did not."""

    prompt: int = 0
    completion: int = 0


class KubectlRead(Value):
    """A kubectl line that only reads. `words` is the command as we would run it, program and namespace left
    out, every flag as `--name=value`; `namespace` is the one it names, "" for none; `everywhere` is `-A`."""

    kind: Literal["read"] = "read"
    reason: str
    words: tuple[str, ...]
    namespace: str = ""
    everywhere: bool = False


class KubectlChange(Value):
    """A kubectl line that does what one of our own tools does, with a card: that tool and its arguments."""

    kind: Literal["change"] = "change"
    reason: str
    tool: str
    args: Json


class KubectlRefusal(Value):
    """A line that is not run, and why."""

    kind: Literal["refuse"] = "refuse"
    reason: str


KubectlLine = KubectlRead | KubectlChange | KubectlRefusal
"""What a kubectl line is."""
