"""What tools return and what squads conclude: quotes, signals, results, evidence, hypotheses, conclusions.

Frozen values like those of `types`; every claim carries exact text that code can find again.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from opssquad.types import Json, Ref, Risk, Value

Confidence = Literal["confirmed", "likely", "possible"]
Severity = Literal["info", "warning", "critical"]
Action = Literal[
    "rollback", "scale", "patch", "restart", "cordon", "uncordon", "delete", "sql", "none", "escalate"
]


class Quote(Value):
    """Exact text and where it stands: `Pod/ns/name status.containerStatuses[0]`, `log ns/pod/container`,
    `Event Pod/ns/name`. The text must occur in a source of the call that returned it."""

    locator: str
    text: str


def output(call: str, text: str) -> Quote:
    """The text that a call told, as a place that can be quoted."""
    return Quote(locator=f"output {call}", text=text)


class Evidence(Value):
    """A quote with its origin. `id` (`e3`) is how people and models cite it."""

    id: str
    call: str
    locator: str
    text: str


class Signal(Value):
    """A fact with a name that code found in what a tool read.

    `id` is dotted (`container.oom_killed`); `entity` is the object it is about; `owner` the workload that
    answers for it (the entity itself where there is none above it). `at` is when it happened or began,
    `until` when it was over, for history. `data` holds facts for templates and conditions, JSON values only.
    """

    id: str
    entity: Ref
    owner: Ref = Field(default_factory=lambda given: given["entity"])
    text: str
    severity: Severity = "warning"
    at: datetime | None = None
    until: datetime | None = None
    data: Json = Field(default_factory=dict)
    quotes: tuple[Quote, ...] = ()


class Suspicion(Value):
    """Text from outside that reads like an instruction, or hides what it says: data all the same.

    `family` names the kind, `does` says in words what it does, `text` is the exact line with what is not seen
    made visible (`<U+202E>`), `reads` what it says where it is written in a code. `words` are the letters of
    what gave it away; two of one `key` are the same text. `more` counts those that are not told one by one.
    """

    family: str
    does: str
    locator: str
    text: str
    reads: str = ""
    words: str = ""
    key: str
    more: int = 0

    def __str__(self) -> str:
        said = f"{self.text}» reads «{self.reads}" if self.reads else self.text
        more = f" (and {self.more} more in the same result)" if self.more else ""
        return f"suspicious text in {place(self.locator)}: {self.does} («{said}»){more}; treated as data"


def place(locator: str) -> str:
    """A locator as people say it: `the logs of shop/cart-1/app`, `Pod shop/cart-1, metadata.labels`."""
    kind, _, rest = locator.partition(" ")
    match kind:
        case "log":
            return f"the logs of {rest}"
        case "Event":
            return f"an event of {place(rest)}"
        case "History":
            return f"what was seen of {place(rest)}"
        case "output":
            return "what a tool told"
        case "card":
            return f"the card {rest}"
        case "rows":
            database, _, look = rest.partition("/")
            return f"{look} of database {database}"
    object_, slash, name = kind.partition("/")
    return f"{object_} {name.lstrip('/')}{f', {rest}' if rest else ''}" if slash else locator


class Result(Value):
    """What a tool function returns.

    `text` is the compact view that model and engineer read; `sources` is what was read, whole, so that quotes
    can be checked and more can be asked for; `commands` are the kubectl lines an engineer would have typed;
    `data` is JSON for the conversation (`{"pods": [...]}` makes "the first pod" work).
    """

    text: str
    sources: tuple[Quote, ...] = ()
    data: Json = Field(default_factory=dict)
    signals: tuple[Signal, ...] = ()
    commands: tuple[str, ...] = ()


class ToolResult(Value):
    """What came back from a call. `text` is the compact view for model and screen, `sources` what was read,
    kept whole and addressable by the call's id; `commands` the kubectl lines an engineer would have typed;
    `redactions` counts the secrets taken out; `suspicions` are texts in it that read like instructions."""

    call: str
    status: Literal["ok", "error", "refused", "unknown"]
    text: str
    sources: tuple[Quote, ...] = ()
    data: Json = Field(default_factory=dict)
    signals: tuple[Signal, ...] = ()
    commands: tuple[str, ...] = ()
    cut: bool = False
    ms: int = 0
    redactions: int = 0
    suspicions: tuple[Suspicion, ...] = ()


class Choice(Value):
    """A numbered next step offered in the conversation: a call that can be made, or words to say. `by_hand`
    is the line that the engineer would type for a step that no tool of ours takes."""

    label: str
    tool: str = ""
    args: Json = Field(default_factory=dict)
    say: str = ""
    by_hand: str = ""


class Option(Value):
    """A numbered way on. With a tool it can be carried out by us; `minutes` is a rough duration."""

    label: str
    action: Action
    target: str
    tool: str = ""
    args: Json = Field(default_factory=dict)
    risk: Risk = "low"
    minutes: int = 1
    reversible: bool = True

    def choice(self) -> Choice:
        """The option as a numbered choice of the conversation."""
        if self.tool:
            return Choice(label=self.label, tool=self.tool, args=self.args)
        return Choice(label=self.label, say=self.label, by_hand=self._by_hand())

    def _by_hand(self) -> str:
        if self.action != "patch" or self.target.count("/") < 2:
            return ""
        ref = Ref.parse(self.target)
        where = f"kubectl -n {ref.namespace}" if ref.namespace else "kubectl"
        return f"{where} edit {ref.kind.lower()} {ref.name}"


class Check(Value):
    """Whether a mutation helped, computed by the tool's `verify` against what stood before. `sources` is what
    it read; they are kept as an output of their own, not on events and in checkpoints. `next` are calls that
    are still needed, or take it back: they are offered by number."""

    outcome: Literal["better", "same", "worse", "unknown"]
    text: str
    signals: tuple[Signal, ...] = ()
    quotes: tuple[Quote, ...] = ()
    sources: tuple[Quote, ...] = ()
    next: tuple[Option, ...] = ()


class Finding(Value):
    """A claim with evidence for it and against it; code checks that every quote stands where it says."""

    claim: str
    confidence: Confidence
    evidence: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()


class Inadmissible(Value):
    """An action that does not help against a fault, or does harm, and why. An empty `target` means any."""

    action: Action
    reason: str = Field(min_length=1)
    target: str = ""

    def __str__(self) -> str:
        at = f" of {self.target}" if self.target else ""
        return f"{self.action}{at} - {self.reason}"


class Cause(Value):
    """One cause: the component, the fault of the catalogue (an id, or "" if none fits), and why. What does
    not help against that fault is the catalogue's word, whoever drew the conclusion. `runbooks` are the ids
    of those that are for it."""

    component: Ref
    fault: str
    root_cause: str
    confidence: Confidence
    findings: tuple[Finding, ...] = ()
    inadmissible: tuple[Inadmissible, ...] = ()
    runbooks: tuple[str, ...] = ()


class Conclusion(Value):
    """What the squad holds to be true: causes by impact, no fault, or inconclusive with what is missing."""

    status: Literal["concluded", "inconclusive"]
    no_fault: bool = False
    summary: str = ""
    causes: tuple[Cause, ...] = ()
    options: tuple[Option, ...] = ()
    missing: tuple[str, ...] = ()


class Answer(Value):
    """The squad's reply to one utterance: text, and the choices offered with it."""

    text: str
    choices: tuple[Choice, ...] = ()


class Hypothesis(Value):
    """A row of the differential: a fault at a component, with signals for and against (indexes into the
    case's signals), a score between 0 and 1, and the calls that would tell most."""

    fault: str
    title: str
    component: Ref
    score: float
    confidence: Confidence
    root_cause: str
    supporting: tuple[int, ...] = ()
    opposing: tuple[int, ...] = ()
    next_calls: tuple[Choice, ...] = ()
    options: tuple[Option, ...] = ()
    inadmissible: tuple[Inadmissible, ...] = ()
    no_fault: bool = False
