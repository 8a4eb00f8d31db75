"""The organisation's and the squad's policy hold in a run, by the clock of its world."""

from pathlib import Path

import pytest

from opssquad import content
from opssquad.errors import UsageError
from opssquad.events import Requested, Returned, Stopped, Warned
from opssquad.findings import ToolResult
from opssquad.investigation import Investigation, Options
from opssquad.store.sqlite import Store

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


@pytest.mark.parametrize("was", ["", "rules: []\n"], ids=["there was none", "it said nothing"])
async def test_a_freeze_that_is_written_while_a_run_is_open_holds_and_is_on_record_before_it_does(
    tmp_path: Path, was: str
) -> None:
    own = tmp_path / "policy.yaml"
    if was:
        own.write_text(was)
    place = {"policy": own} if was else {"policy_place": own}
    options = Options(state=tmp_path / "state", by="ada", recording=RECORDING, **place)
    async with await Investigation.open(options) as run:
        _ = [e async for e in run.ask("why do logins fail?")]
        own.write_text(FREEZE)
        events = [e async for e in run.ask("1")]
    results = [e.result for e in events if isinstance(e, Returned) and e.call.tool == "rollback"]
    assert [result.status for result in results] == ["refused"]
    async with await Store.open(options.state) as store:
        assert await store.verify_audit() is None
        lines = await store.audit_records(run.thread)
    changes = [n for n, line in enumerate(lines) if line.kind == "policy"]
    assert [lines[n].status for n in changes] == ["first", "changed"]
    assert lines[changes[1]].why == "changed: organisation, policy"
    (refused,) = [n for n, line in enumerate(lines) if (line.kind, line.status) == ("verdict", "refuse")]
    assert changes[1] == refused - 1


async def test_a_policy_that_is_removed_while_a_run_is_open_refuses_until_it_is_back(tmp_path: Path) -> None:
    own = tmp_path / "policy.yaml"
    own.write_text("rules: []\n")
    options = Options(state=tmp_path / "state", by="ada", recording=RECORDING, policy_place=own)
    async with await Investigation.open(options) as run:
        own.unlink()
        refused = [e async for e in run.ask("why do logins fail?")]
        own.write_text("rules: []\n")
        free = [e async for e in run.ask("why do logins fail?")]
    gone, back = ([e.result.status for e in each if isinstance(e, Returned)] for each in (refused, free))
    assert set(gone) == {"refused"}
    assert "ok" in back


async def test_a_policy_that_becomes_unreadable_is_on_record_with_its_problem(tmp_path: Path) -> None:
    own = tmp_path / "policy.yaml"
    own.write_text("rules: []\n")
    options = Options(state=tmp_path / "state", by="ada", recording=RECORDING, policy=own)
    async with await Investigation.open(options) as run:
        own.write_text("rules: [{\n")
        _ = [e async for e in run.ask("why do logins fail?")]
    async with await Store.open(options.state) as store:
        changed = [line for line in await store.audit_records(run.thread) if line.kind == "policy"][-1]
    assert changed.args["policy"] == ""
    assert str(own) in str(changed.args["problem"])


async def test_a_yes_by_option_is_not_somebody_elses(tmp_path: Path) -> None:
    own = tmp_path / "policy.yaml"
    own.write_text("rules:\n- {name: not me, tool: rollback, verdict: ask, requester_may_approve: false}\n")
    options = Options(
        state=tmp_path / "state", by="ada", recording=RECORDING, policy=own, approve="all", mode="ask"
    )
    async with await Investigation.open(options) as run:
        events = [e async for e in run.ask("roll back auth-service")]
    assert [e.text for e in events if isinstance(e, Warned)] == [
        "rule not me wants somebody else than ada, which --approve all is not"
    ]
    assert [e.status for e in events if isinstance(e, Stopped)] == ["pending"]


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
