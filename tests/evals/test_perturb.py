"""Perturbed recordings are sound recordings: no old name is left, intervals stay, what is added is well."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from opssquad import content
from opssquad.documents import BadFile
from opssquad.evals.perturb import perturbed
from opssquad.worlds.kube.recording import check, load
from tests.evals.made import RECORDINGS, Json, document, logs, made, names, objects, standing

IDS = sorted(RECORDINGS)
ISO = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
EPOCH = re.compile(r'"(?:ts|time)": (\d{13}|\d{10}\.\d+)')
SEEDS = [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("id", IDS)
def test_a_shifted_recording_is_sound_and_holds_no_name_of_old(id: str, seed: int) -> None:
    folder = made(id, seed, None)
    assert check(folder) == []
    assert standing(folder, names(RECORDINGS[id])) == []
    assert id not in folder.name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("id", IDS)
def test_a_noised_recording_and_one_of_both_kinds_are_sound(id: str, seed: int) -> None:
    assert check(made(id, None, seed)) == []
    both = made(id, seed, seed)
    assert check(both) == []
    assert standing(both, names(RECORDINGS[id])) == []


@pytest.mark.parametrize("id", IDS)
def test_every_time_in_a_shifted_recording_moved_by_the_same_whole_weeks(id: str) -> None:
    old, new = RECORDINGS[id], made(id, 1, None)
    span = _clock(new) - _clock(old)
    assert span.days % 7 == 0
    assert span.total_seconds() == span.days * 86400 != 0
    pairs = list(zip(objects(old), objects(new), strict=True))
    for before, after in pairs:
        assert _moves(json.dumps(before), json.dumps(after)) <= {span.total_seconds()}
    for before, after in pairs:
        if before["kind"] == "Pod":
            ours, theirs = _logs_of(old, before), _logs_of(new, after)
            assert len(ours) == len(theirs)
            for mine, other in zip(ours, theirs, strict=True):
                assert _moves(mine, other) <= {span.total_seconds()}


@pytest.mark.parametrize("id", IDS)
def test_the_run_of_a_cron_job_carries_the_minute_that_it_was_due(id: str) -> None:
    runs = [o for o in objects(made(id, 1, None)) if o["kind"] == "Job"]
    assert runs
    for run in runs:
        due = run["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
        minute = int(run["metadata"]["name"].rpartition("-")[2])
        assert minute * 60 == datetime.fromisoformat(due).timestamp()


@pytest.mark.parametrize("id", IDS)
def test_generated_names_hang_together_as_kubernetes_makes_them(id: str) -> None:
    found = objects(made(id, 1, None))
    sets = {o["metadata"]["uid"]: o for o in found if o["kind"] == "ReplicaSet"}
    for replicaset in sets.values():
        owner, mark = replicaset["metadata"]["name"].rsplit("-", 1)
        assert replicaset["metadata"]["labels"]["pod-template-hash"] == mark
        assert replicaset["metadata"]["ownerReferences"][0]["name"] == owner
    for pod in (o for o in found if o["kind"] == "Pod"):
        owner = pod["metadata"]["ownerReferences"][0]
        assert pod["metadata"]["name"].startswith(f"{owner['name']}-")
        assert len(pod["metadata"]["name"]) <= 63
        if owner["uid"] in sets:
            assert owner["name"] == sets[owner["uid"]]["metadata"]["name"]


def test_what_a_capture_noted_of_itself_is_shifted_with_it(tmp_path: Path) -> None:
    old = tmp_path / "shop-0412"
    shutil.copytree(RECORDINGS["shop-0412"], old)
    gap = {"kind": "log", "where": "logs/shop/cart-5bf66dfc5f-24q4k/cart.log", "reason": "cart timed out"}
    notes = {"captured_at": "2026-04-12T10:41:00Z", "namespaces": ["shop"], "missing": [gap]}
    (old / "missing.yaml").write_text(json.dumps(notes), encoding="utf-8")
    new = perturbed(old, tmp_path / "out", shift=1, noise=1)
    said = document(new, "missing")
    assert said["captured_at"] == document(new, "incident")["clock"]
    assert said["namespaces"] == [document(new, "truth")["component"]["namespace"]]
    assert said["missing"][0]["where"] in logs(new)
    assert standing(new, {"cart", "shop"}) == []


def test_the_same_seeds_give_the_same_bytes_and_others_others(tmp_path: Path) -> None:
    folder = RECORDINGS["shop-0412"]
    first = perturbed(folder, tmp_path / "a", shift=5, noise=5)
    again = perturbed(folder, tmp_path / "b", shift=5, noise=5)
    assert first.name == again.name
    assert _bytes(first) == _bytes(again)
    other = perturbed(folder, tmp_path / "a", shift=6, noise=5)
    further = perturbed(folder, tmp_path / "a", shift=5, noise=6)
    assert len({json.dumps(objects(each)) for each in (first, other, further)}) == 3
    assert _deployments(first).isdisjoint(_deployments(other))
    assert _bytes(first)["incident.yaml"] != _bytes(other)["incident.yaml"]


def test_the_bytes_hang_on_no_hash_of_the_process(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from opssquad.evals.perturb import perturbed as p; "
    code += "print(p(Path(sys.argv[1]), Path(sys.argv[2]), shift=5, noise=5))"
    made = []
    for seed in ("1", "2"):
        place = tmp_path / seed
        command = [sys.executable, "-c", code, str(RECORDINGS["shop-0412"]), str(place)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        made.append(_bytes(Path(done.stdout.strip())))
    assert made[0] == made[1]


@pytest.mark.parametrize("id", IDS)
def test_names_and_labels_are_such_as_kubernetes_takes(id: str) -> None:
    found = objects(made(id, 1, 1))
    kinds = (
        "Deployment",
        "StatefulSet",
        "Service",
        "Namespace",
        "Node",
        "Pod",
        "ReplicaSet",
        "CronJob",
        "Job",
    )
    plain = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
    for obj in (o for o in found if o["kind"] in kinds):
        meta = obj["metadata"]
        assert plain.fullmatch(meta["name"])
        assert all(len(value) <= 63 for value in (meta.get("labels") or {}).values())
    named = [
        (o["apiVersion"], o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in found
    ]
    assert len(set(named)) == len(named)


def test_what_stood_at_its_place_before_is_gone(tmp_path: Path) -> None:
    folder = perturbed(RECORDINGS["shop-0412"], tmp_path, shift=None, noise=3)
    (folder / "logs" / "left.log").write_text("", encoding="utf-8")
    assert perturbed(RECORDINGS["shop-0412"], tmp_path, shift=None, noise=3) == folder
    assert not (folder / "logs" / "left.log").exists()


def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"incident\.yaml: this file is missing"):
        perturbed(tmp_path, tmp_path / "out", shift=1, noise=None)


@pytest.mark.parametrize("id", IDS)
def test_noise_leaves_what_was_there_and_adds_workloads_that_are_well(id: str) -> None:
    old, new = objects(RECORDINGS[id]), objects(made(id, None, 1))
    assert new[: len(old)] == old
    added = new[len(old) :]
    rolled = [o for o in added if o["kind"] == "Deployment"]
    assert 2 <= len(rolled) <= 4
    for deployment in rolled:
        status, want = deployment["status"], deployment["spec"]["replicas"]
        assert status["readyReplicas"] == status["updatedReplicas"] == want
    seen = [o["metadata"]["uid"] for o in new if o["kind"] != "Event" and "uid" in o["metadata"]]
    assert len(set(seen)) == len(seen)
    addresses = [o["status"]["podIP"] for o in new if o["kind"] == "Pod" and o["status"].get("podIP")]
    assert len(set(addresses)) == len(addresses)
    warned = [o for o in added if o["kind"] == "Event" and o["type"] == "Warning" and o["apiVersion"] == "v1"]
    assert 6 <= len(warned) <= 10


@pytest.mark.parametrize("id", IDS)
def test_a_copied_workload_points_at_no_other_service(id: str) -> None:
    new = objects(made(id, None, 1))
    services = {o["metadata"]["name"] for o in objects(RECORDINGS[id]) if o["kind"] == "Service"}
    known = {o["metadata"]["uid"] for o in objects(RECORDINGS[id]) if "uid" in o["metadata"]}
    copies = [o for o in new if o["kind"] == "Deployment" and o["metadata"]["uid"] not in known]
    for copy in copies:
        env = copy["spec"]["template"]["spec"]["containers"][0].get("env") or []
        said = " ".join(str(variable.get("value")) for variable in env)
        assert services.isdisjoint(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", said))


@pytest.mark.parametrize("id", IDS)
def test_noise_writes_into_logs_of_workloads_that_are_well_and_takes_no_line_away(id: str) -> None:
    old, new = logs(RECORDINGS[id]), logs(made(id, None, 1))
    truth = document(RECORDINGS[id], "truth")
    proofs = {proof["where"] for proof in truth["evidence"] if proof["kind"] == "log"}
    added = 0
    for path, text in old.items():
        before, after = text.split("\n"), new[path].split("\n")
        assert sorted(before) == sorted(_less(after, before))
        added += len(after) - len(before)
        if path in proofs and f"/{truth['component']['name']}-" in path:
            assert text == new[path]
    assert 0 < added <= 60


def test_the_truth_names_what_was_added_as_distractors() -> None:
    old, new = document(RECORDINGS["shop-0412"], "truth"), document(made("shop-0412", None, 1), "truth")
    assert {key: new[key] for key in new if key != "distractors"} == {
        key: old[key] for key in old if key != "distractors"
    }
    assert len(new["distractors"]) > len(old["distractors"])


def _less(lines: Sequence[str], kept: Sequence[str]) -> list[str]:
    """The lines that are among those kept."""
    known = set(kept)
    return [line for line in lines if line in known]


def _clock(folder: Path) -> datetime:
    return datetime.fromisoformat(document(folder, "incident")["clock"])


def _moves(before: str, after: str) -> set[float]:
    """By how many seconds the times of one text differ from those of the other."""
    old, new = ISO.findall(before), ISO.findall(after)
    assert len(old) == len(new)
    moved = {
        (datetime.fromisoformat(b) - datetime.fromisoformat(a)).total_seconds()
        for a, b in zip(old, new, strict=True)
        if a[:4] > "2000"
    }
    for first, second in zip(EPOCH.findall(before), EPOCH.findall(after), strict=True):
        moved.add(round((float(second) - float(first)) / (1000 if "." not in first else 1), 3))
    return moved


def _logs_of(folder: Path, pod: Json) -> list[str]:
    meta = pod["metadata"]
    files = (folder / "logs" / meta["namespace"] / meta["name"]).glob("*.log")
    # By length of the name: the current log's before the previous one's.
    return [file.read_text(encoding="utf-8") for file in sorted(files, key=lambda file: len(file.name))]


def _deployments(folder: Path) -> set[tuple[str, ...]]:
    """Names of Deployments, in the order in which the recording has them."""
    return {tuple(o["metadata"]["name"] for o in objects(folder) if o["kind"] == "Deployment")}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_kind_keeps_its_name_whatever_a_container_is_called(tmp_path: Path) -> None:
    source = content.recordings()["ward-0112"]
    old, new = load(source), load(perturbed(source, tmp_path, shift=1, noise=None))
    named = {c["name"] for o in old.objects if o["kind"] == "Pod" for c in o["spec"]["containers"]}
    assert "controller" in named, "as in ControllerRevision"
    assert {o["kind"] for o in new.objects} == {o["kind"] for o in old.objects}
    now = {c["name"] for o in new.objects if o["kind"] == "Pod" for c in o["spec"]["containers"]}
    assert "controller" not in now
