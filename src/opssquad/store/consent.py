"""Who may say yes to a card, whose yes is still missing, and what several yeses are together. Pure.

Names are what people call themselves to us (their login, or OPSSQUAD_USER); roles are what policy gives
a name.
"""

from collections.abc import Sequence

from opssquad.types import Approval, Decision
from opssquad.types import person as person


def objection(card: Approval, decision: Decision) -> str:
    """Why a yes does not count, in words that say what to do; empty when it does."""
    needs = card.needs
    if card.suggestion:
        return "it is a suggestion, made with --suggest-only; copy its command to run it yourself"
    if not needs.requester_may_approve and person(decision.by) == person(card.requested_by):
        return f"{card.requested_by} asked for it, and rule {card.rule} wants somebody else"
    if needs.roles and not set(needs.roles) & set(decision.roles):
        held = ", ".join(decision.roles) or "none"
        return f"rule {card.rule} wants the role {' or '.join(needs.roles)}; roles of {decision.by}: {held}"
    return ""


def missing(card: Approval, given: Sequence[Decision]) -> str:
    """Who has to say yes yet: `1 more approver of role sre, and not sam`; empty when nobody has to."""
    needs, left = card.needs, card.needs.approvers - len(given)
    if left <= 0:
        return ""
    said = f"{left}{' more' if given else ''} approver{'s' * (left > 1)}"
    if needs.roles:
        said += f" of role {' or '.join(needs.roles)}"
    no = [] if needs.requester_may_approve else [card.requested_by]
    no += [each.by for each in given if person(each.by) not in {person(name) for name in no}]
    return said + (f", and not {' or '.join(no)}" if no else "")


def together(last: Decision, given: Sequence[Decision]) -> Decision:
    """The yes of all of them, at the time of the last."""
    reasons = "; ".join(each.reason for each in given if each.reason)
    return last.model_copy(update={"by": " and ".join(each.by for each in given), "reason": reasons})
