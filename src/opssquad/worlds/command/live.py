"""Runs real programs on this machine: watched by `launcher`, held by `sandbox`, ended with all of theirs."""

import asyncio
import contextlib
import errno
import json
import os
import shutil
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from opssquad import settings
from opssquad.errors import ToolError, ToolUnsure
from opssquad.types import Json
from opssquad.worlds.command.commands import Program, Ran
from opssquad.worlds.command.sandbox import DEVICES, SYSTEM, Sandbox, sandbox, there

LAUNCHER = Path(__file__).with_name("launcher.py")
INHERITED = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""Variables that a program gets from us as they are."""
USUAL_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
CA_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
STEP = 65_536
LAST = 5.0
"""Seconds that the launcher has to end everything, before it is ended itself."""


@dataclass
class LiveCommands:
    """Runs programs here. `held` is what they are held by, `environ` ours where another than the real one is
    meant."""

    held: Sandbox = field(default_factory=sandbox)
    environ: Mapping[str, str] = field(default_factory=settings.inherited)

    async def run(self, program: Program) -> Ran:
        """Run it. Raises ToolError, ToolUnsure past the deadline of one that may change something."""
        folder = mkdtemp(prefix="opssquad-run-")
        try:
            env = self._environment(program, folder)
            spec = self._spec(program, env, folder)
            return await self._watched(program, spec, env, program.cwd or folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _environment(self, program: Program, folder: str) -> dict[str, str]:
        ours = {name: value for name, value in self.environ.items() if name in INHERITED}
        path = self.environ.get("PATH", "").split(os.pathsep)
        # A relative entry would mean another folder there.
        ours["PATH"] = os.pathsep.join(each for each in path if each.startswith("/")) or USUAL_PATH
        if program.network:
            ours |= settings.proxies_of(self.environ)
        return {**ours, "HOME": folder, "TMPDIR": folder, **program.env}

    def _spec(self, program: Program, env: Mapping[str, str], folder: str) -> Json:
        found = _found(program, env["PATH"])
        authorities = [env[name] for name in CA_FILES if program.network and name in env]
        reads = [*there(SYSTEM), *there(authorities), *_paths(program, "reads", program.reads)]
        reads += [found, os.path.realpath(found), *([_folder(program)] if program.cwd else ())]
        writes = [*there(DEVICES), *_paths(program, "writes", program.writes), folder]
        argv = self.held.around(
            [found, *program.argv[1:]], reads, writes, program.cwd or folder, program.network
        )
        # A program sees the name that it was called by, unless something stands around it.
        shown = argv if self.held.wrap else list(program.argv)
        return {
            "program": argv[0],
            "argv": shown,
            "abi": self.held.abi,
            "wrapped": bool(self.held.wrap),
            "reads": reads,
            "writes": writes,
            "network": program.network,
            "changes": bool(program.writes),
        }

    async def _watched(self, program: Program, spec: Json, env: Mapping[str, str], cwd: str) -> Ran:
        began = time.monotonic()
        async with contextlib.AsyncExitStack() as stack:
            pipes = Pipes()
            stack.callback(pipes.close)
            process = await _started(program, pipes, env, cwd)
            stack.push_async_callback(_ended, process, pipes)
            pipes.hand_over(spec)
            said = Said(program.cap, pipes.stop)
            try:
                async with asyncio.timeout(program.seconds):
                    await asyncio.gather(
                        _fed(process, program.stdin),
                        said.read(process.stdout, 0),
                        said.read(process.stderr, 1),
                    )
                    await process.wait()
            except TimeoutError:
                raise _late(program) from None
            await _ended(process, pipes)
            report = pipes.report()
        if failed := report.get("failed"):
            raise ToolError(_unstarted(program, failed, report.get("number", 0)))
        ms = (time.monotonic() - began) * 1000
        code = int(report.get("code", process.returncode or 0))
        return Ran(program.argv, code, *said.texts(), said.cut, ms, self.held.words)


class Pipes:
    """The pipes between us and the launcher: by closing the first it is told to end everything."""

    def __init__(self) -> None:
        self.control_read, self._control = os.pipe()
        self._report, self.report_write = os.pipe()

    def hand_over(self, spec: Json) -> None:
        """Say what to run; our copies of the launcher's ends are closed."""
        self._shut("control_read", "report_write")
        with contextlib.suppress(BrokenPipeError):
            os.write(self._control, json.dumps(spec).encode() + b"\n")

    def stop(self) -> None:
        """Have everything ended."""
        self._shut("_control")

    def report(self) -> Json:
        """What became of it; empty where the launcher itself was ended."""
        lines = os.read(self._report, STEP).splitlines()
        found: Json = json.loads(lines[0]) if lines else {}
        return found

    def close(self) -> None:
        """Close what is open."""
        self._shut("control_read", "_control", "_report", "report_write")

    def _shut(self, *names: str) -> None:
        for name in names:
            if (number := getattr(self, name)) >= 0:
                setattr(self, name, -1)
                os.close(number)


class Said:
    """What a program writes, both channels together up to a cap; then `enough` is called."""

    def __init__(self, cap: int, enough: Callable[[], None]) -> None:
        self._left, self._enough = cap, enough
        self._channels = (bytearray(), bytearray())
        self.cut = False

    async def read(self, stream: asyncio.StreamReader | None, channel: int) -> None:
        """Read a channel to its end; past the cap nothing is kept."""
        while stream and (piece := await stream.read(STEP)):
            self._channels[channel].extend(piece[: self._left])
            if len(piece) > self._left:
                self.cut = True
                self._enough()
            self._left -= min(len(piece), self._left)

    def texts(self) -> tuple[str, str]:
        """Both channels as text."""
        out, err = (bytes(each).decode(errors="replace") for each in self._channels)
        return out, err


async def _started(program: Program, pipes: Pipes, env: Mapping[str, str], cwd: str) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(LAUNCHER), str(pipes.control_read), str(pipes.report_write),
            stdin=PIPE if program.stdin else DEVNULL, stdout=PIPE, stderr=PIPE, cwd=cwd, env=env,
            start_new_session=True, pass_fds=(pipes.control_read, pipes.report_write),
        )  # fmt: skip
    except OSError as error:
        raise ToolError(_unstarted(program, error.strerror or str(error), error.errno or 0)) from error


async def _fed(process: Process, text: str) -> None:
    """Give it its input; one that does not read it to the end has its reasons."""
    if process.stdin:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(text.encode(errors="replace"))
            await process.stdin.drain()
        process.stdin.close()


async def _ended(process: Process, pipes: Pipes) -> None:
    """Have the launcher end everything, and wait for that, whatever happens meanwhile."""
    pipes.stop()
    ending = asyncio.ensure_future(_gone(process))
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        await ending
        raise


async def _gone(process: Process) -> None:
    # A pipe that nobody reads to its end would keep the process on the books.
    gone = asyncio.gather(process.wait(), _read_out(process.stdout), _read_out(process.stderr))
    try:
        async with asyncio.timeout(LAST):
            await asyncio.shield(gone)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await gone


async def _read_out(stream: asyncio.StreamReader | None) -> None:
    while stream and await stream.read(STEP):
        pass


def _found(program: Program, path: str) -> str:
    name = program.argv[0]
    found = name if "/" in name else shutil.which(name, path=path)
    if not found:
        raise ToolError(f"there is no program {name!r} in PATH; install it, or name it by its whole path")
    if not found.startswith("/"):
        raise ToolError(f"{name!r} is a relative path, which means another program elsewhere; give the whole")
    if not os.access(found, os.X_OK):
        raise ToolError(f"{name!r} is not there, or is no program that may be run")
    return found


def _paths(program: Program, what: str, paths: tuple[str, ...]) -> list[str]:
    found = [os.path.realpath(os.path.expanduser(each)) for each in paths]  # noqa: PTH111
    for given, path in zip(paths, found, strict=True):
        if not os.path.exists(path):  # noqa: PTH110
            raise ToolError(f"{program.name}: {what} names {given!r}, which is not there")
    return found


def _folder(program: Program) -> str:
    if not Path(program.cwd).is_absolute() or not Path(program.cwd).is_dir():
        raise ToolError(f"{program.name}: its working folder {program.cwd!r} is no absolute path of a folder")
    return os.path.realpath(program.cwd)


def _late(program: Program) -> ToolError:
    said = f"{program.name} did not end within {program.seconds:g} s and was killed with all it started"
    if program.unsure:
        return ToolUnsure(f"{said}; what it changed by then is not known: look before it is asked for again")
    return ToolError(f"{said}; ask for less, or give it a longer deadline")


def _unstarted(program: Program, why: str, number: int) -> str:
    if number == errno.EACCES:
        why += ": it or what runs it is outside of what it may read; add its folder to `reads`"
    if number == errno.ENOEXEC:
        why += ": a script begins with a line #! that names what runs it"
    return f"{program.name} cannot be run: {why}"
