"""The lint of recordings: the fourteen pass, and each kind of unfairness is found."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opssquad.worlds.kube.recording import check

RECORDINGS = Path(__file__).resolve().parents[4] / "evals" / "recordings"
Object = dict[str, Any]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of a recording that a test may spoil."""
    return shutil.copytree(RECORDINGS / "auth-0308", tmp_path / "auth-0308")


def change(folder: Path, kind: str, name: str, edit: Callable[[Object], None]) -> None:
    """Edits the one object of this kind whose name begins so."""
    file = folder / "cluster" / "objects.jsonl.gz"
    objects = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    edit(next(o for o in objects if o["kind"] == kind and o["metadata"]["name"].startswith(name)))
    file.write_bytes(gzip.compress("\n".join(json.dumps(o) for o in objects).encode()))


def test_a_renamed_folder_is_found(copy: Path) -> None:
    moved = copy.rename(copy.with_name("other"))
    assert check(moved) == ["incident.yaml: id is not the folder's name"]


def test_a_title_that_names_the_answer_is_found(copy: Path) -> None:
    file = copy / "incident.yaml"
    file.write_text(file.read_text().replace("Users cannot log in", "Chaos test, users cannot log in"))
    [problem] = check(copy)
    assert "a word of the label 'Chaos'" in problem


def test_evidence_that_does_not_stand_there_is_found(copy: Path) -> None:
    file = copy / "truth.yaml"
    file.write_text(file.read_text().replace("connection timeout after 5000ms", "connection lost"))
    [problem] = check(copy)
    assert problem.endswith("does not hold 'ERROR Database connection lost'")


def test_a_time_after_the_clock_is_found(copy: Path) -> None:
    def later(pod: Object) -> None:
        pod["metadata"]["annotations"] = {"checked": "2026-03-08T14:37:01Z"}

    change(copy, "Pod", "token-service", later)
    [problem] = check(copy)
    assert problem.endswith("2026-03-08T14:37:01Z is after the clock")


def test_an_unhealthy_object_that_nothing_explains_is_found(copy: Path) -> None:
    def cordon(node: Object) -> None:
        node["spec"]["unschedulable"] = True

    change(copy, "Node", "prod-worker-2", cordon)
    assert check(copy) == ["unexplained: Node/prod-worker-2 cordoned"]


def test_a_log_that_is_missing_and_one_that_nothing_wrote_are_found(copy: Path) -> None:
    folder = copy / "logs" / "authentication" / "session-store-0"
    (folder / "session-store.log").rename(folder / "other.log")
    assert sorted(check(copy)) == [
        "logs/authentication/session-store-0/other.log: nothing ran that could have written it",
        "no logs/authentication/session-store-0/session-store.log",
    ]


def test_a_secret_that_was_not_redacted_is_found(copy: Path) -> None:
    def leak(secret: Object) -> None:
        secret["data"]["password"] = "aHVudGVyMg=="

    change(copy, "Secret", "auth-db", leak)
    assert check(copy) == ["Secret/auth-db is not redacted"]


def test_an_object_whose_owner_is_missing_is_found(copy: Path) -> None:
    def orphan(pod: Object) -> None:
        pod["metadata"]["ownerReferences"][0]["name"] = "nobody"

    change(copy, "Pod", "token-service", orphan)
    assert any("owner ReplicaSet/nobody was not recorded" in problem for problem in check(copy))


def test_a_recording_that_does_not_load_says_so_in_one_sentence(copy: Path) -> None:
    (copy / "world.yaml").write_text("outcomes: []\n")
    [problem] = check(copy)
    assert problem.endswith("default: is missing")
