"""Runs one program under watch; started as a script by `live`, in a session of its own, so it imports nothing
of ours.

It stays outside the sandbox as the parent of all that the program starts, and ends that: when the program
ends, or when its control pipe closes, as it does when whoever started it dies. What became of it is a line of
JSON on its report pipe: `{"code": 0}` or `{"failed": "why"}`.
"""

import ctypes
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from typing import Any

SUBREAPER, NO_NEW_PRIVILEGES = 36, 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE, IOCTL = 1 << 13, 1 << 14, 1 << 15
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL
"""What can be allowed of a file that is no folder."""
BIND, CONNECT = 1 << 0, 1 << 1
SCOPES = 3
"""Abstract sockets and signals stay within the sandbox."""
KEPT_RIGHTS = (0, 1, 3, 4, 5, 6, 7, 10)
"""What root keeps of its capabilities: those about owners and modes of files, its own processes, low ports.
Others, as to measure performance, let it look into processes outside of the sandbox."""
SECCOMP, DROP_BOUND, FILTER = 22, 24, 2
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What machines are called in filters of system calls."""
SOCKETS = {"x86_64": (41, 425), "aarch64": (198, 425)}
"""By machine, the calls that open sockets: `socket` and `io_uring_setup`. Landlock knows TCP alone."""
MODES = {
    "x86_64": (90, 91, 92, 93, 94, 188, 189, 190, 197, 198, 199, 260, 268, 452, 463, 466),
    "aarch64": (5, 6, 7, 14, 15, 16, 52, 53, 54, 55, 452, 463, 466),
}
"""The calls that change modes, owners and attributes of files, which Landlock lets pass everywhere."""
OTHER_ABI = 0x40000000
REFUSED, ALLOWED = 0x00050000 | 13, 0x7FFF0000
GRACE = 0.3
"""Seconds between asking the program to end and ending it."""
libc = ctypes.CDLL(None, use_errno=True)


class Rules(ctypes.Structure):
    """The kernel's `landlock_ruleset_attr`."""

    _fields_ = [("files", ctypes.c_uint64), ("ports", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class Beneath(ctypes.Structure):
    """The kernel's `landlock_path_beneath_attr`."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class Steps(ctypes.Structure):
    """The kernel's `sock_fprog`: a filter."""

    _fields_ = [("count", ctypes.c_ushort), ("steps", ctypes.c_void_p)]


def checked(result: int, what: str) -> int:
    """What the kernel gave, where it gave something. Raises OSError."""
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def landlock(abi: int, reads: list[str], writes: list[str], network: bool) -> None:
    """Shut this process in: it and what it starts may read and write that, nothing else. Raises OSError."""
    everything = (1 << 13) - 1
    everything |= (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0) | (IOCTL if abi >= 5 else 0)
    ports = 0 if network or abi < 4 else BIND | CONNECT
    # A kernel takes the fields that it knows.
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = Rules(everything, ports, SCOPES if abi >= 6 else 0)
    ruleset = checked(libc.syscall(CREATE_RULESET, ctypes.byref(rules), size, 0), "landlock")
    for path in reads:
        allow(ruleset, path, EXECUTE | READ_FILE | READ_DIR)
    for path in writes:
        # What it writes, it may not run.
        allow(ruleset, path, everything & ~EXECUTE)
    for right in range(64):
        if right not in KEPT_RIGHTS:
            # There is none by that number, or we are not root and have none of them.
            libc.prctl(DROP_BOUND, right, 0, 0, 0)
    checked(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")
    checked(libc.syscall(RESTRICT_SELF, ruleset, 0), "landlock")
    os.close(ruleset)


def allow(ruleset: int, path: str, allowed: int) -> None:
    """Allow that below a path. Raises OSError."""
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not os.path.isdir(path):  # noqa: PTH112  pathlib takes 10 ms to import
        allowed &= OF_FILES
    beneath = Beneath(allowed, place)
    checked(libc.syscall(ADD_RULE, ruleset, 1, ctypes.byref(beneath), 0), path)
    os.close(place)


def refusing(network: bool, writes: bool) -> bytes:
    """A filter of system calls for a program: without network no sockets, without writes no modes and owners;
    empty for a machine whose calls are not known here."""
    machine = os.uname().machine
    calls: tuple[int, ...] = () if network else SOCKETS.get(machine, ())
    calls += () if writes else MODES.get(machine, ())
    if not calls:
        return b""
    load, equal, above, end = 0x20, 0x15, 0x35, 0x06
    left = len(calls)
    # Each jump counts the steps up to the last one, which refuses.
    steps = [(load, 0, 0, 4), (equal, 0, left + 3, MACHINES[machine])]
    steps += [(load, 0, 0, 0), (above, left + 1, 0, OTHER_ABI)]
    steps += [(equal, left - number, 0, call) for number, call in enumerate(calls)]
    steps += [(end, 0, 0, ALLOWED), (end, 0, 0, REFUSED)]
    return b"".join(struct.pack("HBBI", *each) for each in steps)


def keep_filter(steps: bytes) -> None:
    """Have the kernel keep this process, and what it starts, to a filter. Raises OSError."""
    kept = ctypes.create_string_buffer(steps)
    whole = Steps(len(steps) // 8, ctypes.addressof(kept))
    checked(libc.prctl(SECCOMP, FILTER, ctypes.byref(whole), 0, 0), "seccomp")


def handed(steps: bytes) -> str:
    """The number of a pipe that holds a filter, for bubblewrap to read."""
    place, write = os.pipe()
    os.write(write, steps)
    os.close(write)
    os.set_inheritable(place, True)
    return str(place)


def program(spec: dict[str, Any], report: int) -> None:
    """Become the program. Comes back only through an OSError."""
    os.set_inheritable(report, False)
    for each in (signal.SIGPIPE, signal.SIGXFSZ):
        # Python ignores them, and what it starts would too.
        signal.signal(each, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if spec["abi"]:
        landlock(spec["abi"], spec["reads"], spec["writes"], spec["network"])
    argv, steps = spec["argv"], refusing(spec["network"], spec["changes"])
    if steps and spec["abi"]:
        keep_filter(steps)
    elif steps and spec["wrapped"]:
        argv[1:1] = ["--seccomp", handed(steps)]
    os.execv(spec["program"], argv)


def below() -> list[int]:
    """Every process that this one started, and those that they started."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if sys.platform == "linux" else ():  # noqa: PTH208
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    parents.setdefault(int(file.read().rpartition(b")")[2].split()[1]), []).append(int(name))
            except OSError:
                # It ended meanwhile.
                continue
    found = list(parents.get(os.getpid(), ()))
    for each in found:
        found += parents.get(each, ())
    return found


def send(which: signal.Signals, group: int) -> None:
    """Signal the program's group and whatever left it."""
    for each, kill in [(group, os.killpg), *((pid, os.kill) for pid in below())]:
        try:
            kill(each, which)
        except (ProcessLookupError, PermissionError):
            # It ended, or became somebody else's by itself.
            continue


def reap() -> tuple[dict[int, int], bool]:
    """The processes that ended, with how, and whether any is left. Who loses its parent becomes our child."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, False
        if not pid:
            return ended, True
        ended[pid] = status


def end(group: int, grace: float) -> int:
    """End all of it, what begins meanwhile too; how the program ended, where that was not known yet."""
    code, asked = 0, time.monotonic()
    if grace:
        send(signal.SIGTERM, group)
    while True:
        ended, left = reap()
        code = ended.get(group, code)
        if not left:
            return code
        if time.monotonic() - asked >= grace:
            send(signal.SIGKILL, group)
        time.sleep(0.005)


def watch(pid: int, control: int, woken: int) -> int:
    """Wait until the program ends or is no longer wanted, and end what is left; how it ended."""
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            ended, left = reap()
            if pid in ended:
                if left:
                    end(pid, 0)
                return ended[pid]
        if control in ready:
            return end(pid, GRACE)


def main(control: int, report: int) -> None:
    """Read what to run from the control pipe, run it, report."""
    head = b""
    while not head.endswith(b"\n"):
        part = os.read(control, 65536)
        if not part:
            return
        head += part
    spec = json.loads(head)
    if sys.platform == "linux":
        libc.prctl(SUBREAPER, 1, 0, 0, 0)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    pid = os.fork()
    if not pid:
        try:
            os.setpgid(0, 0)
            os.close(control)
            program(spec, report)
        except OSError as error:
            said = error.strerror or str(error)
            os.write(report, json.dumps({"failed": said, "number": error.errno}).encode() + b"\n")
        finally:
            os._exit(127)
    for stream in (0, 1, 2):
        # Only the program and what it started hold them: they close when all of that has ended.
        os.close(stream)
    code = os.waitstatus_to_exitcode(watch(pid, control, woken))
    os.write(report, json.dumps({"code": code}).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
