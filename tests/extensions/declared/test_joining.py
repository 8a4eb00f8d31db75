"""Declared tools as the product has them: found, joined to squads, run through the gate over a recording."""

import shutil
import subprocess
import sys
from pathlib import Path

from opssquad import content
from opssquad.extensions.library import library, tools
from tests.extensions.declared.samples import CHANGES, READS

SQUAD = "squads: [k8s]\nkind:"
TOLD = """
- {argv: [queuectl, show, orders], out: "state: running"}
- {argv: [queuectl, pause, orders], out: done}
- {argv: [queuectl, show, orders], out: "state: paused", after: [queuectl, pause, orders]}
"""


def test_a_declared_tool_is_found_beside_those_in_python(own: Path) -> None:
    (own / "tools" / "queues.yaml").write_text(CHANGES.replace("kind:", SQUAD))
    (own / "tools" / "broken.yaml").write_text(READS.replace("effect: read\n", ""))
    pause, back = tools(["pause", "pause_undo"])
    assert (pause.source, back.effect) == ("user", "mutate")
    assert {"pause", "pause_undo"} <= set(library().joining("k8s"))
    (broken,) = library().broken
    assert str(broken).startswith(f"{own}/tools/broken.yaml:2: tool 'listing': effect is not declared")


def test_a_declared_tool_may_not_have_the_name_of_one_of_ours(own: Path) -> None:
    (own / "tools" / "health.yaml").write_text(READS.replace("listing", "health"))
    (broken,) = library().broken
    assert str(broken).startswith(f"{own}/tools/health.yaml:2: tool 'health' has the name of one of ours")


def test_a_change_goes_through_the_gate_and_is_verified_over_a_recording(own: Path, tmp_path: Path) -> None:
    (own / "tools" / "queues.yaml").write_text(CHANGES.replace("kind:", SQUAD))
    recording = tmp_path / "recorded"
    shutil.copytree(next(iter(content.recordings().values())), recording)
    (recording / "commands").mkdir()
    (recording / "commands" / "commands.yaml").write_text(TOLD)

    argv = [sys.executable, "-m", "opssquad", "tool", "run", "pause", "--arg", "queue=orders"]
    argv += ["--recording", str(recording), "--approve", "all"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    said = " ".join((done.stdout + done.stderr).split())
    assert "$ queuectl pause orders" in said
    assert "Effect state: running" in said
    assert "Undo run queuectl resume orders" in said
    assert "Verified: better. it is as expected (a line of it matches paused)" in said
