"""What holds a program on this machine: Landlock, else bubblewrap, else nothing, which is said."""

import ctypes
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CREATE_RULESET, _VERSION = 444, 1
SETTINGS = (
    "alternatives", "ca-certificates", "crypto-policies", "gai.conf", "group", "host.conf", "hostname",
    "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "locale.alias", "locale.conf",
    "localtime", "mime.types", "nsswitch.conf", "os-release", "passwd", "pki", "protocols", "resolv.conf",
    "services", "ssl", "terminfo", "timezone",
)  # fmt: skip
"""Files and folders of `/etc` without secrets, which programs look for by themselves."""
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/proc",
    "/sys/devices/system/cpu", "/sys/fs/cgroup", "/dev/random", "/dev/urandom", "/dev/zero",
    *(f"/etc/{each}" for each in SETTINGS),
)  # fmt: skip
"""What every program may read: programs, libraries, settings of the system. Nobody's home is among them."""
DEVICES = ("/dev/null", "/dev/full")
"""What every program may write."""


@dataclass(frozen=True)
class Sandbox:
    """`words` say what it is; `abi` is Landlock's, 0 where it is not used; `wrap` is bubblewrap's path."""

    words: str
    abi: int = 0
    wrap: str = ""

    def around(
        self, argv: Sequence[str], reads: Sequence[str], writes: Sequence[str], cwd: str, network: bool
    ) -> list[str]:
        """The arguments with what holds them, where that is a program itself."""
        if not self.wrap:
            return list(argv)
        held = [self.wrap, "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
        held += [] if network else ["--unshare-net"]
        for each in _outermost(reads):
            # These are made anew: those of here tell of other processes.
            if each != "/proc" and not each.startswith("/dev/"):
                held += ["--ro-bind", each, each]
        held += ["--proc", "/proc", "--dev", "/dev"]
        for each in writes:
            if not each.startswith("/dev/"):
                held += ["--bind", each, each]
        return [*held, "--chdir", cwd, "--", *argv]


def _outermost(paths: Sequence[str]) -> Iterator[str]:
    """Those that lie below no other of them: bubblewrap cannot put a link into a tree that it has bound."""
    for each in dict.fromkeys(paths):
        if not any(other != each and Path(each).is_relative_to(other) for other in paths):
            yield each


@cache
def sandbox() -> Sandbox:
    """The best that this system allows."""
    if abi := _landlock():
        return Sandbox(f"Landlock (ABI {abi}{'' if abi >= 4 else ', TCP open'})", abi=abi)
    if wrap := shutil.which("bwrap"):
        return Sandbox("bubblewrap", wrap=wrap)
    return Sandbox("not sandboxed: this system has neither Landlock nor bubblewrap")


def _landlock() -> int:
    """The version of Landlock's interface; 0 where the kernel has none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _VERSION)))


def there(paths: Iterable[str]) -> list[str]:
    """Those of them that are here."""
    return [each for each in paths if Path(each).exists()]
