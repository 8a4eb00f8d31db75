"""A scenario with a database: what was captured of a real server, at its clock and from its pods."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from opssquad import content
from opssquad.documents import BadFile
from opssquad.evals.linting import lint
from opssquad.evals.oracle import Kin
from opssquad.evals.scenarios import make
from opssquad.evals.scenarios.spec import Captured, read_scenario
from opssquad.gate.own import Own
from opssquad.times import parse_time
from opssquad.worlds.kube.recording import load, load_truth
from opssquad.worlds.kube.recording.refs import reference
from opssquad.worlds.sql.material import Material, load_material

FOLDER = Path(__file__).resolve().parents[2] / "evals" / "scenarios"
FILES = sorted(folder.parent.with_suffix(".yaml") for folder in FOLDER.glob("*/*/database"))
LOCKS = FOLDER / "bieb" / "bieb-0128.yaml"
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+(?:\+00:00)?")


def told(file: Path) -> Captured:
    found = read_scenario(file)[0].database
    assert found
    return found


def times(material: Material) -> Iterator[str]:
    for rows in material.rows.values():
        yield from (
            value
            for row in rows
            for name, value in row.items()
            if isinstance(value, str) and TIME.fullmatch(value) and name != "query"
        )
    yield from (line[:23].replace(" ", "T") for line in material.log or () if TIME.match(line))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_a_fair_case(file: Path) -> None:
    assert lint(content.recordings()[file.stem], Own()).problems == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_session_comes_from_a_pod_of_its_workload_or_from_outside(file: Path) -> None:
    folder, clients = content.recordings()[file.stem], told(file).clients
    recording = load(folder)
    kin = Kin(recording.objects)
    pods = [obj for obj in recording.objects if obj["kind"] == "Pod"]
    of = {pod["status"].get("podIP"): "/".join(kin.top(reference(pod))) for pod in pods}
    sessions = [row for row in load_material(folder).rows["sessions"] if row["client"]]
    assert len(sessions) > 10
    for row in sessions:
        assert of.get(row["client"], row["client"]) == clients[row["application"]]
    assert not [line for line in load_material(folder).log or () if "127.0.0.1" in line]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_all_of_it_was_before_the_clock_and_no_session_is_older_than_its_pod(file: Path) -> None:
    recording, material = (
        load(content.recordings()[file.stem]),
        load_material(content.recordings()[file.stem]),
    )
    seen = list(map(parse_time, times(material)))
    assert max(seen) <= recording.clock
    born = {
        pod["status"]["podIP"]: parse_time(pod["status"]["startTime"])
        for pod in recording.objects
        if pod["kind"] == "Pod" and pod["status"].get("podIP")
    }
    placed = [row for row in material.rows["sessions"] if row["client"] in born]
    assert placed
    for row in placed:
        assert parse_time(row["backend_start"]) >= born[row["client"]]
    assert parse_time(material.server["started"]) == recording.clock + told(file).started


def test_the_truth_names_what_only_the_capture_knows() -> None:
    folder = content.recordings()[LOCKS.stem]
    pids = {str(row["pid"]) for row in load_material(folder).rows["sessions"]}
    assert load_truth(folder).component.name in pids


def copied(to: Path, old: str, new: str) -> Path:
    """The scenario with its application and its capture, one thing in it changed."""
    folder = to / "scenarios"
    shutil.copytree(LOCKS.parent, folder)
    file = folder / LOCKS.name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    Tableau: 10.61.20.14\n", "", "it is not told from where 'Tableau' comes"),
        ("uitleen: Deployment/bieb/uitleen", "uitleen: Job/bieb/weg", "no pod of Job/bieb/weg runs"),
        ("look: sessions, where: {application", "look: seats, where: {application", "nothing called 'seats'"),
        ("state: idle in transaction}", "state: gone}", "no row of sessions has it"),
        ("role=schemabeheer application", "role=nobody application", "no rows sessions holds"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_its_database_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = copied(tmp_path, old, new)
    with pytest.raises(BadFile, match=re.escape(said)):
        make(file, tmp_path / "made")


def test_a_capture_that_is_not_there_is_said(tmp_path: Path) -> None:
    file = copied(tmp_path, "id: bieb", "id: bieb")
    shutil.rmtree(file.with_suffix(""))
    with pytest.raises(BadFile, match="this file is missing"):
        make(file, tmp_path / "made")
