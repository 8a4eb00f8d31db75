"""`opssquad runbook`: the squad whose runbook it is need not be named."""

import json
from pathlib import Path

import pytest

from opssquad import content
from tests.cli.test_runbook import Run, said

__all__ = ["said"]


def test_the_squad_whose_runbook_it_is_need_not_be_named(
    said: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [line for line in said("runbook", "list")[1].splitlines() if line[0] != " "]
    assert [line for line in listed if line in content.squads()] == list(content.squads())
    rows = json.loads(said("runbook", "list", "--json")[1])["runbooks"]
    assert {row["squad"] for row in rows if row["id"] == "timeout"} == {"network"}
    assert "squads/network/runbooks/timeout.md" in said("runbook", "show", "timeout")[1]
    assert said("runbook", "show", "timeot")[2] == "opssquad: no runbook 'timeot'; there is: timeout\n"
    for squad in ("k8s", "network"):
        (tmp_path / squad).mkdir()
        text = (
            (content.squad("network") / "runbooks" / "timeout.md")
            .read_text()
            .replace("id: timeout", "id: both")
        )
        (tmp_path / squad / "both.md").write_text(text)
    monkeypatch.setenv("OPSSQUAD_RUNBOOKS", str(tmp_path))
    several = "opssquad: k8s and network have a runbook 'both'; say which with --squad\n"
    assert said("runbook", "show", "both")[2] == several
    assert "k8s/both.md" in said("runbook", "show", "both", "--squad", "k8s")[1]
