"""How much is generated for what, and the one way a fuzz test runs: it counts what it ran."""

import os
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
LONG = {
    "fitting": 4000,
    "signals": 3000,
    "tools": 400,
    "tables": 1000,
    "logs": 3000,
    "discovery": 1000,
    "recording files": 200,
    "recording objects": 200,
    "policies": 1500,
    "judging": 1500,
    "other files": 1500,
    "bodies": 2500,
    "streams": 2500,
    "runs": 400,
    "command lines": 600,
}
QUICK = 12
"""Examples of each in `make test`; the dear ones have fewer."""
DEAR = {"tools": 4, "runs": 4, "recording files": 4, "recording objects": 4, "command lines": 6}

each_amount = pytest.mark.parametrize("many", [False, pytest.param(True, marks=pytest.mark.long)])
"""Runs a test with a few examples, and with all of them where it may take minutes."""


def fuzzed(what: str, many: bool, examples: SearchStrategy[T], check: Callable[[T], None]) -> None:
    """Run the check on as many examples as that is worth, and see that so many were run."""
    wanted, ran = LONG[what] if many else DEAR.get(what, QUICK), 0

    @settings(
        max_examples=wanted,
        deadline=None,
        database=None,
        # A build that fails must fail again; on a desk every run tries something new.
        derandomize="CI" in os.environ,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(examples)
    def run(example: T) -> None:
        nonlocal ran
        ran += 1
        check(example)

    run()
    assert ran >= wanted, f"{what}: {ran} examples instead of {wanted}"


def test_the_long_part_is_worth_its_name() -> None:
    assert sum(LONG.values()) >= 20_000
