"""A terminal of 80x24 with a program in it: what is typed and what stands on the screen."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pexpect
import pyte

WIDTH, HEIGHT = 80, 24


class Terminal:
    """Runs `opssquad` with these arguments; `seen` is everything that scrolled by, without colours."""

    def __init__(self, state: Path, *arguments: str, **environ: str) -> None:
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
        env = {**kept, "OPSSQUAD_STATE": str(state), "TERM": "xterm-256color", "LANG": "C.UTF-8", **environ}
        self.process: Any = pexpect.spawn(
            sys.executable,
            ["-m", "opssquad", *arguments],
            env=env,
            dimensions=(HEIGHT, WIDTH),
            encoding="utf-8",
            timeout=30,
        )
        self._screen = pyte.HistoryScreen(WIDTH, HEIGHT, history=2000, ratio=0.5)
        # Programs ask where the cursor is; a terminal that stays silent is treated as a poor one.
        self._screen.write_process_input = self.process.send
        self._stream = pyte.Stream(self._screen)

    @property
    def seen(self) -> str:
        """Everything that stands on the screen or has scrolled off it."""
        top = ["".join(line[x].data for x in range(WIDTH)).rstrip() for line in self._screen.history.top]
        return "\n".join([*top, *(line.rstrip() for line in self._screen.display)])

    def wait(self, text: str, *, times: int = 1, seconds: float = 40) -> None:
        """Wait until the text was seen that many times in all, line breaks aside."""
        end = time.monotonic() + seconds
        while self._count(text) < times:
            assert time.monotonic() < end, f"{text!r} did not appear:\n{self.seen}"
            self._read()

    def say(self, text: str, then: str, seconds: float = 40) -> None:
        """Type a line and wait for what should follow it."""
        # Counted, not searched behind a position: the prompt's lower lines are drawn over.
        times = self._count(then) + 1
        self.process.send(text + "\r")
        self.wait(then, times=times, seconds=seconds)

    def drawn(self) -> bool:
        """Read what has come meanwhile; True while the program goes on."""
        return self._read()

    def _count(self, text: str) -> int:
        return " ".join(self.seen.split()).count(" ".join(text.split()))

    def look(self, seconds: float) -> None:
        """Read what comes for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._read()

    def kill(self) -> None:
        """kill -9, as a crash would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def leave(self) -> int:
        """Ctrl-D; the exit code."""
        self.process.send("\x04")
        self.drain()
        self.process.wait()
        return int(self.process.exitstatus)

    def drain(self) -> None:
        """Read until the program has gone."""
        while self._read():
            pass

    def _read(self) -> bool:
        try:
            self._stream.feed(self.process.read_nonblocking(65536, timeout=0.2))
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        return True


def run(state: Path, *arguments: str, typed: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """A command without a terminal."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    return subprocess.run(
        [sys.executable, "-m", "opssquad", *arguments],
        env={**kept, "OPSSQUAD_STATE": str(state), **environ},
        input=typed,
        capture_output=True,
        text=True,
        timeout=90,
    )
