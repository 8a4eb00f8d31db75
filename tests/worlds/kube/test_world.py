"""A recorded world: its clock, its journal, who may come in, and the kubeconfig of a served one."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from opssquad.documents import BadFile
from opssquad.errors import UsageError
from opssquad.times import parse_time
from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply
from opssquad.worlds.kube.apiserver.resources import ResourceKey
from opssquad.worlds.kube.clock import WorldClock
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.serve import open_recording
from opssquad.worlds.kube.standard import missing_roles
from opssquad.worlds.kube.world import ONCALL, RecordedWorld

RECORDINGS = Path(__file__).resolve().parents[3] / "evals" / "recordings"
AUTH = RECORDINGS / "auth-0308"
DEPLOYMENT = "/apis/apps/v1/namespaces/authentication/deployments/auth-service"
START = datetime(2027, 1, 1, tzinfo=UTC)
Json = dict[str, Any]


class Wall:
    """A real-time clock that a test moves."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def pass_(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def patch(target: str, body: Json) -> Call:
    headers = {"content-type": "application/merge-patch+json", "user-agent": "tests"}
    return Call("PATCH", target, ONCALL, headers, json.dumps(body).encode())


def label(world: RecordedWorld, value: str) -> Reply:
    """One small change through the API."""
    world.advance()
    reply = answer(world, patch(DEPLOYMENT, {"metadata": {"labels": {"seen": value}}}))
    assert isinstance(reply, Reply)
    return reply


def everything(world: RecordedWorld) -> dict[ResourceKey, list[Json]]:
    return {key: world.store.list(key) for key in world.store.resources()}


def test_the_clock_starts_at_the_recordings_moment_and_runs_on() -> None:
    wall = Wall()
    clock = WorldClock(parse_time("2026-03-08T14:37:00Z"), speed=20, real=wall)
    assert clock() == parse_time("2026-03-08T14:37:00Z")
    wall.pass_(3)
    assert clock() == parse_time("2026-03-08T14:38:00Z")


def test_the_clock_never_runs_backwards() -> None:
    wall = Wall()
    clock = WorldClock(START, real=wall)
    clock.pin(START + timedelta(seconds=10))
    clock.release()
    wall.pass_(-60)
    assert clock() == START + timedelta(seconds=10)


async def test_a_served_recording_answers_at_its_own_time() -> None:
    async with open_recording(AUTH) as served, aiohttp.ClientSession() as client:
        async with client.get(f"{served.url}{DEPLOYMENT}") as response:
            body = await response.json()
            date = datetime.strptime(response.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT").replace(
                tzinfo=UTC
            )
        assert body["metadata"]["generation"] == 3
        assert timedelta(0) <= date - parse_time("2026-03-08T14:37:00Z") < timedelta(seconds=30)


async def test_the_kubeconfig_names_the_cluster_and_is_private_and_goes_away() -> None:
    async with open_recording(AUTH) as served:
        config = yaml.safe_load(served.kubeconfig.read_text())
        assert served.kubeconfig.name == "kubeconfig"
        assert stat.S_IMODE(served.kubeconfig.stat().st_mode) == 0o600
        assert config["current-context"] == config["clusters"][0]["name"] == "production"
        assert config["clusters"][0]["cluster"]["server"] == served.url
    assert not served.kubeconfig.exists()


async def test_a_wrong_token_is_refused() -> None:
    async with open_recording(AUTH) as served, aiohttp.ClientSession() as client:
        for token, status in (("wrong", 401), (served.world.token, 200)):
            headers = {"Authorization": f"Bearer {token}"}
            async with client.get(f"{served.url}{DEPLOYMENT}", headers=headers) as response:
                assert response.status == status


async def test_a_folder_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"incident\.yaml: this file is missing"):
        async with open_recording(tmp_path):
            pass


def test_a_kind_that_no_resource_has_is_refused_with_its_line() -> None:
    recording = load(AUTH)
    recording.objects.insert(4, {"apiVersion": "x.example/v1", "kind": "Gizmo", "metadata": {"name": "a"}})
    with pytest.raises(BadFile, match=r"objects\.jsonl\.gz, line 5: no resource has kind Gizmo"):
        RecordedWorld(recording)


@pytest.mark.parametrize("folder", sorted(RECORDINGS.iterdir()), ids=lambda p: p.name)
def test_every_recording_becomes_a_world_with_all_its_objects(folder: Path) -> None:
    recording = load(folder)
    world = RecordedWorld(recording)
    stored = sum(len(objects) for objects in everything(world).values())
    added = len(list(missing_roles(recording.objects, recording.incident.id)))
    assert stored == added + sum(obj["apiVersion"] != "events.k8s.io/v1" for obj in recording.objects)


def test_a_journal_brings_the_same_world_back_in_another_process(tmp_path: Path) -> None:
    file, wall = tmp_path / "state" / "journal.jsonl", Wall()
    first = RecordedWorld(load(AUTH), journal=file, real=wall)
    for value in ("a", "b", "c"):
        wall.pass_(2.5)
        assert label(first, value).status == 200
    assert file.stat().st_mode & 0o077 == 0
    second = RecordedWorld(load(AUTH), journal=file, real=wall)
    assert everything(second) == everything(first)
    assert second.clock() == first.clock() == parse_time("2026-03-08T14:37:07.5Z")


def test_a_change_that_cannot_be_noted_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    world = RecordedWorld(load(AUTH), journal=file)
    before = everything(world)
    file.unlink()
    file.mkdir()
    with pytest.raises(IsADirectoryError):
        label(world, "a")
    assert everything(world) == before


def test_reads_and_reviews_leave_no_trace_in_the_journal(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    world = RecordedWorld(load(AUTH), journal=file)
    answer(world, Call("GET", DEPLOYMENT, ONCALL))
    review = json.dumps(
        {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {}}
    )
    target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer(world, Call("POST", target, ONCALL, {"content-type": "application/json"}, review.encode()))
    assert len(file.read_text().splitlines()) == 1


def test_the_journal_holds_no_credential(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    world = RecordedWorld(load(AUTH), journal=file)
    call = patch(DEPLOYMENT, {"metadata": {"labels": {"seen": "x"}}})
    headers = {**call.headers, "authorization": "Bearer s3cret"}
    answer(world, Call(call.method, call.target, call.user, headers, call.body))
    assert "s3cret" not in file.read_text()


def test_a_line_that_a_crash_cut_short_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    label(RecordedWorld(load(AUTH), journal=file), "a")
    whole = file.read_text()
    file.write_text(whole + '{"at": "2026-03-08T14:37')
    label(RecordedWorld(load(AUTH), journal=file), "b")
    lines = file.read_text().splitlines()
    assert len(lines) == 3
    assert whole.splitlines() == lines[:2]


def test_the_journal_of_another_recording_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    RecordedWorld(load(AUTH), journal=file)
    with pytest.raises(UsageError, match="is the journal of recording 'auth-0308', not of 'shop-0412'"):
        RecordedWorld(load(RECORDINGS / "shop-0412"), journal=file)


def test_a_file_that_is_no_journal_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text("hello\n")
    with pytest.raises(UsageError, match=r"journal\.jsonl, line 1: not the journal"):
        RecordedWorld(load(AUTH), journal=file)


@pytest.mark.parametrize("number", [1, 2])
def test_a_journal_that_holds_anything_else_is_told_with_its_line(tmp_path: Path, number: int) -> None:
    file = tmp_path / "journal.jsonl"
    RecordedWorld(load(AUTH), journal=file, real=Wall())
    lines = file.read_bytes().splitlines()[: number - 1]
    file.write_bytes(b"\n".join([*lines, b"\xff\xfe\x00", b""]))
    with pytest.raises(UsageError, match=f"line {number}: not "):
        RecordedWorld(load(AUTH), journal=file, real=Wall())
