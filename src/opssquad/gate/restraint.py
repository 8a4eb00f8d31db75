"""What a thread may do at most: everything that policy lets pass, only suggest changes, or only read. Pure.

It stands beside policy and can only take away: what policy refuses stays refused.
"""

from typing import get_args

from opssquad.types import Effect, Restraint, Verdict

READ_ONLY = "read-only"
"""The rule that refuses every change in a thread that only reads."""


def stricter(one: Restraint, other: Restraint) -> Restraint:
    """The one of two that allows less: a thread that is taken up again is never loosened."""
    order: tuple[Restraint, ...] = get_args(Restraint)
    return max(one, other, key=order.index)


def restrained(verdict: Verdict, effect: Effect | None, restraint: Restraint) -> Verdict:
    """Policy's verdict on a call, or the refusal of a change where the thread only reads."""
    if restraint != "read" or effect in ("read", None):
        return verdict
    reason = "this conversation only reads (--read-only): nothing can be changed here, say what should be"
    return Verdict(outcome="refuse", rule=READ_ONLY, reason=reason)
