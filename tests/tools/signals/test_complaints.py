"""What logs complain of: ports, disks, rights on volumes and of the Kubernetes API, and the faults of it."""

import pytest

from opssquad import Json, Signal
from tests.tools.signals.objects import ago, container, deployment, faults, logged, pod, ranked, rolled_out

FORBIDDEN = (
    'pods is forbidden: User "system:serviceaccount:n:web" cannot list resource "pods" in API group "" '
    'in the namespace "n"'
)


def mounts() -> Json:
    """A pod with a claim on /data, memory on /dev/shm, and two containers that declare port 8080."""
    each = pod()
    each["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
        {"name": "conf", "configMap": {"name": "conf"}},
    ]
    app = each["spec"]["containers"][0]
    app["volumeMounts"] = [
        {"name": "data", "mountPath": "/data/"},
        {"name": "shm", "mountPath": "/dev/shm"},
        {"name": "conf", "mountPath": "/data/conf", "readOnly": True},
    ]
    app["ports"] = [{"containerPort": 8080}]
    each["spec"]["containers"].append({"name": "proxy", "ports": [{"containerPort": 8080}]})
    return each


def one(name: str, *lines: str) -> Signal | None:
    return next((each for each in logged(mounts(), *lines) if each.id == name), None)


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("panic: listen tcp :8080: bind: address already in use", 8080),
        ("Error: listen EADDRINUSE: address already in use :::8080", 8080),
        ("2026/01/01 11:59:00 [emerg] 1#1: bind() to 0.0.0.0:80 failed (98: Address already in use)", 80),
        ("java.net.BindException: Address already in use: bind", ""),
        ("Web server failed to start. Port 8080 was already in use.", 8080),
        ("OSError: [Errno 98] Address already in use", ""),
        ("[::]:9090: bind: address already in use", 9090),
    ],
)
def test_a_port_that_is_taken_is_told_with_its_number(line: str, port: object) -> None:
    found = one("log.port_in_use", line)
    assert found is not None
    assert found.data["port"] == port
    assert found.data["other"] == ("proxy" if port == 8080 else "")


@pytest.mark.parametrize(
    ("line", "path", "mount", "kind"),
    [
        ("write /data/wal/0001: no space left on device", "/data/wal/0001", "/data", "persistentVolumeClaim"),
        (
            "OSError: [Errno 28] No space left on device: '/dev/shm/p1'",
            "/dev/shm/p1",
            "/dev/shm",
            "emptyDir",
        ),
        ("Error: ENOSPC: no space left on device, write", "", "", ""),
        ("cp: error writing '/tmp/x': No space left on device", "/tmp/x", "", ""),
    ],
)
def test_a_full_disk_is_told_with_the_mount_that_is_full(line: str, path: str, mount: str, kind: str) -> None:
    found = one("log.disk_full", line)
    assert found is not None
    assert (found.data["path"], found.data["mount"], found.data["kind"]) == (path, mount, kind)


@pytest.mark.parametrize(
    ("line", "mount", "why"),
    [
        ("open /data/db.lock: permission denied", "/data", "denied"),
        ("PermissionError: [Errno 13] Permission denied: '/data/x'", "/data", "denied"),
        ("Error: EACCES: permission denied, mkdir '/data/uploads'", "/data", "denied"),
        ("mkdir: cannot create directory '/data/x': Permission denied", "/data", "denied"),
        ("java.nio.file.AccessDeniedException: /data/index", "/data", "denied"),
        ("touch: /data/conf/x: Read-only file system", "/data/conf", "read_only"),
    ],
)
def test_a_mount_that_may_not_be_written_is_told(line: str, mount: str, why: str) -> None:
    found = one("log.volume_denied", line)
    assert found is not None
    assert (found.data["mount"], found.data["why"]) == (mount, why)


def test_a_refusal_of_anything_but_a_mount_is_none_of_the_volumes() -> None:
    for line in (
        "open /etc/shadow: permission denied",
        "open /database: permission denied",
        "ERROR: permission denied for table orders",
        "403 Access denied",
    ):
        assert one("log.volume_denied", line) is None, line


def test_one_file_after_the_other_is_one_trouble() -> None:
    found = logged(mounts(), *(f"write /data/{n}: no space left on device" for n in range(20)))
    assert [(each.id, each.data["count"]) for each in found] == [("log.disk_full", 20)]


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        (FORBIDDEN, {"verb": "list", "resource": "pods", "where": "n"}),
        (
            '{"level":"error","msg":"leases.coordination.k8s.io \\"lock\\" is forbidden: User '
            '\\"system:serviceaccount:n:web\\" cannot update resource \\"leases\\" in API group '
            '\\"coordination.k8s.io\\" in the namespace \\"n\\""}',
            {"verb": "update", "resource": "leases.coordination.k8s.io", "where": "n"},
        ),
        (
            'nodes is forbidden: User "system:serviceaccount:n:web" cannot watch resource "nodes" '
            'in API group "" at the cluster scope',
            {"verb": "watch", "resource": "nodes", "where": ""},
        ),
    ],
)
def test_what_the_kubernetes_api_forbids_is_told_with_the_right_that_lacks(line: str, facts: Json) -> None:
    found = one("log.api_forbidden", line)
    assert found is not None
    assert found.data["account"] == "ServiceAccount/n/web"
    assert facts.items() <= found.data.items()


def test_a_refusal_by_anybody_else_is_none_of_the_api() -> None:
    assert one("log.api_forbidden", "ERROR 403 Forbidden: user 7 cannot list orders") is None


# The faults


def looping(code: int = 1) -> Json:
    """The pod of `mounts`, its container `app` crashing."""
    last = {"exitCode": code, "reason": "Error", "startedAt": ago(2), "finishedAt": ago(1)}
    status = container(
        restarts=6, state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": last}
    )
    each = mounts()
    each["status"]["containerStatuses"] = [status]
    return each


@pytest.mark.parametrize(
    ("line", "field", "fault"),
    [
        ("FATAL listen tcp :8080: bind: address already in use", "container", "K27"),
        ("FATAL write /data/wal: no space left on device", "volumes.data", "K23"),
        ("FATAL open /data/db.lock: permission denied", "securityContext.fsGroup", "K23"),
        (f"FATAL {FORBIDDEN}", "serviceAccountName", "K21"),
    ],
)
def test_a_crash_whose_log_says_why_is_that_fault_and_not_a_bad_release(
    line: str, field: str, fault: str
) -> None:
    scene = (deployment(), looping())
    said = logged(scene[1], line, code=1)
    for more in (said, [*said, rolled_out(deployment(), "image", minutes=70)]):
        assert faults(*scene, more=more)[0] == fault
    best = ranked(*scene, more=[*said, rolled_out(deployment(), "image", field, minutes=70)])[0]
    assert (best.fault, str(best.component), best.options[0].action) == (
        fault,
        "Deployment/n/web",
        "rollback",
    )


def test_a_crash_whose_log_says_something_else_is_none_of_them() -> None:
    scene = (deployment(), looping())
    more = [
        *logged(scene[1], "FATAL no route to heaven", code=1),
        rolled_out(deployment(), "image", minutes=70),
    ]
    assert faults(*scene, more=more) == ["K01"]


def test_complaints_of_long_ago_open_nothing() -> None:
    well = pod(ready=True)
    lines = ("bind: address already in use", "write /data/x: no space left on device", FORBIDDEN)
    past = logged(well, *lines, minutes=40)
    assert {each.id for each in past} >= {"log.port_in_use", "log.disk_full", "log.api_forbidden"}
    assert faults(deployment(1, 1), well, more=past) == []
