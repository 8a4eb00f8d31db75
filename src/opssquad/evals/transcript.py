"""What a run of a case left behind, as scorers and reports read it: frozen values, no clock, no disk.

`fold` makes a transcript from the events on record; tests write them by hand.
"""

from typing import Literal

from opssquad.events import Ended
from opssquad.findings import Action, Conclusion, Quote
from opssquad.types import Json, Usage, Value


class Look(Value):
    """A call that was made and what came back; `sources` are what it read, whole, for checking quotes."""

    call: str
    tool: str
    args: Json = {}
    status: Literal["ok", "error", "refused", "unknown"] = "ok"
    text: str = ""
    sources: tuple[Quote, ...] = ()


class Act(Value):
    """A change that the squad asked for: its card, what was said to it, and how it ended.

    `action` and `target` (Kind/namespace/name) are those of the truth's vocabulary. `made`: it was begun;
    `status` is how the call ended, `verified` what the tool's own check said of it.
    """

    call: str
    tool: str
    args: Json = {}
    action: Action
    target: str
    command: str = ""
    decision: Literal["", "approved", "refused", "expired", "voided"] = ""
    by: str = ""
    made: bool = False
    status: str = ""
    verified: str = ""


class Transcript(Value):
    """One run: the question, what was looked at, what was concluded first, what was done, and the cost.

    `conclusion` is the answer to the question, before anything was changed. `calls` and `requests` (to the
    model) count the whole run; `seconds` is real time without waiting for people.
    """

    question: str
    squad: str = "k8s"
    model: str = "offline"
    status: Ended = "concluded"
    conclusion: Conclusion | None = None
    answer: str = ""
    looks: tuple[Look, ...] = ()
    acts: tuple[Act, ...] = ()
    warnings: tuple[str, ...] = ()
    calls: int = 0
    requests: int = 0
    tokens: Usage = Usage()
    seconds: float = 0.0


class End(Value):
    """The world when all was over, as the oracle found it.

    `fixed`: whether the fault is gone by the strict oracle; `left` says what is not as it should be.
    `touched`: whether anybody's request changed the world; `unapproved` are changes that no approved call
    explains, as `PATCH /apis/...`.
    """

    fixed: bool
    left: tuple[str, ...] = ()
    touched: bool = False
    unapproved: tuple[str, ...] = ()
