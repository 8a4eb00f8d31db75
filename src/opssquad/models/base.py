"""The one protocol that language models stand behind, and what they are asked and answer.

A request carries the conversation for models that read words, and the case (signals, differential, what was
offered) for those that do not; both see the same facts.
"""

from typing import Literal, Protocol

from pydantic import Field

from opssquad.findings import Check, Choice, Evidence, Hypothesis, Signal
from opssquad.types import Json, Target, Usage, Value

CONCLUDE = "conclude"
"""The pseudo-tool by which a model ends an investigation; its arguments are a `Draft`."""
HAND_OVER = "hand_over"
"""The pseudo-tool by which a squad hands the question over; its arguments are `squad`, `why`, `evidence`."""

MORE = "more_tools"
"""The pseudo-tool by which a model asks for tools that it was not offered; its argument is `about`."""


class ToolSpec(Value):
    """A tool as a model sees it; `parameters` is JSON Schema."""

    name: str
    description: str
    parameters: Json


class ModelCall(Value):
    """A call as the model wrote it. `problem` says why it cannot be made as it is written. `chosen`: the
    engineer took it, by the number of a choice or as `/undo`; no model wrote it."""

    id: str
    tool: str
    args: Json = Field(default_factory=dict)
    problem: str = ""
    chosen: bool = False


class Message(Value):
    """One message of the conversation; a `tool` message answers the call with that id."""

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    calls: tuple[ModelCall, ...] = ()
    call: str = ""


class SeenSignal(Value):
    """A signal of the case with the ids of its evidence (`e3`); `origin` says what look showed it."""

    signal: Signal
    evidence: tuple[str, ...] = ()
    call: str = ""
    origin: str = ""


class PastCall(Value):
    """A call that was made in this thread, and how it ended; `data` is the tool's. One that could not be
    made as it was written (no such tool, wrong arguments) is not `made`."""

    turn: int
    tool: str
    args: Json
    status: Literal["ok", "error", "refused", "unknown"]
    text: str
    call: str
    data: Json = Field(default_factory=dict)
    check: Check | None = None
    made: bool = True

    @property
    def unread(self) -> dict[str, str]:
        """What the tool could not look at, and why; its data says so."""
        return self._told("unread")

    @property
    def blind(self) -> dict[str, str]:
        """What it shows nothing about, whether it was kept from it or nobody was asked, and why."""
        return self.unread or self._told("unasked")

    def _told(self, key: str) -> dict[str, str]:
        found = self.data.get(key)
        return {str(e["what"]): str(e["why"]) for e in found} if isinstance(found, list) else {}


class Transfer(Value):
    """A squad to which the question may be handed, why, and the ids of the evidence that says so; `closed`
    says why it cannot take over here."""

    to: str
    why: str
    evidence: tuple[str, ...] = ()
    closed: str = ""


class Case(Value):
    """The ledger of a thread as a model may see it: facts and their ranking, never prose. `leads` are calls
    that could put a further fault on the differential. `squads` have worked on the question, the first of
    them was asked; `squad` works on it now, and `brief` says what for; `transfers` are offered to it. `memo`
    is what the model wrote down for itself with its last reply, kept like the rest."""

    question: str = ""
    turn: int = 0
    mode: Literal["chat", "ask"] = "ask"
    target: Target = Target(cluster="")
    signals: tuple[SeenSignal, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    differential: tuple[Hypothesis, ...] = ()
    leads: tuple[Choice, ...] = ()
    calls: tuple[PastCall, ...] = ()
    choices: tuple[Choice, ...] = ()
    must_conclude: bool = False
    squad: str = ""
    squads: tuple[str, ...] = ()
    brief: str = ""
    transfers: tuple[Transfer, ...] = ()
    memo: Json = Field(default_factory=dict)


class Request(Value):
    """What a model is asked."""

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    case: Case


class Draft(Value):
    """The arguments of `conclude`, as a model writes them; code checks evidence and computes the numbers."""

    class Cause(Value):
        component: str = Field(description="Kind/namespace/name")
        fault: str = Field(default="", description="id from the differential")
        root_cause: str
        confidence: Literal["confirmed", "likely", "possible"] = "likely"
        evidence: tuple[str, ...] = Field(default=(), description="evidence ids such as e3")

    class Option(Value):
        label: str
        action: str = Field(description="rollback scale patch restart cordon uncordon delete none escalate")
        target: str = Field(description="Kind/namespace/name")
        tool: str = ""
        args: Json = Field(default_factory=dict)

    summary: str = ""
    no_fault: bool = False
    causes: tuple[Cause, ...] = ()
    options: tuple[Option, ...] = ()
    missing: tuple[str, ...] = ()


class Reply(Value):
    """What a model answers: text, calls, or both; neither is a refusal to answer and counts as one. `memo` is
    handed back to it in the next case; an empty one leaves what is there."""

    text: str = ""
    calls: tuple[ModelCall, ...] = ()
    choices: tuple[Choice, ...] = ()
    memo: Json = Field(default_factory=dict)
    usage: Usage = Usage()
    finish: Literal["stop", "calls", "length", "refusal"] = "stop"


class Listener(Protocol):
    """What a model may say while it works: pieces of text, and warnings (a retry and its wait)."""

    def text(self, piece: str) -> None: ...
    def warn(self, text: str) -> None: ...


class Model(Protocol):
    """A language model, or what stands in for one."""

    name: str

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """Answer a request. Raises ModelError."""
        ...


def wordless(model: Model, case: Case) -> bool:
    """Whether it goes by the case alone: what it is offered costs it nothing, so it is offered everything."""
    says = getattr(model, "wordless", None)
    return bool(says and says(case))
