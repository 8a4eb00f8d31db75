"""The cards that wait for this engineer, and what an answer to one brings about. The oldest is answered
first; the run goes on when none is left.
"""

from collections.abc import Callable, Sequence

from opssquad.cli.render.card import answers, expiry, explain_card, needed, said_of, show_card
from opssquad.cli.render.scope import Scope
from opssquad.cli.render.screen import MUTED, WARN, Screen
from opssquad.cli.repl import words
from opssquad.cli.session import Session
from opssquad.errors import OpsError
from opssquad.events import Decided, Event, Requested
from opssquad.findings import Evidence
from opssquad.times import Clock, wall_clock
from opssquad.types import Approval, Decision, Ruling

Answer = words.Approve | words.Remember | words.Refuse | words.Edit | words.Explain | words.Later


class Desk:
    """Cards on the desk. `go_on` resumes the run, then says a text if one is given."""

    def __init__(
        self,
        session: Session,
        screen: Screen,
        scope: Scope,
        *,
        by: str,
        go_on: Callable[[str], None],
        now: Clock = wall_clock,
    ) -> None:
        self.cards: list[Approval] = []
        self._session, self._screen, self._scope = session, screen, scope
        self._by, self._go_on, self._now = by, go_on, now
        self._put_off = self._editing = self._deciding = False
        self._then = ""
        self._given: dict[str, Sequence[Decision]] = {}
        """The yeses so far, by card, where one alone is not enough."""

    @property
    def up(self) -> bool:
        """Whether a card wants its answer now, and was not put off."""
        return bool(self.cards) and not self._put_off

    @property
    def editing(self) -> bool:
        """Whether the next line says what a card should be instead."""
        return self._editing

    @property
    def waiting(self) -> str:
        """A word on cards that were put off or want more people, for the status line."""
        if self.cards and self._put_off:
            return f"{len(self.cards)} waiting: /approve · "
        missing = self._missing(self.cards[0]) if self.cards else ""
        return f"waiting for {missing} · " if missing else ""

    def see(self, event: Event) -> None:
        """Follow what cards come and go; a suggestion wants no answer."""
        match event:
            case Requested(approval=card) if card.id not in {c.id for c in self.cards}:
                if not card.suggestion:
                    self.cards.append(card)
                    self._put_off = False
            case Decided(approval=card):
                self.cards = [c for c in self.cards if c.id != card.id]

    async def take_up(self) -> bool:
        """Lay out the cards that an earlier process left; whether there are any."""
        self.cards = await self._session.pending()
        for card in self.cards:
            self._given[card.id] = (await self._session.record(card.id)).consents
        if self.cards:
            self.show()
        return bool(self.cards)

    async def look_again(self) -> None:
        """Go on when the cards were answered elsewhere: from another terminal, for example. Say who else has
        said yes where more than one must."""
        if not self.cards or self._deciding:
            return
        waiting = {card.id for card in await self._session.pending()}
        found = {card.id: await self._session.record(card.id) for card in self.cards}
        # From here on nothing waits: meanwhile a card may have been answered here.
        if self._deciding:
            return
        looked = [card for card in self.cards if card.id in found]
        for card in looked:
            self._hear(card, found[card.id].consents)
        gone = [card for card in looked if card.id not in waiting]
        if not gone:
            return
        self.cards = [card for card in self.cards if card not in gone]
        # What became of a card that ended by itself is said by the run that goes on.
        if any(found[card.id].decision for card in gone):
            self._screen.line(("  • answered from elsewhere", MUTED))
        if not self.cards:
            self._editing = False
            self._go_on("")

    def _hear(self, card: Approval, given: Sequence[Decision]) -> None:
        """Tell the yeses to a card that came from elsewhere, and whose is missing still."""
        known = len(self._given.get(card.id, ()))
        self._given[card.id] = given
        for yes in given[known:]:
            self._told(card, yes)

    def _told(self, card: Approval, yes: Decision) -> None:
        missing = self._missing(card)
        wait = f"; waiting for {missing}" if missing else ""
        self._screen.flow(f"{said_of(card, yes)}{wait}", indent=4, first="  • ", style=WARN)

    def _missing(self, card: Approval) -> str:
        """Who has to say yes yet once somebody has; empty before that."""
        given = self._given.get(card.id, ())
        return needed(card, given) if given else ""

    def show(self) -> None:
        """Draw the card that is to be answered, and how."""
        self._put_off = False
        if not self.cards:
            self._screen.line(("  no card waits", MUTED))
            return
        card, scope = self.cards[0], self._scope
        given = self._given.get(card.id, ())
        show_card(self._screen, card, squad=scope.squad, model=scope.model, now=self._now(), given=given)
        self.ask()

    def ask(self) -> None:
        """Say how a card is answered."""
        if self.cards:
            self._screen.flow(answers(self.cards[0]), indent=4, first="  ")

    def remind(self) -> None:
        """Say that something else was typed than an answer to the card."""
        said = f"A card waits for its answer: {answers(self.cards[0])}"
        self._screen.flow(said, indent=2, first="  ", style=WARN)

    async def answer(self, answer: Answer) -> None:
        """Do what the answer to the first card says. Raises Refused for a yes that this engineer may not
        give; the card then still waits."""
        match answer:
            case words.Approve():
                await self._decide("approved")
            case words.Remember():
                await self._decide("approved", session=True)
            case words.Refuse(reason):
                await self._decide("refused", reason)
            case words.Edit(""):
                self._editing = True
                self._screen.line("  What should be different? Say it in words; it is proposed anew.")
            case words.Edit(what):
                await self.edit(what)
            case words.Explain():
                explain_card(self._screen, self.cards[0], await self._evidence(self.cards[0]))
                self.ask()
            case words.Later():
                self._leave()

    async def edit(self, what: str) -> None:
        """Refuse the card and have another call proposed in its stead: it is judged anew, with a new card."""
        self._editing = False
        await self._decide("refused", f"edit: {what}", then=what)

    async def _decide(
        self, outcome: Ruling, reason: str = "", *, session: bool = False, then: str = ""
    ) -> None:
        # Off the desk before it is decided: nobody may take it for answered from elsewhere.
        card, decision = self.cards.pop(0), None
        self._deciding = True
        try:
            decision = await self._session.decide(card.id, outcome, self._by, reason, session=session)
            self._then = then or self._then
            if decision.outcome == "consented":
                self._given[card.id] = (await self._session.record(card.id)).consents
            if session:
                # Reads like it that were up are answered with it.
                waiting = {each.id for each in await self._session.pending()}
                self.cards = [each for each in self.cards if each.id in waiting]
        finally:
            self._deciding = False
            if decision is None or decision.outcome == "consented":
                self.cards.insert(0, card)
        if decision.outcome == "consented":
            self._told(card, decision)
            self._screen.command(f"opssquad approvals approve {card.id}", indent=4, style=MUTED)
            return
        if self.cards:
            self.show()
            return
        then, self._then = self._then, ""
        self._go_on(then)

    def _leave(self) -> None:
        self._put_off = True
        card = self.cards[0]
        text = f"It waits; expires {expiry(card, self._now())}. /approve shows it again."
        self._screen.flow(text, indent=2, first="  ")
        self._screen.command(f"opssquad approvals approve {card.id}", indent=2, style=MUTED)

    async def _evidence(self, card: Approval) -> list[Evidence]:
        found = []
        for id in card.evidence:
            try:
                found.append((await self._session.evidence(id))[0])
            except OpsError as error:
                self._screen.flow(str(error), indent=4, first="  ! ", style=WARN)
        return found
