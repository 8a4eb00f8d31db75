"""Signals and the catalogue together: how far objects and events alone lead, before any further call."""

import pytest
from tools.signals._scene import Scene
from tools.signals.reading import read_signals

from opssquad.diagnosis.differential import rank
from opssquad.squad.knowledge import known_faults
from tests.tools.recorded import IDS, clock, objects, truth

# An edited ConfigMap shows only in what changed.
NEEDS_CHANGES = {"shop-0618"}
# P04 is a caller that complains; at the callee itself it is the memory limit.
AT_THE_CALLEE = {"P04": "K05"}


@pytest.mark.parametrize("recording", sorted(set(IDS) - NEEDS_CHANGES))
def test_the_leading_hypothesis_is_the_true_component_and_fault(recording: str) -> None:
    catalogue = known_faults("k8s", None).catalogue
    best = rank(catalogue, read_signals(Scene(clock(recording), objects(recording))))[0]
    said = truth(recording)
    component = said["component"]
    assert str(best.component) == f"{component['kind']}/{component['namespace']}/{component['name']}"
    assert best.fault == AT_THE_CALLEE.get(said["fault"], said["fault"])
