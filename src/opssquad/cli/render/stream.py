"""A run's events as a stream on screen: steps with their command lines and durations, cards, answers with the
scope, numbered ways on. Reads events and nothing else; who answers a card is not known here.
"""

from collections.abc import Sequence
from functools import singledispatchmethod

from rich.cells import cell_len

from opssquad.cli import text as plain
from opssquad.cli.render.card import said_of, show_card
from opssquad.cli.render.conclusion import show_conclusion, show_options
from opssquad.cli.render.scope import Scope
from opssquad.cli.render.screen import BAD, GOOD, MUTED, STRONG, WARN, Screen
from opssquad.cli.render.speech import Speech
from opssquad.events import (
    Answered,
    Asked,
    Called,
    Concluded,
    Decided,
    Event,
    HandedOver,
    Judged,
    Progressed,
    Requested,
    Returned,
    Started,
    Stopped,
    Streamed,
    Suspected,
    Thought,
    Verified,
    Warned,
)
from opssquad.findings import ToolResult
from opssquad.settings import OFFLINE
from opssquad.times import Clock, wall_clock

BODY = 18
"""Lines of a result shown at once; `/more` shows the rest."""

_RESULT = {"ok": ("✓", GOOD), "error": ("✗", BAD), "refused": ("✗", WARN), "unknown": ("?", WARN)}
_CHECK = {"better": ("✓", GOOD), "same": ("•", WARN), "worse": ("✗", BAD), "unknown": ("?", WARN)}
_DECIDED = {
    "approved": ("✓", GOOD),
    "refused": ("✗", WARN),
    "expired": ("✗", WARN),
    "voided": ("✗", WARN),
    "consented": ("•", MUTED),
}


class Stream:
    """Draws events as they come. `bodies`: whether results are shown below their first sentence."""

    def __init__(self, screen: Screen, scope: Scope, *, bodies: bool = True, now: Clock = wall_clock) -> None:
        self.screen, self.scope = screen, scope
        self.busy = ""
        """What the run is at, in a few words; empty when it waits for nobody but us."""
        self.cut: list[tuple[str, list[str]]] = []
        """Results of this turn that were not shown whole."""
        self._bodies, self._now = bodies, now
        self._speech = Speech(self._say)
        self._headed = False
        self._held: tuple[str, Sequence[str], ToolResult] | None = None
        self._options = 0
        self._decided: dict[str, str | None] = {}

    @singledispatchmethod
    def show(self, event: Event) -> None:
        """Draw one event."""

    @show.register
    def _(self, event: Asked) -> None:
        self.scope.follow(event.target)
        self.scope.squad = event.squad
        self.busy, self._headed, self.cut, self._options = "thinking", False, [], 0

    @show.register
    def _(self, event: Streamed) -> None:
        self._speech.piece(event.text)

    @show.register
    def _(self, event: Thought) -> None:
        self.scope.model = event.model
        self._speech.thought(event.text)

    @show.register
    def _(self, event: Warned) -> None:
        self.screen.flow(event.text, indent=4, first="  ! ", style=WARN)

    @show.register
    def _(self, event: HandedOver) -> None:
        self._show_body()
        self._speech.step()
        self.scope.squad, self._headed = event.to, False
        self.screen.flow(f"squad {event.to} takes over: {event.why}", indent=4, first="  → ", style=STRONG)

    @show.register
    def _(self, event: Called) -> None:
        self._show_body()
        self._speech.step()
        self.scope.follow(event.call.target)

    @show.register
    def _(self, event: Judged) -> None:
        if event.verdict.outcome == "refuse":
            why = event.verdict.reason or "not allowed"
            self._step("✗", WARN, event.call.tool, f"refused by {event.verdict.rule}: {why}")

    @show.register
    def _(self, event: Requested) -> None:
        self.busy = ""
        scope, card = self.scope, event.approval
        if card.suggestion:
            # The card says all there is: its result is for the model.
            self._decided[card.call.id] = "suggested"
        show_card(self.screen, card, squad=scope.squad, model=scope.model, now=self._now())

    @show.register
    def _(self, event: Decided) -> None:
        mark, style = _DECIDED[event.decision.outcome]
        read = event.approval.effect == "read" and event.decision.outcome == "approved"
        # A read that was approved is shown like any other.
        self._decided[event.approval.call.id] = None if read else event.decision.outcome
        said = said_of(event.approval, event.decision)
        self.screen.flow(said, indent=4, first=f"  {mark} ", style=style)

    @show.register
    def _(self, event: Started) -> None:
        self.busy = event.call.tool

    @show.register
    def _(self, event: Progressed) -> None:
        self.screen.flow(event.text, indent=6, first="    · ", style=MUTED)

    @show.register
    def _(self, event: Returned) -> None:
        self._show_body()
        decided = self._decided.get(event.call.id)
        # A change is followed by its check, which watches the world: that is no thinking.
        self.busy = f"checking {event.call.tool}" if decided == "approved" else "thinking"
        if decided not in (None, "approved"):
            # The decision has said it.
            return
        mark, style = _RESULT[event.result.status]
        sentence, *body = plain.lines(event.result.text.strip())
        self._step(mark, style, event.call.tool, sentence, event.result.ms)
        for command in event.result.commands:
            self.screen.command(command, indent=4, style=MUTED)
        self._held = (event.call.tool, body, event.result)
        # The offline model answers at once, and often with the result itself: it is not shown twice.
        if self.scope.model != OFFLINE:
            self._show_body()

    @show.register
    def _(self, event: Suspected) -> None:
        self._show_body()
        self.screen.flow(str(event.suspicion), indent=4, first="  ! ", style=WARN)

    @show.register
    def _(self, event: Verified) -> None:
        self._show_body()
        self.busy = "thinking"
        mark, style = _CHECK[event.check.outcome]
        self._step(mark, style, "check", f"{event.check.outcome}: {event.check.text}")

    @show.register
    def _(self, event: Answered) -> None:
        if self._held and self._held[2].text.strip() in event.answer.text:
            self._held = None
        self._show_body()
        self._speech.answer(event.answer.text)
        show_options(self.screen, (), event.answer.choices, self._options + 1, calls=self._worded)

    @show.register
    def _(self, event: Concluded) -> None:
        self._show_body()
        self._speech.step()
        self._head()
        show_conclusion(self.screen, event.conclusion)
        show_options(self.screen, event.conclusion.options, (), calls=self._worded)
        self._options = len(event.conclusion.options)

    @show.register
    def _(self, event: Stopped) -> None:
        self._show_body()
        self._speech.step()
        self.busy = ""
        reason = f": {event.reason}" if event.reason else ""
        if event.status == "failed":
            self.screen.flow(f"The run failed{reason}", indent=4, first="  ✗ ", style=BAD)
        elif event.status == "cancelled":
            self.screen.flow(f"Stopped{reason}. The thread is kept.", indent=4, first="  • ", style=WARN)

    @property
    def _worded(self) -> bool:
        """Whether a language model words what is offered; the offline model takes the catalogue's words."""
        return self.scope.model != OFFLINE

    def _say(self, text: str, aside: bool) -> None:
        self._head()
        self.screen.flow(text, style=MUTED if aside else "")

    def _head(self) -> None:
        """The scope, once for each utterance, above the first words of the squad."""
        if not self._headed:
            self.screen.gap()
            self.screen.line((str(self.scope), f"{STRONG} {MUTED}"))
            self._headed = True

    def _step(self, mark: str, style: str, tool: str, sentence: str, ms: int | None = None) -> None:
        took = f"{ms / 1000:.1f} s" if ms is not None else ""
        tool = plain.visible(tool)
        room = self.screen.width - cell_len(tool) - 6 - len(took) - 1
        first = sentence if cell_len(sentence) <= room else ""
        gap = " " * (max(room - cell_len(first), 0) + 1) if took else ""
        said = f"  {first}{gap}" if first or took else ""
        self.screen.line("  ", (mark, style), (f" {tool}", STRONG), said, (took, MUTED))
        if not first:
            self.screen.flow(sentence, indent=4)

    def _show_body(self) -> None:
        """Show what the last result says below its sentence, if it was held back until now."""
        held, self._held = self._held, None
        if held is None or not self._bodies or not held[1]:
            return
        tool, body, result = held
        # One more line is not worth a message about it.
        shown = body if len(body) <= BODY + 1 else body[:BODY]
        self.screen.block(shown, indent=4)
        if rest := len(body) - len(shown):
            self.cut.append((tool, list(body)))
            self.screen.line((f"    … {rest} more lines: /more", MUTED))
        if result.cut:
            self.screen.line(("    … the tool's own output was longer and was cut", MUTED))
