"""Why a container never starts, and the wrong command among the faults."""

import pytest

from tests.tools.signals.objects import (
    ago,
    container,
    deployment,
    event,
    faults,
    logged,
    pod,
    ranked,
    rolled_out,
    told,
)

RUNC = "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
NO_FILE = (
    f'{RUNC}unable to start container process: exec: "servr": executable file not found in $PATH: unknown'
)


def waiting(reason: str, message: str = "", **more: object) -> dict[str, object]:
    return container(state={"waiting": {"reason": reason, "message": message}}, **more)


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, object]:
    times = {"startedAt": ago(2), "finishedAt": ago(1.9)}
    return {"terminated": {"exitCode": code, "reason": reason, "message": message, **times}}


@pytest.mark.parametrize(
    ("reason", "message", "why"),
    [
        (
            "InvalidImageName",
            'couldn\'t parse image name "Web:1": repository name must be lowercase',
            "invalid_name",
        ),
        (
            "ErrImageNeverPull",
            'Container image "web:1" is not present with pull policy of Never',
            "never_pulled",
        ),
        ("ImageInspectError", "Failed to inspect image", "inspect"),
        ("ErrImagePull", "no match for platform in manifest: not found", "platform"),
        ("ErrImagePull", "no matching manifest for linux/arm64/v8 in the manifest list entries", "platform"),
    ],
)
def test_an_image_that_cannot_be_had_says_why(reason: str, message: str, why: str) -> None:
    found = told(pod(containerStatuses=[waiting(reason, message)]))["container.image_pull"]
    assert found.data["why"] == why


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (NO_FILE, "command_not_found"),
        (f'{RUNC}exec: "/app/run.sh": permission denied: unknown', "not_executable"),
        (f'{RUNC}exec: "/app/run.sh": no such file or directory: unknown', "command_not_found"),
        (f"{RUNC}exec /app/web: exec format error: unknown", "architecture"),
        ("Error response from daemon: No command specified", "no_command"),
        (f'{RUNC}error mounting "/var/lib/kubelet/x" to rootfs at "/etc/app.conf": not a directory', "mount"),
        (
            'failed to reserve container name "app_web-1_n_7": name "app_web-1_n_7" is reserved for "a1"',
            "name_taken",
        ),
    ],
)
def test_a_container_that_cannot_be_started_says_why(message: str, why: str) -> None:
    found = told(pod(containerStatuses=[waiting("RunContainerError", message)]))["container.start_error"]
    assert (found.data["why"], found.data["reason"]) == (why, "RunContainerError")


def test_what_the_runtime_said_outlives_the_back_off() -> None:
    said = "back-off 5m0s restarting failed container=app pod=web-1_n(1)"
    status = waiting("CrashLoopBackOff", said, restarts=6, lastState=ended(128, "StartError", NO_FILE))
    found = told(pod(containerStatuses=[status]))["container.start_error"]
    assert found.data["why"] == "command_not_found"
    assert any("executable file not found" in quote.text for quote in found.quotes)


def test_configuration_that_is_refused_is_not_called_missing() -> None:
    status = waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root")
    found = told(pod(containerStatuses=[status]))["container.config_error"]
    assert (found.data["why"], found.data["ref"]) == ("runs_as_root", "")
    assert "K11" not in faults(pod(containerStatuses=[status]))


def test_a_command_that_is_not_in_the_image_is_the_fault_and_the_release_may_be_undone() -> None:
    status = waiting("CrashLoopBackOff", restarts=6, lastState=ended(128, "StartError", NO_FILE))
    broken = (deployment(), pod(containerStatuses=[status]))
    best = ranked(*broken, more=[rolled_out(deployment(), "command", "image", minutes=70)])[0]
    assert (best.fault, str(best.component)) == ("K13", "Deployment/n/web")
    assert "executable file not found" in best.root_cause
    assert [each.action for each in best.options] == ["rollback", "escalate"]
    alone = ranked(*broken)[0]
    assert (alone.fault, [each.action for each in alone.options]) == ("K13", ["escalate"])


def test_a_shell_that_does_not_find_its_program_is_the_same_fault() -> None:
    loop = waiting("CrashLoopBackOff", restarts=6, lastState=ended(127))
    broken = (deployment(), pod(containerStatuses=[loop]))
    more = [
        rolled_out(deployment(), "args", minutes=70),
        *logged(broken[1], "/bin/sh: 1: servr: not found", code=127),
    ]
    assert faults(*broken, more=more)[0] == "K13"


def test_a_program_that_exits_by_itself_has_a_command_that_runs() -> None:
    loop = waiting("CrashLoopBackOff", restarts=6, lastState=ended(1))
    more = [rolled_out(deployment(), "command", minutes=70)]
    found = faults(deployment(), pod(containerStatuses=[loop]), more=more)
    assert (found[0], "K13" in found) == ("K01", False)


def test_an_image_for_other_processors_shows_in_the_log_alone() -> None:
    loop = waiting("CrashLoopBackOff", restarts=6, lastState=ended(255))
    broken = (deployment(), pod(containerStatuses=[loop]))
    said = logged(broken[1], "exec /usr/local/bin/docker-entrypoint.sh: exec format error", code=255)
    exec_failed = next(each for each in said if each.id == "log.exec_failed")
    assert exec_failed.data["why"] == "architecture"
    assert faults(*broken, more=[*said, rolled_out(deployment(), "image", minutes=70)])[0] == "K13"


def test_a_mount_of_a_secret_that_is_missing_is_missing_configuration() -> None:
    each = pod(phase="Pending", containerStatuses=[waiting("ContainerCreating")])
    said = event(
        each, "FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found'
    )
    found = told(each, said)["pod.not_ready"]
    assert (found.data["why"], found.data["ref"], found.data["volume"]) == (
        "missing",
        "Secret/n/web-tls",
        "tls",
    )
    best = ranked(deployment(), each, said)[0]
    assert (best.fault, str(best.component)) == ("K11", "Deployment/n/web")
    assert "Secret/n/web-tls" in best.root_cause


def test_a_name_that_is_no_images_name_is_an_image_that_does_not_exist() -> None:
    status = waiting(
        "InvalidImageName", 'couldn\'t parse image name "Web:1": repository name must be lowercase'
    )
    best = ranked(deployment(), pod(containerStatuses=[status]))[0]
    assert (best.fault, "that is not the name of an image" in best.root_cause) == ("K02", True)
