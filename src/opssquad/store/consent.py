"""Who may say yes to a card, whose yes is still missing, and what several yeses are together. Pure.

Names are what people call themselves to us (their login, or OPSSQUAD_USER); roles are what policy gives
a name.
"""

from collections.abc import Sequence

from opssquad.types import Approval, Decision, Needs, person

SUGGESTION = "is a suggestion, there is nothing to decide; copy its command to run it yourself"
"""What is said to whoever would decide one."""


def objection(card: Approval, decision: Decision) -> str:
    """Why a yes does not count, in words that say what to do; empty when it does."""
    needs = card.needs
    if decision.session and card.effect != "read":
        return "a change is never remembered; say yes to this one alone"
    if not needs.requester_may_approve and person(decision.by) == person(card.requested_by):
        return f"{card.requested_by} asked for it, and rule {card.rule} wants somebody else"
    if needs.roles and not set(needs.roles) & set(decision.roles):
        held = ", ".join(decision.roles) or "none"
        return f"rule {card.rule} wants the role {' or '.join(needs.roles)}; roles of {decision.by}: {held}"
    return ""


def short_of(card: Approval, needs: Needs, given: Sequence[Decision]) -> str:
    """Who would have to say yes yet if the card needed this; empty where the yeses given are enough."""
    anew = card.model_copy(update={"needs": needs})
    return missing(anew, [each for each in given if not objection(anew, each)])


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
    session = all(each.session for each in given)
    by = " and ".join(each.by for each in given)
    return last.model_copy(update={"by": by, "reason": reasons, "session": session})
