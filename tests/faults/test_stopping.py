"""Ctrl-C, SIGTERM and a terminal that goes away, against the real program amid whatever it may wait for: the
request is closed, no program is left behind, nothing is done twice, and the thread goes on afterwards."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.cli.terminal import Terminal
from tests.cli.test_conversation import QUESTION
from tests.faults import cluster as c
from tests.faults import endpoint as e
from tests.faults.test_cluster_writes import ROLLBACK, approval, ran

STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
IDS = ["SIGINT", "SIGTERM", "SIGHUP"]


def started(state: Path, *words: str, **environ: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
    return subprocess.Popen(
        [sys.executable, "-m", "opssquad", *words],
        env={**kept, "OPSSQUAD_STATE": str(state), "COLUMNS": "400", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(happened: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def thread_of(state: Path) -> str:
    """The id of the one thread there is."""
    (lock,) = (state / "threads").glob("*.lock")
    return lock.stem


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Tell the program to go: its exit code and what it said, within ten seconds of work at most."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    return process.returncode, out + err


def programs(mark: Path) -> list[str]:
    """Command lines of running programs that name something below that folder, this one's tests aside."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(str(mark) in word for word in words) and "-m pytest" not in " ".join(words):
            found.append(" ".join(words))
    return found


@pytest.mark.parametrize(("number", "code"), STOPS, ids=IDS)
def test_a_model_that_hangs_is_hung_up_on(number: signal.Signals, code: int, tmp_path: Path) -> None:
    gone: list[str] = []

    async def hangs(request: web.Request) -> web.StreamResponse:
        try:
            await asyncio.sleep(300)
        finally:
            gone.append("closed")
        return web.Response()

    with e.served(hangs, cancels=True) as (url, came):
        words = ("ask", QUESTION, "--recording", "auth-0308", "--model", "m")
        process = started(tmp_path, *words, OPENAI_BASE_URL=url)
        until(lambda: came)
        assert ended(process, number)[0] == code
        until(lambda: gone, 10)
    went_on = ran(tmp_path, "ask", "--resume", thread_of(tmp_path), "--model", "offline")
    assert went_on.returncode == 0, went_on.stdout + went_on.stderr
    assert "auth-service" in went_on.stdout


@pytest.mark.parametrize(("number", "code"), STOPS, ids=IDS)
def test_a_read_that_hangs_is_cut_off_and_the_thread_goes_on(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    state, hanging = tmp_path / "state", True
    fault = c.hangs(lambda request: hanging and "/pods" in request.path)
    with c.behind(fault, tmp_path) as front:
        process = started(
            state, "ask", QUESTION, "--kubeconfig", str(front.kubeconfig), "--context", c.CONTEXT
        )
        until(lambda: any("/pods" in each for each in front.asked))
        assert ended(process, number)[0] == code
        until(lambda: any("/pods" in each for each in front.left), 10)
        hanging = False
        went_on = ran(state, "ask", "--resume", thread_of(state))
    assert went_on.returncode == 0, went_on.stdout + went_on.stderr
    assert "image v2.4.0 -> v2.4.1" in went_on.stdout


@pytest.mark.parametrize(("number", "code"), STOPS, ids=IDS)
def test_a_change_that_is_being_watched_is_neither_lost_nor_made_twice(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    with c.behind(c.passes, tmp_path) as front:
        where = ("--kubeconfig", str(front.kubeconfig), "--context", c.CONTEXT)
        assert ran(state, "ask", ROLLBACK, *where).returncode == 4
        thread = thread_of(state)
        assert ran(state, "approvals", "approve", approval(state)).returncode == 0
        process = started(state, "ask", "--resume", thread)
        until(lambda: writes(front))
        assert ended(process, number)[0] == code
        went_on = ran(state, "ask", "--resume", thread)
    assert len(writes(front)) == 1
    said = " ".join(went_on.stdout.split())
    assert "better: auth-service is settled" in said, went_on.stdout + went_on.stderr
    assert ran(state, "audit", "verify").returncode == 0


def writes(front: c.Front) -> list[str]:
    return [each for each in front.asked if each.startswith("PATCH") and "dryRun" not in each]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")
@pytest.mark.parametrize(("number", "code"), STOPS, ids=IDS)
def test_a_kubectl_that_hangs_is_not_left_behind(number: signal.Signals, code: int, tmp_path: Path) -> None:
    script, temporary = tmp_path / "script.yaml", tmp_path / "temporary"
    temporary.mkdir()
    script.write_text("replies:\n- calls: [{tool: kubectl, args: {line: kubectl get pods -A}}]\n")
    with c.behind(c.hangs(lambda request: request.path != "/version"), tmp_path) as front:
        where = ("--kubeconfig", str(front.kubeconfig), "--context", c.CONTEXT)
        words = ("ask", "why?", *where, "--model", f"scripted:{script}")
        process = started(tmp_path / "state", *words, TMPDIR=str(temporary))
        until(lambda: any("kubectl" in each for each in programs(temporary)))
        assert ended(process, number)[0] == code
    assert programs(temporary) == []
    assert list(temporary.iterdir()) == []


def test_ctrl_c_at_a_terminal_stops_the_read_and_keeps_the_chat(tmp_path: Path) -> None:
    hanging = True
    fault = c.hangs(lambda request: hanging and "/pods" in request.path)
    with c.behind(fault, tmp_path) as front:
        where = ("--kubeconfig", str(front.kubeconfig), "--context", c.CONTEXT)
        terminal = Terminal(tmp_path / "state", "chat", *where)
        terminal.wait("you>")
        terminal.process.send(QUESTION + "\r")
        until(lambda: terminal.drawn() and any("/pods" in each for each in front.asked))
        terminal.process.send("\x03")
        terminal.wait("stopped; the thread is kept", seconds=60)
        until(lambda: any("/pods" in each for each in front.left), 10)
        hanging = False
        terminal.say("Check the pods of auth-service.", "0 of 3 pods ready", seconds=90)
        assert terminal.leave() == 0


def test_ctrl_c_at_a_terminal_hangs_up_on_a_model_and_keeps_the_chat(tmp_path: Path) -> None:
    with e.served(e.stream(*"abcdefgh", pause=60.0)) as (url, came):
        words = ("chat", "--recording", "auth-0308", "--model", "m")
        terminal = Terminal(tmp_path, *words, OPENAI_BASE_URL=url)
        terminal.wait("you>")
        terminal.process.send("hello\r")
        until(lambda: terminal.drawn() and came)
        terminal.process.send("\x03")
        terminal.wait("stopped; the thread is kept", seconds=60)
        assert terminal.leave() == 0
