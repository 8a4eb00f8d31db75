"""The model that needs no endpoint: intents from a phrase book, an investigation driven by the differential.

It knows no fault and no system; those are in the catalogue and in the tools.
"""

import re
from collections.abc import Mapping, Sequence

from opssquad.findings import Choice
from opssquad.models.base import CONCLUDE, HAND_OVER, Case, Listener, ModelCall, PastCall, Reply, Request
from opssquad.models.phrases import Intent, PhraseBook, Step
from opssquad.models.planning import LOOK_UP, call_key, choice_of, choices_of, filled_args, plan
from opssquad.models.saying import drafted, left_to_you, not_offered, told
from opssquad.models.slots import slots
from opssquad.types import Json

BATCH = 4
"""Calls made side by side at most."""
REPORT = re.compile(r"^\S+ (?:of|to) .*\b(?:changed|did|didn|has|had|was|were|is|failed|helped|made|went)\b")
"""Tells what became of an act, as in "rollback of the shop changed nothing": nobody asks for one more."""


class Offline:
    """Answers from the case alone; deterministic."""

    name = "offline"

    def __init__(self, books: Mapping[str, PhraseBook]) -> None:
        """`books` are the phrase books by squad; that of `""` is for all others."""
        self._books = books

    def wordless(self, case: Case) -> bool:
        """It reads no words: it is offered all tools."""
        return True

    async def reply(self, request: Request, listener: Listener) -> Reply:
        """The next calls, an answer, or a conclusion."""
        book = self._books.get(request.case.squad) or self._books[""]
        firsts = [each.steps[each.begin[0]] for each in self._books.values() if each.begin]
        return _Turn(book, firsts).reply(request)


class _Turn:
    """One reply, by one squad's book; `firsts` are the calls with which investigations by books begin."""

    def __init__(self, book: PhraseBook, firsts: Sequence[Step]) -> None:
        self._book, self._firsts = book, firsts

    def reply(self, request: Request) -> Reply:
        case, offered = request.case, {t.name for t in request.tools}
        done = [c for c in case.calls if c.turn == case.turn]
        if by_hand := next((c for c in case.choices if c.by_hand and c.say == case.question), None):
            return Reply(text=left_to_you(by_hand), choices=tuple(self._steps("by_hand", case)))
        if case.mode == "chat" and (acts := [c for c in done if c.check or c.data.get("declined")]):
            # What was asked for is done or declined: words in the label of an offer ask for nothing more.
            return self._told(case, acts, offered)
        intent = self._intent(case)
        if intent and intent.answer:
            return Reply(text=intent.answer)
        if intent is None or not intent.steps:
            if case.mode == "chat" and done and not self._investigates(case, done):
                # The engineer chose a numbered call: it was made, and what it showed is the answer.
                return self._told(case, done, offered)
            return self._investigate(case, done, offered)
        return self._carry_out(intent, case, done, offered)

    def _investigates(self, case: Case, done: Sequence[PastCall]) -> bool:
        """Whether the calls of this turn are those of an investigation, by the first that it makes, which is
        another squad's where that handed the question over."""
        first = done[0].tool
        began = any(first == each.tool and case.question != each.label for each in self._firsts)
        return first == LOOK_UP or began

    def _intent(self, case: Case) -> Intent | None:
        low = case.question.lower()
        matching = [i for i in self._book.intents if i.matches(low)]
        if case.mode == "ask":
            # One utterance, one conclusion: only a plain command keeps it from being an investigation.
            matching = [i for i in matching if i.imperative and commanded(low, i)]
        return matching[0] if matching else None

    def _carry_out(self, intent: Intent, case: Case, done: Sequence[PastCall], offered: set[str]) -> Reply:
        wanted = [self._book.steps[s] for s in intent.steps if self._book.steps[s].tool in offered]
        if not wanted:
            if case.mode == "ask":
                return self._investigate(case, done, offered)
            return Reply(text=not_offered(intent.steps), choices=tuple(self._steps("by_hand", case)))
        if made := [c for c in done if c.tool in {s.tool for s in wanted}]:
            if case.mode == "ask":
                return self._investigate(case, done, offered)
            return self._told(case, made, offered)
        filled = slots(case)
        if any(n not in filled for n in intent.needs):
            found = self._look_up(case, done, filled, intent)
            if found:
                return found
            filled = slots(case)
        missing = [n for n in intent.needs if n not in filled]
        if missing:
            return self._which(case, missing)
        return _calls(*((s.tool, filled_args(s.args, filled)) for s in wanted))

    def _look_up(self, case: Case, done: Sequence[PastCall], filled: Json, intent: Intent) -> Reply | None:
        """Find what is meant, then its pods if one is needed; each once an utterance."""
        made = {c.tool for c in done}
        if LOOK_UP not in made and ("workload" not in filled):
            return _calls((LOOK_UP, {"what": case.question}))
        pods = [n for n in intent.needs if n in ("pod", "log") and n not in filled]
        if pods and "health" not in made and "workload" in filled:
            args = {"namespace": filled["namespace"], "workload": filled["workload"]["name"]}
            return _calls(("health", args))
        return None

    def _which(self, case: Case, missing: list[str]) -> Reply:
        last = case.calls[-1] if case.calls else None
        matches = list(last.data.get("matches", [])) if last and last.tool == LOOK_UP else []
        if not matches:
            return Reply(
                text=f"Which {' and '.join(missing)} do you mean? I could not tell from what I have seen."
            )
        choices = tuple(
            Choice(label=str(m), say=f"{case.question} ({m.split('/')[-1]})") for m in matches[:6]
        )
        return Reply(text=f"{len(matches)} workloads match. Which one do you mean?", choices=choices)

    def _told(self, case: Case, made: Sequence[PastCall], offered: set[str]) -> Reply:
        """What came of the calls. Where the world has changed under a card, how it is now belongs to that."""
        last = made[-1]
        looked = case.calls[case.calls.index(last) + 1 :]
        again = self._book.steps.get(self._book.look_again.get(_end(last), ""))
        if again and again.tool in offered and not looked:
            return _calls((again.tool, filled_args(again.args, slots(case))))
        choices = (c for c in self._follow(case, last) if not c.tool or c.tool in offered)
        return Reply(text=told(case, [*made, *looked]), choices=tuple(choices))

    def _steps(self, end: str, case: Case) -> list[Choice]:
        """What the book offers after such an end."""
        return choices_of(self._book, self._book.follow.get(end, []), slots(case))

    def _follow(self, case: Case, last: PastCall) -> list[Choice]:
        """What is offered next: what usually follows the call, or the way it ended, and was not done yet."""
        end, filled = _end(last), slots(case)
        names = self._book.follow.get(end) or self._book.follow.get(last.tool, [])
        steps = [step for step in map(self._book.steps.__getitem__, names) if end or _new(step, last, case)]
        offers = [choice for step in steps if (choice := choice_of(step, filled))]
        if end in ("expired", "voided"):
            offers.insert(0, _anew(last))
        if end == "unhelped":
            offers[2:2] = [o.choice() for h in case.differential[:1] for o in h.options]
        before = {call_key(c.tool, c.args) for c in case.calls} if not end else set()
        fresh = {c.label: c for c in offers if call_key(c.tool, c.args) not in before}
        return list(fresh.values())[:4]

    def _investigate(self, case: Case, done: Sequence[PastCall], offered: set[str]) -> Reply:
        """Look until the leading hypothesis is confirmed or nothing is left to look at, then conclude."""
        if not case.must_conclude and len(done) < self._book.calls * max(1, len(case.squads)):
            before = {call_key(c.tool, c.args) for c in done}
            planned = plan(self._book, case, done, offered)
            plan_of = {call_key(c.tool, c.args): (c.tool, c.args) for c in planned if c.tool in offered}
            if wanted := [call for key, call in plan_of.items() if key not in before]:
                return _calls(*wanted[:BATCH])
        if not case.must_conclude and (way := next((t for t in case.transfers if not t.closed), None)):
            given = {"squad": way.to, "why": way.why, "evidence": list(way.evidence)}
            return Reply(calls=(ModelCall(id="over", tool=HAND_OVER, args=given),), finish="calls")
        args = drafted(case)
        return Reply(calls=(ModelCall(id="end", tool=CONCLUDE, args=args),), finish="calls")


def commanded(low: str, intent: Intent) -> bool:
    """Whether the utterance opens with the command, as in "please roll back auth-service"."""
    opening = re.sub(r"^(please|yes|ok|now)[\s,]+", "", low).split(".")[0].split(",")[0]
    if "?" in low or REPORT.search(opening):
        return False
    return any(re.match(p.removeprefix(r"\b"), opening) for p in intent.words)


def _calls(*wanted: tuple[str, Json]) -> Reply:
    calls = tuple(ModelCall(id=f"o{n}", tool=t, args=a) for n, (t, a) in enumerate(wanted, 1))
    return Reply(calls=calls, finish="calls")


def _end(call: PastCall) -> str:
    """How a call ended where that decides what is offered next; empty for the usual way."""
    if call.check and call.check.outcome != "better":
        return "unhelped"
    return str(call.data.get("declined", "")) if call.status == "refused" else ""


def _new(step: Step, last: PastCall, case: Case) -> bool:
    """Whether the step was not made yet; some are worth another time."""
    made = {c.tool for c in case.calls}
    return step.tool not in made or step.tool in (last.tool, "timeline", "health")


def _anew(last: PastCall) -> Choice:
    """The same again, as its card said it: it is looked at anew and gets a card of its own."""
    label = f"Propose it again, with a new card: {last.data['command']}"
    return Choice(label=label, tool=last.tool, args=last.data["again"])
