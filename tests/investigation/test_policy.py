"""The organisation's and the squad's policy hold in a run, by the clock of its world."""

from pathlib import Path

import pytest

from opssquad import content
from opssquad.errors import UsageError
from opssquad.events import Requested, Returned
from opssquad.findings import ToolResult
from opssquad.investigation import Investigation, Options

RECORDING = content.recordings()["auth-0308"]
# The recording's day, which is not today.
FREEZE = """
rules:
- name: change freeze
  effect: mutate
  when: {dates: 2026-03-08}
  verdict: refuse
  reason: nothing is changed today
"""


async def _fixed(options: Options) -> list[ToolResult]:
    """What became of the rollback, which the engineer chooses by number."""
    async with await Investigation.open(options) as run:
        _ = [e async for e in run.ask("why do logins fail?")]
        events = [e async for e in run.ask("1")]
        if any(isinstance(e, Requested) for e in events):
            return []
    return [e.result for e in events if isinstance(e, Returned) and e.call.tool == "rollback"]


async def test_a_change_freeze_of_the_organisation_is_judged_by_the_clock_of_the_world(
    tmp_path: Path,
) -> None:
    own = tmp_path / "policy.yaml"
    own.write_text(FREEZE)
    options = Options(state=tmp_path / "state", by="ada", recording=RECORDING, policy=own)
    (result,) = await _fixed(options)
    assert result.status == "refused"
    assert result.text == ("refused by change freeze: nothing is changed today; until 2026-03-09 00:00 UTC")


async def test_without_a_freeze_the_same_fix_waits_for_a_yes(tmp_path: Path) -> None:
    assert await _fixed(Options(state=tmp_path, by="ada", recording=RECORDING)) == []


async def test_a_squads_own_policy_holds_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = content.root()
    (tmp_path / "squads" / "k8s").mkdir(parents=True)
    for name in (
        "tools",
        "prompts",
        "evals",
        "squads/policy.yaml",
        "squads/k8s/squad.yaml",
        "squads/k8s/faults.yaml",
    ):
        (tmp_path / name).symlink_to(here / name)
    (tmp_path / "squads" / "k8s" / "policy.yaml").write_text(FREEZE)
    monkeypatch.setattr(content, "root", lambda: tmp_path)
    options = Options(state=tmp_path / "state", by="ada", recording=RECORDING)
    (result,) = await _fixed(options)
    assert result.status == "refused"


async def test_a_policy_that_cannot_be_read_starts_no_run(tmp_path: Path) -> None:
    options = Options(state=tmp_path, by="ada", recording=RECORDING, policy=tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match="policy .*absent.yaml: this file is missing"):
        await Investigation.open(options)
