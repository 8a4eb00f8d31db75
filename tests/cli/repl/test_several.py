"""Cards in the chat that one yes is not enough for, or that this engineer may not approve."""

import asyncio
import io

import pytest

from opssquad.cli.render.scope import Scope
from opssquad.cli.render.screen import Screen
from opssquad.cli.repl import words
from opssquad.cli.repl.desk import Desk
from opssquad.errors import Refused
from opssquad.events import Requested
from opssquad.store.base import ApprovalRecord
from opssquad.types import Approval, Decision, Needs, Ruling
from tests.cli.replay import NOW, Replay, recorded
from tests.samples import a_decision

TWO = Needs(approvers=2)


class Several(Replay):
    """A session whose card needs the yes of two people, neither of them bo."""

    def __init__(self) -> None:
        card = next(e.approval for e in recorded("golden") if isinstance(e, Requested))
        super().__init__(recorded("golden"), cards=[card.model_copy(update={"needs": TWO})])
        self.given: list[Decision] = []

    async def decide(
        self, approval_id: str, outcome: Ruling, by: str, reason: str = "", *, session: bool = False
    ) -> Decision:
        if by == "bo":
            raise Refused(f"{approval_id} cannot be approved by bo: bo asked for it")
        yes = a_decision(self.cards[0], by=by).model_copy(update={"outcome": "consented"})
        self.given.append(yes)
        if len(self.given) < 2:
            return yes
        return await super().decide(approval_id, outcome, by, reason, session=session)

    async def record(self, approval_id: str) -> ApprovalRecord:
        return (await super().record(approval_id)).model_copy(update={"consents": tuple(self.given)})


class Sitting:
    """A desk with the card on it, and what is said there."""

    def __init__(self, by: str, session: Several | None = None) -> None:
        self.session, self.out, self.gone_on = session or Several(), io.StringIO(), 0
        self.desk = Desk(
            self.session,
            Screen(width=80, file=self.out),
            Scope(self.session.target, "k8s", "offline"),
            by=by,
            go_on=self._go_on,
            now=lambda: NOW,
        )

    @property
    def said(self) -> str:
        return " ".join(self.out.getvalue().split())

    @property
    def card(self) -> Approval:
        return self.desk.cards[0]

    def _go_on(self, then: str) -> None:
        self.gone_on += 1


async def test_a_yes_of_somebody_who_may_not_give_it_leaves_the_card_up() -> None:
    sitting = Sitting("bo")
    await sitting.desk.take_up()
    with pytest.raises(Refused, match="bo asked for it"):
        await sitting.desk.answer(words.Approve())
    assert sitting.desk.up
    assert sitting.card.needs == TWO
    assert sitting.gone_on == 0


async def test_a_yes_of_one_of_two_says_who_is_missing_and_how_it_is_given() -> None:
    sitting = Sitting("ana")
    await sitting.desk.take_up()
    assert "Needs 2 approvers" in sitting.said
    assert sitting.desk.waiting == ""
    await sitting.desk.answer(words.Approve())
    assert "ana said yes; waiting for 1 more approver, and not ana" in sitting.said
    assert f"$ opssquad approvals approve {sitting.card.id}" in sitting.said
    assert sitting.desk.waiting == "waiting for 1 more approver, and not ana · "
    assert (sitting.desk.up, sitting.gone_on) == (True, 0)


async def test_a_yes_from_another_terminal_is_told_and_the_last_one_lets_the_run_go_on() -> None:
    sitting = Sitting("ana")
    await sitting.desk.take_up()
    card = sitting.card
    await sitting.session.decide(card.id, "approved", "kim")
    await sitting.desk.look_again()
    await sitting.desk.look_again()
    assert sitting.said.count("kim said yes; waiting for 1 more approver, and not kim") == 1
    await sitting.session.decide(card.id, "approved", "lee")
    await sitting.desk.look_again()
    assert "lee said yes • answered from elsewhere" in sitting.said
    assert (sitting.desk.up, sitting.gone_on) == (False, 1)


async def test_a_card_taken_up_shows_the_yes_that_it_has() -> None:
    session = Several()
    await session.decide(session.cards[0].id, "approved", "kim")
    sitting = Sitting("ana", session)
    await sitting.desk.take_up()
    assert "Needs 1 more approver, and not kim; yes so far: kim" in sitting.said


async def test_a_look_at_the_cards_while_one_is_being_answered_here_decides_nothing() -> None:
    class Slow(Several):
        async def decide(
            self, approval_id: str, outcome: Ruling, by: str, reason: str = "", *, session: bool = False
        ) -> Decision:
            await super().decide(approval_id, outcome, by, reason, session=session)
            yes = await super().decide(approval_id, outcome, "lee", reason, session=session)
            await asyncio.sleep(0.05)
            return yes

    sitting = Sitting("ana", Slow())
    await sitting.desk.take_up()
    answering = asyncio.create_task(sitting.desk.answer(words.Approve()))
    await asyncio.sleep(0.01)
    await sitting.desk.look_again()
    await answering
    assert sitting.gone_on == 1
    assert "answered from elsewhere" not in sitting.said
