"""Recorded databases under other names, at another time, among other clients: sound, the same incident."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from opssquad import content
from opssquad.evals.perturb import perturbed
from opssquad.evals.perturb.names import words
from opssquad.evals.perturb.rows import named_in_rows
from opssquad.worlds.kube.recording import check
from opssquad.worlds.sql.database import row_text
from opssquad.worlds.sql.material import LOG, ROWS, has_database, load_material

Json = dict[str, Any]
ALONE = {id: folder for id, folder in content.recordings().items() if has_database(folder) and "-db-" in id}
SOME = sorted(ALONE)[::7]
STAMP = re.compile(r"20\d\d-\d\d-\d\d")


def lines_of(folder: Path) -> list[Json]:
    return [json.loads(line) for line in gzip.decompress((folder / ROWS).read_bytes()).splitlines()]


def texts(folder: Path) -> str:
    files = [file.read_text() for file in (*folder.glob("*.yaml"), *folder.glob(LOG))]
    return "\n".join([*files, *map(json.dumps, lines_of(folder))])


def test_there_are_recorded_databases_to_try() -> None:
    assert len(SOME) >= 4


@pytest.mark.parametrize("id", SOME)
def test_a_shifted_database_is_sound_and_holds_no_name_of_old(tmp_path: Path, id: str) -> None:
    old = {name for name in named_in_rows(lines_of(ALONE[id])) if not words().keeps(name)}
    assert len(old) > 10
    made = perturbed(ALONE[id], tmp_path, shift=1, noise=None)
    assert check(made) == []
    text = re.sub(r"(?i)\b(?:order|group) by\b", "", texts(made))
    left = {name for name in old if re.search(rf"(?<![A-Za-z0-9_-]){re.escape(name)}(?![A-Za-z0-9_-])", text)}
    assert left == set()


@pytest.mark.parametrize("id", SOME)
def test_what_a_shift_does_not_name_stays(tmp_path: Path, id: str) -> None:
    made = perturbed(ALONE[id], tmp_path, shift=1, noise=None)
    before, after = load_material(ALONE[id]), load_material(made)
    assert before.rows.keys() == after.rows.keys()
    for look, rows in before.rows.items():
        for old, new in zip(rows, after.rows[look], strict=True):
            assert old.keys() == new.keys()
            changed = {key for key in old if old[key] != new[key]}
            assert all(isinstance(old[key], str | list | dict) for key in changed), "numbers are no names"
    days = {hit for hit in STAMP.findall(texts(made))}
    assert days.isdisjoint(STAMP.findall(texts(ALONE[id])))


@pytest.mark.parametrize("id", SOME)
def test_other_clients_are_added_and_all_that_was_there_stays(tmp_path: Path, id: str) -> None:
    made = perturbed(ALONE[id], tmp_path, shift=None, noise=1)
    assert check(made) == []
    before, after = load_material(ALONE[id]), load_material(made)
    for look, rows in before.rows.items():
        told = [row_text(row) for row in after.rows[look]]
        assert [each for each in told if each in set(map(row_text, rows))] == list(map(row_text, rows))
    assert set(before.log or ()) <= set(after.log or ())
    assert len(after.log or ()) >= len(before.log or ()) + 10
    pids = [row["pid"] for row in after.rows["sessions"]]
    assert len(pids) == len(set(pids))


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (perturbed(ALONE[SOME[0]], tmp_path / side, shift=3, noise=3) for side in "ab")
    assert (one / ROWS).read_bytes() == (other / ROWS).read_bytes()
    assert (one / LOG).read_bytes() == (other / LOG).read_bytes()
