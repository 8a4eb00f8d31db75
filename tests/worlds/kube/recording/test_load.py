"""Loading a recording: the fourteen load, and a bad one is refused with file, line and reason."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from opssquad.documents import BadFile
from opssquad.worlds.kube.recording import load, load_truth
from opssquad.worlds.net.material import load_material as load_network
from opssquad.worlds.sql.material import load_material

RECORDINGS = Path(__file__).resolve().parents[4] / "evals" / "recordings"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of a recording that a test may spoil."""
    return shutil.copytree(RECORDINGS / "auth-0308", tmp_path / "auth-0308")


def replaced(file: Path, old: str, new: str) -> int:
    """Replaces the first occurrence of a text and returns its line."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def refused(folder: Path) -> BadFile:
    with pytest.raises(BadFile) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("folder", sorted(RECORDINGS.iterdir()), ids=lambda p: p.name)
def test_every_recording_loads_with_its_truth(folder: Path) -> None:
    recording = load(folder)
    assert recording.incident.id == folder.name
    assert load_truth(folder).since < recording.clock
    if recording.incident.cluster:
        assert recording.cluster.kubernetes == "v1.36.2"
        assert recording.revision > 1_000_000
    elif recording.incident.database:
        assert load_material(folder).server["version_num"] >= 130000
    else:
        assert load_network(folder).told.origins


def test_a_log_is_read_by_pod_and_container() -> None:
    recording = load(RECORDINGS / "auth-0308")
    lines = recording.log("authentication", "auth-service-cff498559-df7fg", "auth-service", previous=True)
    assert lines is not None
    assert lines[-1].endswith("FATAL Unable to initialize service, exiting")
    assert recording.log("authentication", "auth-service-cff498559-df7fg", "sidecar") is None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "no such folder" in str(refused(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["incident.yaml", "world.yaml", "cluster/objects.jsonl.gz"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    error = refused(copy)
    assert error.file == copy / name
    assert error.reason == "this file is missing"


def test_a_recording_is_served_without_its_truth(copy: Path) -> None:
    (copy / "truth.yaml").unlink()
    assert load(copy).incident.id == "auth-0308"


def test_an_unknown_key_is_refused_with_the_nearest_one_and_its_line(copy: Path) -> None:
    line = replaced(copy / "world.yaml", "template:", "templates:")
    error = refused(copy)
    assert error.line == line
    assert "outcomes.0.when.templates: unknown key; did you mean 'template'?" in str(error)


def test_an_outcome_that_does_not_exist_is_refused_at_its_line(copy: Path) -> None:
    line = replaced(copy / "world.yaml", "pods: ready", "pods: healthy")
    error = refused(copy)
    assert error.line == line
    assert "not 'healthy'" in error.reason


def test_a_rule_that_names_a_log_which_is_not_there_is_refused(copy: Path) -> None:
    line = replaced(copy / "world.yaml", "auth-service.previous.log", "gone.log")
    error = refused(copy)
    assert (error.file.name, error.line) == ("world.yaml", line)
    assert "gone.log" in error.reason


def test_a_missing_key_is_named(copy: Path) -> None:
    file = copy / "incident.yaml"
    file.write_text("".join(line for line in file.read_text().splitlines(True) if "title:" not in line))
    assert refused(copy).reason == "title: is missing"


def test_broken_yaml_is_refused_with_the_line(copy: Path) -> None:
    line = replaced(copy / "incident.yaml", "squad: k8s", "squad: [k8s")
    error = refused(copy)
    assert error.reason.startswith("not YAML")
    assert error.line is not None
    assert line <= error.line <= line + 2


def test_a_key_that_stands_twice_is_refused(copy: Path) -> None:
    line = replaced(copy / "incident.yaml", "squad: k8s", "squad: k8s\nsquad: database")
    error = refused(copy)
    assert error.line == line + 1
    assert "'squad' stands twice" in error.reason


def test_a_report_after_the_clock_is_refused(copy: Path) -> None:
    replaced(copy / "incident.yaml", "clock: '2026-03-08T14:37:00Z'", "clock: '2026-03-08T14:31:00Z'")
    assert "after the clock" in refused(copy).reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json", "not JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"kind": "Pod", "metadata": {"name": "a"}}', "an object without apiVersion"),
        ('{"apiVersion": "v1", "kind": "Pod", "metadata": {}}', "Pod without metadata.name"),
    ],
)
def test_a_line_that_is_no_object_is_refused_with_its_number(copy: Path, line: str, reason: str) -> None:
    file = copy / "cluster" / "objects.jsonl.gz"
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    file.write_bytes(gzip.compress("\n".join([*lines[:7], line, *lines[7:]]).encode()))
    error = refused(copy)
    assert error.line == 8
    assert reason in error.reason


def test_an_object_that_stands_twice_is_refused(copy: Path) -> None:
    file = copy / "cluster" / "objects.jsonl.gz"
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    file.write_bytes(gzip.compress("\n".join([*lines, lines[2]]).encode()))
    error = refused(copy)
    assert error.line == len(lines) + 1
    assert "stands in line 3 already" in error.reason
    assert json.loads(lines[2])["metadata"]["name"] in error.reason


def test_a_truncated_archive_is_refused(copy: Path) -> None:
    file = copy / "cluster" / "objects.jsonl.gz"
    file.write_bytes(file.read_bytes()[:500])
    assert "not a gzip file" in refused(copy).reason


def test_a_log_line_without_a_stamp_is_refused(copy: Path) -> None:
    file = next((copy / "logs").rglob("api-gateway.log"))
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:4], "panic: no stamp", *lines[4:]]))
    error = refused(copy)
    assert (error.file, error.line) == (file, 5)


def test_a_log_that_runs_backwards_is_refused(copy: Path) -> None:
    file = next((copy / "logs").rglob("api-gateway.log"))
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[1], lines[0], *lines[2:]]))
    assert refused(copy).line == 2
