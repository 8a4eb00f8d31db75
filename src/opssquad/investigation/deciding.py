"""The cards of an open thread: which wait, what is decided about them here, and what `--approve` answers."""

from collections.abc import Iterable, Sequence
from typing import Literal

from opssquad.errors import Refused
from opssquad.events import Warned
from opssquad.investigation.options import Approve
from opssquad.squad.context import Context
from opssquad.squad.settling import barred
from opssquad.store.base import ApprovalRecord
from opssquad.store.sqlite import Store
from opssquad.times import wall_clock
from opssquad.types import Approval, Decision, Ruling

Outcome = Ruling | Literal["expired", "voided"]


class Cards:
    """Cards of one thread. Every decision carries the roles that policy gives whoever makes it."""

    def __init__(self, store: Store, ctx: Context) -> None:
        self._store, self._ctx = store, ctx

    async def record(self, card: str) -> ApprovalRecord:
        """A card and what was said to it so far. Raises UsageError."""
        return await self._store.approval_record(card)

    async def pending(self, cards: Iterable[str]) -> list[Approval]:
        """Those of the cards that wait for an answer, that are in time, and that policy still lets pass."""
        records = [await self.record(card) for card in cards]
        waiting = [record for record in records if record.status(wall_clock()) == "pending"]
        return [record.approval for record in waiting if not await barred(self._ctx, record)]

    async def open(self, cards: Iterable[str], approve: Approve) -> Sequence[str]:
        """Those that wait for a human. What ended by itself, and what `--approve` answers, goes on record."""
        return [card for card in cards if await self._waits(await self.record(card), approve)]

    async def _waits(self, record: ApprovalRecord, approve: Approve) -> bool:
        card = record.approval
        if record.decision:
            return False
        if record.status(wall_clock()) == "expired":
            await self.decide(card, "expired", "opssquad", "no answer in time")
            return False
        if why := await barred(self._ctx, record):
            await self.decide(card, "voided", "opssquad", why)
            return False
        return approve == "ask" or not await self._by_option(card, approve)

    async def _by_option(self, card: Approval, approve: Approve) -> bool:
        """Answer a card as `--approve` says; whether that was enough."""
        said = f"--approve {approve}"
        if approve == "all" and not card.needs.requester_may_approve:
            text = f"rule {card.rule} wants somebody else than {card.requested_by}, which {said} is not"
            await self._ctx.emit(Warned, text=text)
            return False
        try:
            stands = await self.decide(card, "approved" if approve == "all" else "refused", said, said)
        except Refused as error:
            await self._ctx.emit(Warned, text=str(error))
            return False
        return stands.outcome != "consented"

    async def free_alike(self, card: Approval, yes: Decision, waiting: Iterable[Approval]) -> None:
        """Let a yes for the session count for reads like it that are up already, as for those that come;
        where several must say yes, each of those is answered by itself."""
        for other in waiting if card.needs.approvers == 1 else ():
            if other.effect == "read" and _about(other) == _about(card):
                said = f"yes for the session to {card.id}"
                await self.decide(other, "approved", yes.by, said, session=True)

    async def decide(
        self, card: Approval, outcome: Outcome, by: str, reason: str = "", *, session: bool = False
    ) -> Decision:
        """Put a decision on record; the one that stands comes back, which may be an earlier one, or only one
        yes of several. Raises Refused for a yes of somebody who may not give it."""
        return await self._store.decide(
            Decision(
                approval=card.id,
                call_digest=card.call.digest,
                outcome=outcome,
                by=by,
                at=wall_clock(),
                reason=self._ctx.redact.clean(reason),
                roles=self._ctx.roles(by),
                session=session,
            )
        )


def _about(card: Approval) -> tuple[object, ...]:
    """What reads that are alike have in common."""
    return card.call.tool, card.call.target, card.rule, card.needs, card.cluster_id
