"""The planted corpus in a recorded world, and the real program at work in it: no secret reaches a request to
the model, a screen, a report, or a byte of the state folder.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.planted_world import CARRIER, PLACES, PODS, SPACE, config_maps, plant
from tests.cli.terminal import Terminal
from tests.gate.planting import Planted, forms, planted
from tests.stub_model import Json, Reply, call, calls, served, text

HERE = {"namespace": SPACE}
TYPED = "Tumirabe-417!kolivazu"
"""A password that the engineer pastes."""
IN_WORLD = [each for each in planted() if each.place in PLACES]


def kubectl(line: str) -> tuple[str, Json]:
    return "kubectl", {"line": f"kubectl -n {SPACE} {line}"}


def looks() -> Iterator[tuple[str, Json]]:
    """Every way to see the places where something is planted."""
    for pod in PODS:
        yield "logs", {**HERE, "pod": pod, "tail": 60}
        yield kubectl(f"logs {pod} --tail=60")
    for name in config_maps():
        yield "get", {**HERE, "kind": "ConfigMap", "name": name}
        yield kubectl(f"get configmap {name} -o yaml")
        yield kubectl(f"describe configmap {name}")
    yield from ((tool, dict(HERE)) for tool in ("health", "events", "changes"))
    yield from (("events", {**HERE, "about": PODS[0]}), ("find", {"what": "user directory"}))
    yield from (("logs", {**HERE, "pod": CARRIER}), ("logs", {**HERE, "pod": PODS[0], "tail": 2000}))
    for tool, key in (("workload", "name"), ("history", "deployment"), ("rollback_check", "deployment")):
        yield tool, {**HERE, key: CARRIER}
    for kind, name in (("Deployment", CARRIER), ("Pod", PODS[8]), ("Secret", "planted")):
        yield "get", {**HERE, "kind": kind, "name": name}
    for words in (f"deployment {CARRIER} -o yaml", f"deployment {CARRIER} -o json", f"pod {PODS[8]} -o yaml"):
        yield kubectl(f"get {words}")
    for words in ("events", "events -o yaml", "configmaps -o json", "secrets", "pods -o wide"):
        yield kubectl(f"get {words}")
    yield from (kubectl(f"describe deployment {CARRIER}"), kubectl(f"describe pod {PODS[8]}"))
    yield kubectl(f"describe pod {PODS[0]}")


def batches(size: int) -> list[list[tuple[str, Json]]]:
    every = list(looks())
    return [every[n : n + size] for n in range(0, len(every), size)]


def conclude(asked: Json) -> Json:
    """Conclude on what the ledger holds."""
    cause = {
        "component": f"Deployment/{SPACE}/auth-service",
        "root_cause": f"password: {TYPED} was refused",
        "evidence": re.findall(r"\be\d+\b", asked["messages"][-1]["content"])[:3],
    }
    return call("conclude", summary=f"The password is {TYPED}, see above.", causes=[cause])


CHANGE = ("set_env", {**HERE, "name": CARRIER, "env": "LOG_LEVEL=debug"})


class Program:
    """The program with one state folder, one world and one model endpoint; `shown` is all it printed."""

    def __init__(self, folder: Path, url: str) -> None:
        self.state, self.world = folder / "state", plant(folder / "world")
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "PYTHONPATH", "HOME"}}
        self.env = {**kept, "OPSSQUAD_STATE": str(self.state), "OPENAI_BASE_URL": url}
        self.shown: dict[str, str] = {}

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "opssquad", *words],
            env=self.env,
            input=typed,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.shown[" ".join(words)[:60]] = done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def on(self, command: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        line = [command, *words, "--recording", str(self.world), "-n", SPACE, "--model", "stub"]
        return self.run(*line, typed=typed)


def found(where: str, content: str, among: list[Planted]) -> list[str]:
    return [
        f"{each.id} ({each.kind}) in {where}: {form}"
        for each in among
        for secret in each.secrets
        for form in forms(secret)
        if form in content
    ]


def told(asked: list[Json]) -> str:
    """Everything that a model was sent, its strings as they read."""

    def words(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (w for pair in value.items() for each in pair for w in words(each))
        elif isinstance(value, list):
            yield from (w for each in value for w in words(each))
        else:
            yield str(value)

    return "\n".join(w for each in asked for w in words(each))


def landmark(each: Planted) -> str:
    """What stands beside the secret and shows that its carrier was read."""
    if each.place in {"env", "annotation", "configmap", "secret"}:
        return each.pair[0]
    pieces = [each.text]
    for secret in each.secrets:
        pieces = [part for piece in pieces for part in piece.split(secret)]
    lines = [line for piece in pieces for line in piece.splitlines()]
    return max(lines, key=len).strip()[:24]


def test_no_planted_secret_leaves_the_tools(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = batches(20)
    replies: list[Reply] = []
    for turn in turns:
        replies += [calls(*turn), text(f"Looked. The password is {TYPED}, as you said.")]
    replies += [call(*CHANGE[:1], **CHANGE[1]), text("Left as it is.")]
    replies += [calls(("health", HERE), ("changes", HERE)), conclude]
    replies += [call(*CHANGE[:1], **CHANGE[1]), text("Done.")]
    with served(replies) as stub:
        program = Program(tmp_path, stub.url)
        lines = [f"look at part {n}; the password of app is {TYPED}" for n in range(len(turns))]
        lines += ["set the log level", f"no: password={TYPED} is wrong", "/timeline", "/evidence e1", "/more"]
        program.on("chat", typed="\n".join(lines) + "\n")
        report = program.on("ask", f"why? DB_PASSWORD={TYPED}", "--json")
        assert json.loads(report.stdout)["status"] == "concluded", report.stdout + report.stderr
        card = program.on("ask", "set the log level", "--approve", "ask")
        assert card.returncode == 4, card.stdout + card.stderr
    approval = re.findall(r"a-[\w.-]+", card.stdout)[0]
    program.run("approvals", "show", approval)
    program.run("approvals", "refuse", approval, f"password={TYPED} is not ours")
    program.run("approvals", "list", "--all")
    program.run("audit", "show", "--json")
    program.run("incident", "list")
    for thread in sorted({path.stem for path in (program.state / "threads").iterdir()}):
        program.run("incident", "show", thread)
    pasted = Planted(0, "typed", "password", TYPED, (TYPED,))
    everywhere = {"the model's requests": told(stub.asked), **program.shown}
    # Also the journals of the recorded world, though it stands for the cluster: an act may put there whatever
    # the cluster is to hold, and this one puts no secret.
    files = [p for p in program.state.rglob("*") if p.is_file()]
    everywhere |= {p.relative_to(program.state).as_posix(): p.read_bytes().decode("latin-1") for p in files}
    seen = [each for each in IN_WORLD if landmark(each) in everywhere["the model's requests"]]
    with capsys.disabled():
        print(  # noqa: T201
            f"\nplanted: {len(IN_WORLD)}, carriers the model was shown: {len(seen)}, "
            f"places searched: {len(everywhere)}, {sum(map(len, everywhere.values())) // 1024} KB"
        )
    assert len(IN_WORLD) - len(seen) < len(IN_WORLD) // 20, [e.id for e in IN_WORLD if e not in seen]
    leaks = [
        leak for where, content in everywhere.items() for leak in found(where, content, [*IN_WORLD, pasted])
    ]
    assert not leaks, "\n".join(leaks[:40])


def test_what_is_typed_at_the_prompt_is_kept_without_a_pasted_secret(tmp_path: Path) -> None:
    chat = Terminal(tmp_path, "chat", "--recording", "auth-0308")
    chat.wait("you>")
    chat.say(f"is the password {TYPED} still good?", "thinking")
    chat.wait("you>", times=2)
    assert chat.leave() == 0
    assert "still good" in (tmp_path / "history").read_text(encoding="utf-8")
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert not [path for path, content in kept.items() if TYPED.encode() in content]
