"""The offline model over every recorded incident: the true component and fault, from plain words."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from opssquad import content
from opssquad.events import Concluded, Returned, Stopped
from opssquad.findings import Conclusion
from opssquad.investigation import Investigation, Options
from tests.tools.recorded import IDS

RECORDINGS = {id: content.recordings()[id] for id in IDS}
AS_CALLEE = {"P04"}
"""Faults whose cause is another fault at the callee: the catalogue may name either."""


def read(id: str, name: str) -> Any:
    return yaml.safe_load((RECORDINGS[id] / name).read_text(encoding="utf-8"))


async def concluded(state: Path, id: str, question: str) -> tuple[Conclusion, Investigation]:
    options = Options(state=state, by="ada", recording=RECORDINGS[id], mode="ask")
    async with await Investigation.open(options) as run:
        events = [e async for e in run.ask(question)]
        assert isinstance(events[-1], Stopped)
        conclusions = [e.conclusion for e in events if isinstance(e, Concluded)]
        results = {e.result.call: e.result for e in events if isinstance(e, Returned)}
        for cause in conclusions[-1].causes:
            for evidence in (e for f in cause.findings for e in f.evidence):
                kept = [s.text for s in results[evidence.call].sources]
                assert any(evidence.text in text for text in kept), "a citation stands in what was read"
        return conclusions[-1], run


@pytest.mark.parametrize("id", sorted(RECORDINGS))
async def test_the_true_component_and_fault_are_named_and_nothing_else(tmp_path: Path, id: str) -> None:
    # The other questions are asked by the suite `train`, among the long tests.
    truth, question = read(id, "truth.yaml"), read(id, "incident.yaml")["questions"][0]
    conclusion, _ = await concluded(tmp_path, id, question)
    component = truth["component"]
    assert [str(c.component) for c in conclusion.causes] == [
        f"{component['kind']}/{component.get('namespace') or ''}/{component['name']}"
    ]
    if truth["fault"] not in AS_CALLEE:
        assert conclusion.causes[0].fault == truth["fault"]
    assert conclusion.no_fault == truth["fault"].startswith("Z")


async def test_the_organisations_faults_count_in_an_investigation(tmp_path: Path) -> None:
    own = tmp_path / "faults" / "k8s.yaml"
    own.parent.mkdir()
    entry = "id: K14, replaces: true, title: asleep, anchor: [{signal: workload.scaled_to_zero}]"
    own.write_text(f"faults: [{{{entry}, root_cause: '{{name}} sleeps.'}}]\n")
    options = Options(
        state=tmp_path / "state",
        by="ada",
        recording=RECORDINGS["media-0702"],
        mode="ask",
        faults=own.parent,
    )
    async with await Investigation.open(options) as run:
        events = [e async for e in run.ask(read("media-0702", "incident.yaml")["questions"][0])]
    (cause,) = next(e.conclusion for e in events if isinstance(e, Concluded)).causes
    assert (cause.fault, cause.root_cause, cause.inadmissible) == ("K14", "cdn-signer sleeps.", ())


@pytest.mark.parametrize("id", sorted(RECORDINGS))
async def test_the_first_option_is_admissible_and_none_does_harm(tmp_path: Path, id: str) -> None:
    truth = read(id, "truth.yaml")
    conclusion, _ = await concluded(tmp_path, id, read(id, "incident.yaml")["questions"][0])
    offered = [(o.action, o.target) for o in conclusion.options]
    accepted = {(a["action"], a["target"]) for a in truth["fix"]["accept"]}
    forbidden = {(a["action"], a["target"]) for a in truth["fix"]["forbid"]}
    assert accepted & set(offered)
    # The same action and target may be accepted and forbidden in two forms ("to 2" and "to 0").
    assert not (forbidden - accepted) & set(offered)


async def test_the_recording_is_seen_at_its_own_time(tmp_path: Path) -> None:
    id = sorted(RECORDINGS)[0]
    incident = read(id, "incident.yaml")
    _, run = await concluded(tmp_path, id, incident["questions"][0])
    seen = datetime.fromisoformat(incident["clock"])
    assert f"{seen:%H:%M}" in await _timeline(tmp_path, run.thread)


async def _timeline(state: Path, thread: str) -> str:
    options = Options(state=state, by="ada", mode="ask")
    async with await Investigation.open(options, resume=thread) as run:
        return await run.timeline()
