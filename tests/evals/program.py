"""The real program as a team runs it: `opssquad eval ...` in a process of its own, and suites on disk."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml


def write_suite(folder: Path, *cases: dict[str, Any], name: str = "own", version: int = 1) -> Path:
    """A suite's file; each case without a recording is of auth-0308."""
    file = folder / f"{name}.yaml"
    entries = [{"recording": "auth-0308", **case} for case in cases]
    file.write_text(yaml.safe_dump({"name": name, "version": version, "cases": entries}), encoding="utf-8")
    return file


def environment(state: Path, **environ: str) -> dict[str, str]:
    """What the program is given: its state, and nothing of this machine's own settings."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    return {**kept, "OPSSQUAD_STATE": str(state), "LANG": "C.UTF-8", "COLUMNS": "100", **environ}


def evaluate(state: Path, *arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `opssquad eval` with these arguments to its end."""
    return subprocess.run(
        [sys.executable, "-m", "opssquad", "eval", *map(str, arguments)],
        env=environment(state, **environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def start(state: Path, *arguments: object, **environ: str) -> subprocess.Popen[str]:
    """The same, not waited for; in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "opssquad", "eval", *map(str, arguments)],
        env=environment(state, **environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
