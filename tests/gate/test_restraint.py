"""What a thread that only reads is refused, and which of two restraints holds."""

import itertools
from typing import get_args

import pytest

from opssquad.gate.restraint import restrained, stricter
from opssquad.types import Effect, Outcome, Restraint, Verdict

RESTRAINTS: tuple[Restraint, ...] = get_args(Restraint)


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_whatever_policy_says_a_thread_that_only_reads_refuses_a_change(outcome: Outcome) -> None:
    verdict = restrained(Verdict(outcome=outcome, rule="r"), "mutate", "read")
    assert (verdict.outcome, verdict.rule) == ("refuse", "read-only")


@pytest.mark.parametrize(
    ("effect", "restraint"),
    [("read", "read"), (None, "read"), ("mutate", "none"), ("mutate", "suggest"), ("read", "suggest")],
)
def test_everything_else_stays_as_policy_says(effect: Effect | None, restraint: Restraint) -> None:
    verdict = Verdict(outcome="ask", rule="r", reason="why")
    assert restrained(verdict, effect, restraint) == verdict


@pytest.mark.parametrize(("one", "other"), list(itertools.product(RESTRAINTS, RESTRAINTS)))
def test_of_two_restraints_the_one_that_allows_less_holds(one: Restraint, other: Restraint) -> None:
    assert stricter(one, other) == RESTRAINTS[max(RESTRAINTS.index(one), RESTRAINTS.index(other))]
