"""Every recording, served by a clock that stands still and captured, is that recording again."""

from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opssquad.evals.capture import CaptureOrder, capture
from opssquad.evals.linting import lint
from opssquad.gate.own import Own
from opssquad.gate.redact import Redactor
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.recording import load
from opssquad.worlds.kube.serve import open_recording
from opssquad.worlds.kube.withhold import LAST_APPLIED
from tests.evals.between import RECORDINGS
from tests.tools.recorded import IDS

Json = dict[str, Any]
# Silent in media-0728: the pods of a node that does not answer, of which the recording has no logs either.
SILENT = {"media-0728": 6}
# Written by people, so no capture can have them; alerts come from an alert manager.
BY_PEOPLE = {"title", "questions", "alerts", "reported_at"}


async def captured(recording: Path, out: Path, since: timedelta | None = None) -> int:
    """Capture the served recording; the number of things that could not be read."""
    # At speed 0 the world's clock stands still: no controller acts, nothing gets older.
    async with open_recording(recording, speed=0.0) as served:
        cluster = await Cluster.connect(served.kubeconfig)
        try:
            namespace = next(recording.glob("logs/*")).name
            order = CaptureOrder(out, (namespace,), lambda now: now - since if since else None)
            return len((await capture(cluster, order, Redactor(b"k" * 32))).notes.missing)
        finally:
            await cluster.close()


def key(obj: Json) -> tuple[str, ...]:
    meta = obj["metadata"]
    return obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"]


def lasting(obj: Json) -> Json:
    """The object without what a capture leaves out on purpose: the copy of a Secret that kubectl applied."""
    obj = deepcopy(obj)
    if obj["kind"] == "Secret":
        del obj["metadata"]["annotations"][LAST_APPLIED]
    return obj


def in_order(objects: list[Json]) -> list[tuple[str, ...]]:
    """The objects in their order, of kinds whose order says nothing only the first. A server lists by name,
    recordings have events by time; a metrics server lists as it likes."""
    loose = ("Event", "PodMetrics", "NodeMetrics")
    return list(dict.fromkeys(key(obj)[:3] if obj["kind"] in loose else key(obj) for obj in objects))


def logs(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.log")}


@pytest.mark.parametrize("folder", [RECORDINGS / id for id in IDS], ids=lambda p: p.name)
async def test_a_recording_that_is_captured_is_that_recording(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / folder.name
    assert await captured(folder, out) == SILENT.get(folder.name, 0)
    before, after = load(folder), load(out)
    # As loaded: a null in a recording is a field that is absent, and a server sends none.
    assert {key(obj): obj for obj in after.objects} == {key(obj): lasting(obj) for obj in before.objects}
    assert in_order(after.objects) == in_order(before.objects)
    assert logs(out) == logs(folder)
    own, taken = before.incident.model_dump(), after.incident.model_dump()
    # The clock is that of the end of the capture, in whole seconds: later, though the server's stands still.
    assert timedelta(0) < taken.pop("clock") - own.pop("clock") < timedelta(seconds=30)
    assert {k: v for k, v in taken.items() if k not in BY_PEOPLE} == {
        k: v for k, v in own.items() if k not in BY_PEOPLE
    }
    assert not (out / "truth.yaml").exists()


async def test_a_capture_lints_as_without_verdict_and_as_a_case_with_one(tmp_path: Path) -> None:
    recording = RECORDINGS / "shop-0412"
    out = tmp_path / "shop-0412"
    await captured(recording, out)
    assert (lint(out, Own()).problems, lint(out, Own()).verdict) == ([], False)
    for name in ("truth.yaml", "world.yaml"):
        (out / name).write_bytes((recording / name).read_bytes())
    assert (lint(out, Own()).problems, lint(out, Own()).verdict) == ([], True)


async def test_since_bounds_the_logs_and_nothing_else(tmp_path: Path) -> None:
    recording, out = RECORDINGS / "shop-0412", tmp_path / "shop-0412"
    await captured(recording, out, timedelta(minutes=30))
    begin = "2026-04-12T10:11:00"
    whole, bounded = logs(recording), logs(out)
    assert bounded.keys() == whole.keys()
    for name, text in bounded.items():
        kept = [line for line in whole[name].splitlines(keepends=True) if line.decode() >= begin]
        assert text == b"".join(kept)
    assert sum(map(len, bounded.values())) < sum(map(len, whole.values()))
    assert len(load(out).objects) == len(load(recording).objects)
