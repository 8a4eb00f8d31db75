"""Logs and events past all bounds: read in bounded time and memory, with what was left out said."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.faults import cluster as c
from tests.faults.asking import CAUSE, SECONDS, asked, told

MEASURED = """
import atexit, pathlib, re, runpy, sys
status = pathlib.Path("/proc/self/status")
held = lambda: re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]
atexit.register(lambda: print("peak", held(), "kB", file=sys.stderr))
runpy.run_module("opssquad", run_name="__main__")
"""
"""Runs the program and says how much memory it held at most. What `getrusage` says begins with what held the
process that started it, and that holds these logs."""


def peak(kubeconfig: Path, state: Path) -> tuple[subprocess.CompletedProcess[str], float, float]:
    """Ask, and the most memory that the program held, in MB."""
    done, seconds = asked(kubeconfig, state, start=("-c", MEASURED))
    found = re.search(r"peak (\d+) kB", done.stderr)
    assert found, done.stderr
    return done, seconds, int(found[1]) / 1024


def line(number: int) -> bytes:
    said = {"level": "info", "msg": f"handled request {number}", "path": "/login"}
    return f"2026-03-08T14:36:{number % 60:02}.{number:09}Z {json.dumps(said)}".encode()


LOGS: dict[str, tuple[Any, str]] = {
    "50 MB": (lambda: b"\n".join(map(line, range(550_000))), "That is not all of it"),
    "one line of 20 MB": (lambda: b"2026-03-08T14:36:00Z " + b"x" * (20 * 2**20), "That is not all of it"),
    "no text": (lambda: bytes(range(256)) * 4000, "Log of pod"),
}


@pytest.mark.parametrize("name", LOGS)
def test_a_log_past_all_bounds_is_read_from_its_end_in_bounded_time_and_memory(
    name: str, tmp_path: Path
) -> None:
    made, says = LOGS[name]
    body = made()
    # The server minds neither how many lines are asked for nor how many bytes.
    log = c.answers(lambda: web.Response(body=body, content_type="text/plain"), c.on("/log"))
    with c.behind(log, tmp_path) as front:
        done, seconds, memory = peak(front.kubeconfig, tmp_path / "state")
        told(done, tmp_path / "state")
        shown = asked_logs(front.kubeconfig, tmp_path / "more")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "auth-service" in done.stdout
    assert says in shown
    assert seconds < SECONDS
    assert memory < 400


def asked_logs(kubeconfig: Path, state: Path) -> str:
    """What the conversation shows of the log itself."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    words = ["chat", "--kubeconfig", str(kubeconfig), "--context", c.CONTEXT, "--namespace", "authentication"]
    done = subprocess.run(
        [sys.executable, "-m", "opssquad", *words],
        env={**kept, "OPSSQUAD_STATE": str(state), "COLUMNS": "400"},
        input="Show me the logs of auth-service\n/exit\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("count", [5_000, 10_000])
def test_thousands_of_events_are_read_in_bounded_time_and_memory(count: int, tmp_path: Path) -> None:
    def more(request: web.Request, document: c.Json) -> c.Json | None:
        if not document.get("items"):
            return None
        model = document["items"][0]
        for number in range(count):
            made = copy.deepcopy(model)
            made["metadata"].update(name=f"e{number}", uid=f"u{number}")
            made["message"] = f"Back-off restarting failed container {number}"
            document["items"].append(made)
        return document

    with c.behind(c.changes(more, c.on("/events")), tmp_path) as front:
        done, seconds, memory = peak(front.kubeconfig, tmp_path / "state")
    assert CAUSE in told(done, tmp_path / "state")
    assert done.returncode == 0
    assert seconds < SECONDS
    assert memory < 400
