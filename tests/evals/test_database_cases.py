"""What evals do with a recorded database: lint its fixes, blame without looking, change it behind a card."""

import shutil
from pathlib import Path

import pytest
import yaml

from opssquad import content
from opssquad.evals.linting import lint
from opssquad.evals.oracle import Kin
from opssquad.evals.oracle_rows import left_of, with_rows
from opssquad.evals.stage import staged
from opssquad.evals.suspects import suspects
from opssquad.evals.transcript import End
from opssquad.gate.own import Own
from opssquad.investigation.options import RecordedPart
from opssquad.worlds.kube.clock import real_time
from opssquad.worlds.kube.recording import load, load_truth
from opssquad.worlds.sql.effects import TAKEN_AWAY
from opssquad.worlds.sql.material import has_database, load_material
from opssquad.worlds.sql.recorded import Recorded, note

CHAIN = content.recordings()["shop-db-11"]
"""Sessions that wait for one of a migration."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(CHAIN, tmp_path / CHAIN.name)


def blocker() -> str:
    return load_truth(CHAIN).component.name


def test_an_accepted_statement_that_mends_nothing_is_a_problem(copy: Path) -> None:
    assert lint(copy, Own()).problems == []
    truth = yaml.safe_load((copy / "truth.yaml").read_text())
    victim = next(row for row in load_material(copy).rows["sessions"] if row["blocked_by"])
    truth["fix"]["accept"][0]["target"] = f"Session/shop/{victim['pid']}"
    (copy / "truth.yaml").write_text(yaml.safe_dump(truth))
    (found, *_) = lint(copy, Own()).problems
    assert found.startswith(
        f"truth.yaml: accepted sql of Session/shop/{victim['pid']}: after terminate_session: "
    )


def test_an_accepted_statement_about_nothing_that_was_recorded_is_a_problem(copy: Path) -> None:
    file = copy / "truth.yaml"
    file.write_text(file.read_text().replace(f"Session/shop/{blocker()}", "Session/shop/1"))
    assert any("there is no session 1" in each for each in lint(copy, Own()).problems)


def test_who_does_not_look_blames_the_client_with_the_most_sessions() -> None:
    crowded = load(content.recordings()["shop-db-37"])
    them = suspects(crowded, Kin(crowded.objects))
    rows = load_material(crowded.folder).rows["sessions"]
    held = {each: sum(row["application"] == each.name for row in rows) for each in them.everybody}
    assert held[them.unwell[0]] == max(held.values())
    assert str(them.whole) == "Database//shop"


@pytest.mark.parametrize("id", [id for id, folder in content.recordings().items() if has_database(folder)])
def test_no_database_is_mended_before_anything_was_done(id: str) -> None:
    folder = content.recordings()[id]
    truth = load_truth(folder)
    assert not truth.rows or list(left_of(load_material(folder), truth.rows))


async def test_what_is_changed_behind_a_card_is_seen_at_once_and_is_not_the_squads_doing(
    tmp_path: Path,
) -> None:
    async with staged(CHAIN, tmp_path) as stage:
        assert stage.has_rows
        clock = lambda: stage.watch()  # noqa: E731
        world = Recorded(load_material(CHAIN), "a-case", clock, stage.part.journal)
        where = {"pid": blocker()}
        assert len((await world.rows("sessions", where)).rows) == 1
        stage.touch([f"Session/shop/{blocker()}"])
        assert (await world.rows("sessions", where)).rows == []
        ended = with_rows(End(fixed=False), stage.part, load_truth(CHAIN), ())
    assert (ended.touched, ended.unapproved) == (False, ())


def test_an_act_outside_of_every_approved_span_is_told(tmp_path: Path) -> None:
    part = RecordedPart(CHAIN, tmp_path / "acts.jsonl", real_time())
    row = next(each for each in load_material(CHAIN).rows["sessions"] if str(each["pid"]) == blocker())
    note(
        part.journal,
        "terminate",
        {"pid": row["pid"], "started": row["backend_start"]},
        part.began,
        part.began,
    )
    note(part.journal, TAKEN_AWAY, {"ref": "Session/shop/1"}, part.began, part.began)
    ended = with_rows(End(fixed=False), part, load_truth(CHAIN), ())
    assert ended.fixed
    assert len(ended.unapproved) == 1
