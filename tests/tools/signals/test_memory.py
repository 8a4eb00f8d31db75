"""Out of memory at once or after long: a limit that is too low, and memory that piles up."""

from opssquad import Json
from tests.tools.signals.objects import ago, container, deployment, faults, pod, ranked, rolled_out, told


def killed(lived: float, restarts: int = 4, minutes: float = 1) -> Json:
    """A pod whose last instance was killed after so many minutes of life."""
    last = {
        "exitCode": 137,
        "reason": "OOMKilled",
        "startedAt": ago(lived + minutes),
        "finishedAt": ago(minutes),
    }
    state = {"running": {"startedAt": ago(minutes / 2)}}
    each = pod(containerStatuses=[container(False, restarts, state=state, lastState={"terminated": last})])
    each["spec"]["containers"][0]["resources"] = {"limits": {"memory": "512Mi"}}
    return each


def test_how_long_an_instance_lived_tells_a_leak_from_a_limit() -> None:
    assert told(killed(150))["container.oom_killed"].data["pace"] == "slow"
    assert told(killed(0.5))["container.oom_killed"].data["pace"] == "fast"
    assert told(killed(150, restarts=1))["container.oom_killed"].data["pace"] == ""


def test_a_new_version_that_fills_its_memory_in_hours_leaks() -> None:
    best = ranked(deployment(), killed(150), more=[rolled_out(deployment(), "image", minutes=700)])[0]
    assert (best.fault, str(best.component), best.options[0].action) == (
        "K06",
        "Deployment/n/web",
        "rollback",
    )
    assert "512Mi" in best.root_cause


def test_a_limit_that_was_lowered_is_no_leak_however_long_it_lasts() -> None:
    lowered = rolled_out(deployment(), "resources.limits.memory", minutes=700)
    assert faults(deployment(), killed(150), more=[lowered])[0] == "K05"


def test_a_process_that_is_killed_at_its_start_does_not_leak() -> None:
    found = faults(deployment(), killed(0.5), more=[rolled_out(deployment(), "image", minutes=700)])
    assert (found[0], "K06" in found) == ("K05", False)


def test_a_leak_of_days_ago_is_history() -> None:
    last = {"exitCode": 137, "reason": "OOMKilled", "startedAt": ago(5_000), "finishedAt": ago(4_000)}
    status = container(True, 3, state={"running": {"startedAt": ago(3_999)}}, lastState={"terminated": last})
    assert faults(deployment(1, 1), pod(ready=True, containerStatuses=[status])) == []
