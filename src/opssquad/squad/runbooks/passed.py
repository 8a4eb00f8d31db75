"""A step of a runbook that is behind."""

from typing import Literal

from opssquad.types import Value

Outcome = Literal["as expected", "not as expected", "not known", "failed", "not done"]


class Passed(Value):
    """A step that is behind: what came of it and where it led, in words, the evidence by its ids, and the
    call. `changed`: what was done to the world, where something was or may have been."""

    step: str
    outcome: Outcome
    said: str
    evidence: tuple[str, ...] = ()
    goto: str = ""
    call: str = ""
    changed: str = ""
