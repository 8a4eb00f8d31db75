"""A walk through a runbook as a value, and how it goes on when a step's call has come back. Pure: the same
walk and case give the same next step, in whatever process.

What was found at each step is kept in the walk: a change that helps takes the signals that led to it away.
"""

from typing import Literal

from opssquad.models.base import Case, PastCall, SeenSignal
from opssquad.squad.runbooks.book import AFTER, BEFORE, CONTINUE, OVER, STOP, Runbook, Step
from opssquad.squad.runbooks.conditions import Held, facts_of, held
from opssquad.squad.runbooks.found import Found, best, elsewhere, of_signs
from opssquad.squad.runbooks.looked import checks, tools
from opssquad.squad.runbooks.passed import Outcome, Passed
from opssquad.templates import fill, fill_all, holes_of, lookup
from opssquad.toolbox import Toolbox
from opssquad.types import Json, Value, called

Ended = Literal["", "steady", "elsewhere", "mended", "broken", "unknown"]
QUOTES = 2
"""Pieces of evidence that are quoted for one step."""


class Walk(Value):
    """Where a walk is. `asked`: the call of `at` was asked for when so many had been made; -1: not yet.
    `ended` says how the steady state was at the end; `elsewhere`: it holds, and something else is wrong.

    `check` counts the looks at the steady state; `blind`: one of them could not read what it is about.
    `sign`: something was seen that is wrong; `bare`: the step that is behind saw nothing. One that found
    nothing says at its end what it `looked_at` and what not."""

    at: str = BEFORE
    asked: int = -1
    passed: tuple[Passed, ...] = ()
    facts: Json = {}
    found: Found | None = None
    left: tuple[str, ...] = ()
    ended: Ended = ""
    check: int = 0
    blind: bool = False
    sign: bool = False
    bare: bool = False
    looked_at: tuple[str, ...] = ()
    not_looked_at: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Passed, ...]:
        """What was done to the world, in order."""
        return tuple(p for p in self.passed if p.changed)


class Walking:
    """Moves a walk through its runbook. `facts` are the parameters and the `target`."""

    def __init__(self, book: Runbook, facts: Json, toolbox: Toolbox) -> None:
        self._book, self._facts, self._toolbox = book, facts, toolbox

    def on(self, walk: Walk, case: Case, offered: set[str]) -> Walk:
        """The walk up to the next call that is to be made (`asked` says so), or to its end."""
        if walk.asked >= 0 and walk.asked < len(case.calls):
            walk = self._taken(walk, case, case.calls[walk.asked])
        while walk.at != OVER:
            if case.must_conclude:
                return self._over(walk, "unknown", "the budget of the question is used up before the end")
            problem = self._problem(walk, offered)
            if not problem:
                return walk.model_copy(update={"asked": len(case.calls)})
            walk = self._not_made(walk, problem)
        return walk

    def call(self, walk: Walk) -> tuple[str, Json]:
        """The tool and the arguments of where the walk is."""
        look = self._book.look(walk.at, walk.check)
        return look.tool, fill_all(look.args, self._known(walk))

    def say(self, walk: Walk, text: str) -> str:
        """Words of the runbook with their holes filled."""
        return fill(text, self._known(walk))

    def _known(self, walk: Walk) -> Json:
        return {**self._facts, **walk.facts}

    def _problem(self, walk: Walk, offered: set[str]) -> str:
        """Why the call cannot be asked for; empty if it can."""
        look, known = self._book.look(walk.at, walk.check), self._known(walk)
        if look.tool not in offered:
            return f"{look.tool} is not among the tools of this conversation"
        unknown = sorted(hole for hole in {*holes_of(look.args)} if lookup(known, hole) is None)
        return f"{', '.join(unknown)} is not known, so {look.tool} cannot be called" if unknown else ""

    def _not_made(self, walk: Walk, problem: str) -> Walk:
        if walk.at in (BEFORE, AFTER):
            return self._unseen(walk, problem)
        step = self._book.steps[walk.at]
        return self._on_fail(walk, step, Passed(step=step.id, outcome="failed", said=problem))

    def _unseen(self, walk: Walk, problem: str) -> Walk:
        """Behind a look at the steady state that cannot be taken here. Another may tell, or a step."""
        more = walk.check + 1 < len(self._book.checks)
        goto = walk.at if more else OVER if walk.at == AFTER else self._book.first()
        walk = _behind(walk, Passed(step=walk.at, outcome="not known", said=problem, goto=goto))
        walk = walk.model_copy(update={"check": walk.check + 1 if more else 0, "blind": True})
        return self._over(walk, "unknown", problem) if walk.at == OVER else walk

    def _taken(self, walk: Walk, case: Case, call: PastCall) -> Walk:
        """The walk behind the step whose call that is."""
        walk = walk.model_copy(update={"asked": -1})
        if not walk.changes:
            # What a change mended is no longer to be seen: what was found before it stays.
            walk = walk.model_copy(update={"found": best(case, self._book, self._facts) or walk.found})
        if walk.at in (BEFORE, AFTER):
            return self._checked(walk, case, call)
        step = self._book.steps[walk.at]
        if self._toolbox.get(step.tool).effect == "mutate":
            return self._acted(walk, step, case, call)
        return self._looked(walk, step, case, call, "")

    def _checked(self, walk: Walk, case: Case, call: PastCall) -> Walk:
        """Behind a look at the steady state. What one could not read, another may tell, or a step."""
        if call.status != "ok":
            return self._over(walk, "unknown", f"the steady state could not be looked at: {call.text}")
        at, look = walk.at, self._book.look(walk.at, walk.check)
        state = held(look.expect, call, case.signals, self._known(walk))
        blind = walk.blind or bool(state.holds and call.blind)
        more = state.holds and walk.check + 1 < len(self._book.checks)
        over = at == AFTER or (state.holds and not blind)
        goto = at if more else OVER if over else self._book.first()
        walk = _behind(walk, _of_check(at, state, call, goto))
        walk = walk.model_copy(update={"check": walk.check + 1 if more else 0, "blind": blind})
        if not state.holds:
            return self._broken(walk, case, state)
        if more or not over:
            return walk
        if blind:
            return self._over(walk, "unknown")
        return self._over(walk, "mended") if at == AFTER else self._steady(walk, case)

    def _broken(self, walk: Walk, case: Case, state: Held) -> Walk:
        walk = walk.model_copy(update={"sign": True, "found": of_signs(case, state.seen, walk.found)})
        return self._over(walk, "broken", walk.passed[-1].said) if walk.at == OVER else walk

    def _steady(self, walk: Walk, case: Case) -> Walk:
        """Nothing is broken that the runbook is about; what was looked at may show something else."""
        other = elsewhere(case)
        return self._over(walk.model_copy(update={"found": other}), "elsewhere" if other else "steady")

    def _acted(self, walk: Walk, step: Step, case: Case, call: PastCall) -> Walk:
        """Behind a step that changes something. Where nothing was changed nothing has to be taken back."""
        what = str(call.data.get("command") or called(call.tool, call.args))
        if call.status in ("ok", "unknown") and call.made:
            done = f"{what} ({'its end is not known; ' * (call.status == 'unknown')}{_checked_in(call)})"
            return self._looked(walk, step, case, call, done)
        declined = call.data.get("declined")
        if declined == "expired":
            # Nobody said no: the same is asked again, on a card of its own.
            return _behind(walk, Passed(step=step.id, outcome="not done", said=call.text, goto=step.id))
        outcome: Outcome = "not done" if declined or call.status == "refused" else "failed"
        passed = Passed(step=step.id, outcome=outcome, said=call.text, goto=STOP, call=call.call)
        return self._stopped(_behind(walk, passed), f"{self.say(walk, step.say)} ({call.text}): {what}")

    def _looked(self, walk: Walk, step: Step, case: Case, call: PastCall, changed: str) -> Walk:
        """Behind a step that was carried out: what it showed, and where that leads."""
        known = self._known(walk)
        if call.status == "error" or call.status == "refused":
            return self._on_fail(
                walk, step, Passed(step=step.id, outcome="failed", said=call.text, call=call.call)
            )
        state = held(step.expect, call, case.signals, known)
        if not step.expect:
            state = Held(holds=True, seen=_notable(case, call, str(known["target"])))
        if changed and not step.expect:
            well = call.check is not None and call.check.outcome == "better"
            state = Held(holds=well, lacking="the check says better")
        named = {name: facts_of(seen) for name, seen in state.named.items()}
        walk = walk.model_copy(update={"facts": {**walk.facts, **named}})
        if not state.holds:
            said = f"not so: {state.lacking}" if not changed else f"{changed}; it did not help"
            passed = _passed(step.id, "not as expected", said, state, call, "", changed)
            return self._on_fail(walk, step, passed)
        said = changed or _told(state) or _sentence(call.text)
        return self._on(
            walk, step, case, call, _passed(step.id, "as expected", said, state, call, "", changed)
        )

    def _on(self, walk: Walk, step: Step, case: Case, call: PastCall, passed: Passed) -> Walk:
        """By the first branch that fits, else to the next step; behind a change to the end."""
        for branch in step.branch:
            state = held(branch.when, call, case.signals, self._known(walk))
            if not state.holds:
                continue
            named = {name: facts_of(seen) for name, seen in state.named.items()}
            walk = walk.model_copy(update={"facts": {**walk.facts, **named}, "bare": not state.seen})
            if any(seen.signal.severity != "info" for seen in state.seen):
                found = of_signs(case, state.seen, walk.found)
                walk = walk.model_copy(update={"sign": True, "found": found})
            because = _told(state) or passed.said
            ids = tuple(dict.fromkeys((*passed.evidence, *_ids(state))))[: 2 * QUOTES]
            walk = _behind(
                walk, passed.model_copy(update={"said": because, "evidence": ids, "goto": branch.goto})
            )
            said = self.say(walk, branch.say) if branch.say else ""
            return self._stopped(walk, said) if branch.goto == STOP else walk
        goto = STOP if passed.changed else self._book.after(step.id)
        walk = walk.model_copy(update={"bare": True})
        walk = _behind(walk, passed.model_copy(update={"goto": goto}))
        return self._stopped(walk) if goto == STOP else walk

    def _on_fail(self, walk: Walk, step: Step, passed: Passed) -> Walk:
        goto = self._book.after(step.id) if step.on_fail == CONTINUE else step.on_fail
        walk = _behind(walk, passed.model_copy(update={"goto": goto}))
        if goto != STOP:
            return walk
        return self._stopped(walk, "" if passed.changed else f"{self.say(walk, step.say)} {passed.said}")

    def _stopped(self, walk: Walk, left: str = "") -> Walk:
        """At the end of the steps: the steady state is looked at again if anything was changed."""
        if walk.changes:
            kept = (*walk.left, left) if left else walk.left
            return walk.model_copy(update={"at": AFTER, "left": kept, "check": 0, "blind": False})
        return self._over(walk, "broken" if walk.sign else "unknown", left)

    def _over(self, walk: Walk, ended: Ended, left: str = "") -> Walk:
        kept = (*walk.left, left) if left else walk.left
        looked: tuple[str, ...] = ()
        if ended in ("steady", "elsewhere"):
            looked = checks(self._book, walk.passed, self._facts)
        elif walk.bare and not walk.changes:
            looked = tools(self._book, walk.passed)
        update: Json = {"at": OVER, "ended": ended, "left": kept, "asked": -1, "looked_at": looked}
        unlooked = tuple(self._book.head.value.not_looked_at) if looked else ()
        return walk.model_copy(update={**update, "not_looked_at": unlooked})


def _behind(walk: Walk, passed: Passed) -> Walk:
    at = OVER if passed.goto in (STOP, "") else passed.goto
    return walk.model_copy(update={"at": at, "passed": (*walk.passed, passed)})


def _of_check(at: str, state: Held, call: PastCall, goto: str) -> Passed:
    """A look at the steady state that is behind."""
    if not state.holds:
        return _passed(at, "not as expected", f"the steady state is broken: {_why(state)}", state, call, goto)
    if call.blind:
        said = f"{', '.join(call.blind)} could not be read: {next(iter(call.blind.values()))}"
        return _passed(at, "not known", said, state, call, goto)
    return _passed(at, "as expected", _sentence(call.text), state, call, goto)


def _passed(
    step: str, outcome: Outcome, said: str, state: Held, call: PastCall, goto: str, changed: str = ""
) -> Passed:
    return Passed(
        step=step,
        outcome=outcome,
        said=said,
        evidence=_ids(state),
        goto=goto,
        call=call.call,
        changed=changed,
    )


def _ids(state: Held) -> tuple[str, ...]:
    return tuple(dict.fromkeys(e for s in state.seen for e in s.evidence[:QUOTES]))[: 2 * QUOTES]


def _notable(case: Case, call: PastCall, target: str) -> tuple[SeenSignal, ...]:
    """What a call showed about the target that is worth telling, where nothing was expected of it."""
    mine = [s for s in case.signals if s.call == call.call and s.signal.until is None]
    about = [s for s in mine if target in (str(s.signal.owner), str(s.signal.entity))]
    return tuple(s for s in about if s.signal.severity != "info")


def _told(state: Held) -> str:
    """The signals by which it holds, alike ones once."""
    kinds = {s.signal.id: s.signal.text for s in reversed(state.seen)}
    return "; ".join(reversed(kinds.values()))


def _why(state: Held) -> str:
    return _told(state) or state.lacking


def _checked_in(call: PastCall) -> str:
    return f"{call.check.outcome}: {call.check.text}" if call.check else "not checked"


def _sentence(text: str) -> str:
    return " ".join(text.strip().split("\n")[0].split())
