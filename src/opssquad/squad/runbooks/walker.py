"""A runbook as a model: given the case, it proposes the call of the next step, and concludes at the end. What
it proposes is judged, asked about, done and put on record like any model's.

Its turn is the thread's first. Whatever is said after it is for the model behind it.
"""

from collections.abc import Sequence
from typing import Self
from urllib.parse import parse_qsl, urlencode

from opssquad.errors import UsageError
from opssquad.models.base import CONCLUDE, Case, Draft, Listener, Model, ModelCall, Reply, Request, wordless
from opssquad.squad.runbooks.book import AFTER, BEFORE, OVER, STOP, Runbook
from opssquad.squad.runbooks.passed import Passed
from opssquad.squad.runbooks.walk import QUOTES, Walk, Walking
from opssquad.templates import fill
from opssquad.toolbox import Toolbox
from opssquad.types import Json, Ref, Value

TURN = 1
PREFIX = "runbook:"
WIDTH = 78
"""Characters of the line that quotes a piece of evidence."""
STATES = {BEFORE: "the steady state, before", AFTER: "the steady state, after"}
ENDS = {
    "steady": "Nothing was found, and nothing was done.",
    "elsewhere": "What the runbook is about is as it should be. What was looked at shows something else.",
    "mended": "The steady state was broken and holds again.",
    "unknown": "Whether the steady state holds is not known.",
}


class Run(Value):
    """Which runbook is run with what parameters. The digest is of its text as the run began."""

    id: str
    digest: str
    given: dict[str, str]

    def __str__(self) -> str:
        return f"{PREFIX}{self.id}@{self.digest}?{urlencode(sorted(self.given.items()))}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote."""
        head, _, given = text.removeprefix(PREFIX).partition("?")
        id, _, digest = head.partition("@")
        return cls(id=id, digest=digest, given=dict(parse_qsl(given, keep_blank_values=True)))

    @property
    def words(self) -> str:
        """The run as the question of its thread."""
        given = ", ".join(f"{name} {value}" for name, value in self.given.items() if value)
        return f"runbook {self.id}" + (f" for {given}" if given else "")


def facts_for(book: Runbook, given: dict[str, str]) -> Json:
    """The parameters with their defaults, and the `target`. Raises UsageError for one that is missing or
    unknown, and for a target that is no object."""
    known = book.head.value.parameters
    for name in given:
        if name not in known:
            raise UsageError(
                f"runbook {book.id} has no parameter {name!r}; it takes: {', '.join(known) or 'none'}"
            )
    facts: Json = {name: given.get(name) or p.default for name, p in known.items()}
    for name, value in facts.items():
        if value is None:
            how = f"--namespace {name.upper()}" if name == "namespace" else f"--set {name}=..."
            raise UsageError(f"runbook {book.id} needs {name} ({known[name].about}): give {how}")
    target = fill(book.head.value.target, facts)
    try:
        return {**facts, "target": str(Ref.parse(target))}
    except ValueError as error:
        raise UsageError(f"runbook {book.id}: what it is about cannot be told: {error}") from None


class Walker:
    """The model of a thread that runs a runbook. `book` is None where it cannot be walked on, for the reason
    `why`: then it says so and concludes. `then` answers what is said after the runbook."""

    def __init__(self, run: Run, book: Runbook | None, toolbox: Toolbox, then: Model, why: str = "") -> None:
        self.name = f"runbook {run.id}"
        self.says = str(getattr(then, "says", ""))
        self._run, self._book, self._toolbox, self._then, self._why = run, book, toolbox, then, why

    def wordless(self, case: Case) -> bool:
        """Its own turn goes by the book; later ones are those of the model behind it."""
        return case.turn <= TURN or wordless(self._then, case)

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """The next step's call, or the conclusion. Raises ModelError of the model behind it."""
        case = request.case
        if case.turn > TURN:
            self.name = self._then.name
            return await self._then.reply(request, listener)
        if self._book is None:
            draft = Draft(summary=f"Runbook {self._run.id} was not walked to its end.", missing=(self._why,))
            return _concluded("", draft, case.memo)
        walking = Walking(self._book, facts_for(self._book, self._run.given), self._toolbox)
        before = Walk.model_validate(case.memo)
        walk = walking.on(before, case, {tool.name for tool in request.tools})
        told = [_passed(p, case) for p in walk.passed[len(before.passed) :]]
        memo = walk.model_dump(mode="json")
        if walk.at == OVER:
            return _concluded("\n".join(told), self._draft(walk), memo)
        tool, args = walking.call(walk)
        say = walking.say(walk, self._book.look(walk.at, walk.check).say)
        text = "\n".join([*told, f"{_titled(walk.at)}: {say}"])
        return Reply(
            text=text, calls=(ModelCall(id="step", tool=tool, args=args),), memo=memo, finish="calls"
        )

    def _draft(self, walk: Walk) -> Draft:
        mended = walk.ended in ("steady", "mended")
        found = walk.found if walk.ended != "steady" else None
        done = {p.changed.partition("(")[0] for p in walk.changes}
        return Draft(
            summary="\n".join([*self._account(walk), *_looked_at(walk)]),
            no_fault=walk.ended == "steady",
            causes=(found.cause,) if found else (),
            options=tuple(o for o in found.options if o.tool not in done) if found and not mended else (),
            missing=walk.left if walk.ended == "unknown" else (),
        )

    def _account(self, walk: Walk) -> Sequence[str]:
        """What was found, done, and is left."""
        broken = "a change was made, and" if walk.changes else "nothing was changed, and"
        said = ENDS.get(walk.ended, f"{broken[0].upper()}{broken[1:]} the steady state is broken.")
        done = [f"- done: {p.changed}" for p in walk.changes]
        left = [f"- left: {text}" for text in walk.left if walk.ended == "broken" and text]
        if walk.ended == "broken":
            left.append(f"- left: to hand over, see Escalation in `opssquad runbook show {self._run.id}`")
        return [said, *done, *left]


def _looked_at(walk: Walk) -> Sequence[str]:
    """Where nothing was found: what was looked at, and what was not."""
    if not walk.looked_at:
        return []
    said = [f"- looked at with {each}" for each in walk.looked_at]
    if walk.ended not in ("steady", "elsewhere"):
        said = [f"- no step found a cause; looked at with: {', '.join(walk.looked_at)}"]
    return [*said, *(f"- not looked at: {each}" for each in walk.not_looked_at)]


def _titled(place: str) -> str:
    return f"Check {STATES[place]}" if place in STATES else f"Step {place}"


def _passed(passed: Passed, case: Case) -> str:
    """A step that is behind, its evidence quoted."""
    quotes = {e.id: e for e in case.evidence}
    shown = [quotes[id] for id in passed.evidence if id in quotes][:QUOTES]
    marks = f" [{' '.join(passed.evidence)}]" if passed.evidence else ""
    onward = f" -> {passed.goto}" if passed.goto not in ("", BEFORE, AFTER, OVER, STOP) else ""
    lines = [f"{_titled(passed.step)} {passed.outcome}: {passed.said}{marks}{onward}"]
    lines += [_short(f"  {e.id} {e.locator}: {' '.join(e.text.split())}") for e in shown]
    return "\n".join(lines)


def _short(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _concluded(text: str, draft: Draft, memo: Json) -> Reply:
    call = ModelCall(id="end", tool=CONCLUDE, args=draft.model_dump(mode="json"))
    return Reply(text=text, calls=(call,), memo=memo, finish="calls")
