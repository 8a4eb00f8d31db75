"""Running a program a few times: wall time and peak memory, medians with spread."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Linux hands a parent's peak memory on to its child: a small process in between keeps ours out of the figure.
LAUNCHER = """
import json, os, resource, subprocess, sys, time
began = time.monotonic()
with open(sys.argv[1], "wb") as out:
    child = subprocess.Popen(sys.argv[2:], stdout=out, stderr=out)
    _, status, used = os.wait4(child.pid, 0)
code, cpu = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
print(json.dumps([began, time.monotonic(), code, used.ru_maxrss / 1024, cpu]))
"""


@dataclass(frozen=True)
class Run:
    """One run: start on the monotonic clock, seconds, exit code, peak memory in MB, CPU seconds, output."""

    began: float
    seconds: float
    code: int
    megabytes: float
    cpu: float
    output: str


@dataclass(frozen=True)
class Figure:
    """A measured value beside its target; `values` in `unit`, one for each run."""

    name: str
    values: Sequence[float]
    unit: str
    target: float | None
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool:
        return self.target is None or self.median < self.target

    def line(self) -> str:
        """`name  median (least to most)  target  met or MISSED  note`."""
        spread = f"({min(self.values):.4g} to {max(self.values):.4g})" if len(self.values) > 1 else ""
        target = "" if self.target is None else f"< {self.target:g}"
        verdict = "" if self.target is None else "met" if self.met else "MISSED"
        said = f"{self.median:.4g} {self.unit} {spread}"
        return f"{self.name:<52} {said:<34} {target:<9} {verdict:<7} {self.note}".rstrip()


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A clean environment: this source tree, a state folder of its own, no keys, no clusters."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), "OPSSQUAD_STATE": str(folder / "state"), **more}


def with_tests(folder: Path) -> dict[str, str]:
    """The same for a program of the tests."""
    return environment(folder) | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}


def run(argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> Run:
    """Run a Python program of ours (`-m opssquad …`) once, to its end."""
    out = folder / "output"
    command = [sys.executable, "-S", "-c", LAUNCHER, str(out), sys.executable, *argv]
    told = subprocess.run(command, env=dict(env), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    began, ended, code, megabytes, cpu = json.loads(told)
    return Run(began, ended - began, code, megabytes, cpu, out.read_text(encoding="utf-8"))


def machine() -> str:
    """What it ran on, in a line."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    version = sys.version.split()[0]
    return f"{os.cpu_count()} x {names[0] if names else 'CPU'}, Python {version}, load {load} at the start"
