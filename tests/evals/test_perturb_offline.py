"""The offline model over perturbed recordings: the true component and fault, whatever things are called."""

from pathlib import Path

import pytest

from opssquad.events import Concluded
from opssquad.findings import Conclusion
from opssquad.investigation import Investigation, Options
from tests.evals.made import RECORDINGS, document, made

AS_CALLEE = {"P04"}
"""Faults whose cause is another fault at the callee: the catalogue may name either."""
QUICK = [
    ("shop-0412", 1, None),
    ("media-0606", 1, 1),
    ("auth-0308", 2, 2),
    ("shop-0721", 1, 1),
    ("media-0728", 1, 1),
]


async def concluded(state: Path, folder: Path, question: str) -> Conclusion:
    options = Options(state=state, by="ada", recording=folder, mode="ask")
    async with await Investigation.open(options) as run:
        events = [event async for event in run.ask(question)]
    return [event.conclusion for event in events if isinstance(event, Concluded)][-1]


async def true_and_alone(state: Path, folder: Path, question: str) -> None:
    truth = document(folder, "truth")
    conclusion = await concluded(state, folder, question)
    component = truth["component"]
    assert [str(cause.component) for cause in conclusion.causes] == [
        f"{component['kind']}/{component.get('namespace') or ''}/{component['name']}"
    ]
    if truth["fault"] not in AS_CALLEE:
        assert conclusion.causes[0].fault == truth["fault"]
    assert conclusion.no_fault == truth["fault"].startswith("Z")


@pytest.mark.parametrize(("id", "shift", "noise"), QUICK)
async def test_other_names_and_noise_leave_the_answer_true(
    tmp_path: Path, id: str, shift: int | None, noise: int | None
) -> None:
    folder = made(id, shift, noise)
    await true_and_alone(tmp_path, folder, document(folder, "incident")["questions"][0])


@pytest.mark.long
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("seeds", [(1, None), (None, 1), (1, 1), (2, 2), (3, 3)], ids=str)
@pytest.mark.parametrize("id", sorted(RECORDINGS))
async def test_every_recording_under_other_names_and_noise_has_the_same_answer(
    tmp_path: Path, id: str, seeds: tuple[int | None, int | None], number: int
) -> None:
    folder = made(id, *seeds)
    await true_and_alone(tmp_path, folder, document(folder, "incident")["questions"][number])
