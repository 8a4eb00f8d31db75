"""Signals on the objects of a real control plane: a crash loop, a pull, an OOM, a pod too big."""

from tools.signals._scene import Scene
from tools.signals.reading import read_signals

from opssquad import parse_time
from tests.tools.recorded import ROOT, conformance

NOW = parse_time("2026-11-23T10:07:14Z")


def found() -> dict[str, set[str]]:
    assert ROOT.is_dir()
    by_id: dict[str, set[str]] = {}
    for each in read_signals(Scene(NOW, conformance())):
        by_id.setdefault(each.id, set()).add(each.owner.name)
    return by_id


def test_each_broken_workload_is_told_for_what_it_has() -> None:
    told = found()
    assert "payments" in told["container.crash_loop"]
    assert told["container.image_pull"] == {"recommender"}
    assert "search" in told["container.oom_killed"]
    assert told["pod.unschedulable"] == {"reports"}
    assert "recommender" in told["rollout.stuck"]
    assert told["job.failed"]


def test_workloads_that_are_well_are_told_so() -> None:
    told = found()
    assert "web" in told["workload.healthy"] | told.get("workload.recovered", set())
    assert "web" not in told["workload.unavailable"]
