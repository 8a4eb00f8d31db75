"""Pods in words: the STATUS column must be kubectl's, restarts must not claim a window the API lacks."""

import gzip
import json
from datetime import timedelta
from pathlib import Path

import pytest
from tools._pods import containers, is_finished, overdue, ready_count, restarts, state

from opssquad import Json, parse_time
from tests.tools.recorded import ROOT, conformance, one

TRANSCRIPT = ROOT / "tests/conformance/data/transcripts"


def _rows(path: Path) -> dict[str, tuple[str, str, str]]:
    """Name to READY, STATUS, RESTARTS of a `kubectl get pods` transcript."""
    printed = json.loads(gzip.decompress(path.read_bytes()))["steps"][0]["stdout"].splitlines()[1:]
    return {line.split()[0]: (line.split()[1], line.split()[2], line.split()[3]) for line in printed}


def test_status_ready_and_restarts_are_what_kubectl_prints() -> None:
    pods = {each["metadata"]["name"]: each for each in conformance() if each["kind"] == "Pod"}
    rows = _rows(TRANSCRIPT / "kubectl-1.36" / "get-pods.json.gz")
    assert len(rows) > 10
    for name, row in rows.items():
        pod = pods[name]
        assert (ready_count(pod), state(pod), str(restarts(pod))) == row, name


def test_a_container_keeps_its_state_and_its_end_before() -> None:
    (container,) = containers(one("media-0519", "Pod", "recommender-5f89fddcb4-b6zdv"))
    assert container.final is not None
    assert (container.final.reason, container.final.exit_code) == ("OOMKilled", 137)


def _pod(**status: Json | str | list[Json]) -> Json:
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": {}, "status": status}


@pytest.mark.parametrize(
    ("pod", "words"),
    [
        (_pod(phase="Failed", reason="Evicted"), "Evicted"),
        (_pod(phase="Pending", conditions=[{"type": "PodScheduled", "reason": "SchedulingGated"}]),
         "SchedulingGated"),
        (_pod(phase="Running", containerStatuses=[
            {"name": "a", "state": {"terminated": {"exitCode": 3}}}]), "ExitCode:3"),
        (_pod(phase="Pending", initContainerStatuses=[
            {"name": "i", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]), "Init:Error"),
        (_pod(phase="Pending", initContainerStatuses=[{"name": "i", "state": {"running": {}}}]), "Init:0/0"),
    ],
)  # fmt: skip
def test_rarer_states_read_as_kubectl_prints_them(pod: Json, words: str) -> None:
    assert state(pod) == words


def test_a_pod_is_overdue_only_after_its_grace_period() -> None:
    pod = _pod(phase="Running")
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T10:00:00Z"
    deadline = parse_time("2026-01-01T10:00:00Z")
    assert state(pod) == "Terminating"
    assert overdue(pod, deadline - timedelta(seconds=1)) is None
    assert overdue(pod, deadline + timedelta(minutes=5)) == timedelta(minutes=5)
    assert not is_finished(pod)
