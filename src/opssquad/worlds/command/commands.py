"""The handle by which tools run programs; the same for real ones and for recorded ones.

A program is a list of arguments: nothing here or below knows a shell.
"""

import copy
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from opssquad.errors import Refused, ToolError
from opssquad.toolbox import Handle
from opssquad.types import Effect

CAP = 200_000
"""Bytes of output that are read by default."""
MOST = 5_000_000
"""Bytes of output that are read at most."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Program:
    """What is to be run. `seconds` bound it, `cap` counts the bytes of output that are read; `reads` and
    `writes` are paths besides the system's own; without `cwd` it runs in an empty folder of its own."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""
    seconds: float = 30
    cap: int = CAP
    stdin: str = ""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    network: bool = False
    unsure: bool = False
    """That it was stopped leaves open what it changed."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.argv[0].rpartition("/")[2]


@dataclass(frozen=True)
class Ran:
    """A program that ended. `code` is its exit status, minus the number of the signal that ended it; `cut`:
    it said more than the cap, and was killed for that; `sandbox` says what held it."""

    argv: tuple[str, ...]
    code: int
    out: str = ""
    err: str = ""
    cut: bool = False
    ms: float = 0.0
    sandbox: str = ""

    @property
    def line(self) -> str:
        """It as an engineer would type it."""
        return shlex.join(self.argv)


class Backend(Protocol):
    """What runs programs, or tells what was recorded of them. Raises ToolError."""

    async def run(self, program: Program) -> Ran: ...


class Commands(Handle):
    """Runs programs. Every call raises ToolError in one line that says what to try."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._writable = True

    def limited(self, effect: Effect) -> Self:
        """The handle for a call of that effect: for `read`, paths to write raise Refused."""
        other = copy.copy(self)
        other._writable = self._writable and effect == "mutate"
        return other

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        seconds: float = 30,
        cap: int = CAP,
        stdin: str = "",
        reads: Sequence[str] = (),
        writes: Sequence[str] = (),
        network: bool = False,
    ) -> Ran:
        """Run a program to its end, or to its deadline: then it is killed with all that it started, and that
        is a ToolError. Of our environment it gets PATH and LANG, with `network` also proxies and CA files;
        HOME and TMPDIR are an empty folder that is taken away afterwards. It may read the system's programs
        and settings, `cwd` and `reads`, and write `writes`, where the system has a sandbox.

        Raises Refused for `writes` from a handle that is limited to reading.
        """
        if writes and not self._writable:
            raise Refused(f"{argv[0] if argv else 'it'} would write {writes[0]}, and this call may only read")
        program = Program(
            _checked(argv),
            _variables(env or {}),
            cwd or "",
            seconds,
            max(1, min(cap, MOST)),
            stdin,
            tuple(reads),
            tuple(writes),
            network,
            unsure=self._writable,
        )
        return await self._backend.run(program)


def _checked(argv: Sequence[str]) -> tuple[str, ...]:
    if isinstance(argv, str):
        raise ToolError("a program is a list of arguments, [name, argument], not a line for a shell")
    if not argv or not argv[0]:
        raise ToolError("no program was named; give a list that begins with one")
    for number, each in enumerate(argv):
        if "\0" in each:
            raise ToolError(f"argument {number} of {argv[0]!r} holds a NUL byte, which no argument can")
    return tuple(argv)


def _variables(env: Mapping[str, str]) -> dict[str, str]:
    for name, value in env.items():
        if not _VARIABLE.fullmatch(name):
            raise ToolError(f"{name!r} is no name of an environment variable")
        if "\0" in value:
            # Not repeated: it may be a secret.
            raise ToolError(f"the variable {name} holds a NUL byte, which no variable can")
    return dict(env)
