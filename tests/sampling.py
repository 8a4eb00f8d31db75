"""Which recordings a slow test reads: one made from a scenario teaches it little that the next does not."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import pytest
from _pytest.mark import ParameterSet

from tests.tools.recorded import IDS

EACH = 5
Case = TypeVar("Case")


def sample(names: Iterable[str]) -> list[str]:
    """The recordings of a real control plane, and of those made from scenarios every fifth."""
    made = sorted(set(names) - set(IDS))
    return sorted({*IDS, *made[::EACH]})


def others_later(cases: Sequence[Case]) -> list[Case | ParameterSet]:
    """Every fifth as it is, the rest marked `long`."""
    return [
        each if index % EACH == 0 else pytest.param(each, marks=pytest.mark.long)
        for index, each in enumerate(cases)
    ]
