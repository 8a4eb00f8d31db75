"""`recording capture`, `lint` and `show` as a person uses them, on a cluster that is served."""

import gzip
import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from opssquad.cli.render.recordings import show_captured
from opssquad.cli.render.screen import Screen
from opssquad.evals.capture import Captured
from opssquad.worlds.kube.recording.notes import CaptureNotes, Missing
from tests.cli.test_recording import OPSSQUAD, environment, run

RECORDINGS = Path(__file__).resolve().parents[2] / "evals" / "recordings"
QUESTION = "why does checkout not roll out?"


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of a served recording."""
    home = tmp_path_factory.mktemp("served")
    line = [*OPSSQUAD, "recording", "serve", "shop-0412"]
    with subprocess.Popen(line, env=environment(home), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removeprefix("KUBECONFIG=")
        process.kill()


@pytest.fixture(scope="module")
def made(kubeconfig: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A capture of it, and what was said."""
    home = tmp_path_factory.mktemp("made")
    line = ("recording", "capture", "-n", "shop", "--title", "Orders are slow", "--question", QUESTION)
    done = run(home, *line, "--out", str(home / "web-0412"), KUBECONFIG=kubeconfig)
    assert done.returncode == 0, done.stderr
    return home / "web-0412", done.stdout


def test_a_capture_says_what_it_holds_and_what_it_took_out(made: tuple[Path, str]) -> None:
    folder, said = made
    assert said.startswith("captured web-0412\n")
    assert "176 objects, 17 logs with 2831 lines" in said
    assert "3 values of Secrets, 0 secrets in other objects, 0 in logs" in said
    assert "could not be read" not in said
    files = {file.name for file in folder.iterdir()}
    assert files == {"cluster", "logs", "incident.yaml", "missing.yaml", "world.yaml"}
    incident = (folder / "incident.yaml").read_text()
    assert "title: Orders are slow" in incident
    assert QUESTION in incident


def test_the_squad_answers_on_the_capture_as_on_what_was_captured(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    answers = []
    for recording in (str(made[0]), "shop-0412"):
        done = run(tmp_path, "ask", "--recording", recording, QUESTION)
        assert done.returncode == 0, done.stderr
        # The clock of the capture is a few seconds further on; threads have names of their own.
        said = done.stdout.partition("Conclusion")[2].partition("\nthread ")[0]
        answers.append(said)
    assert "7.2.0-gift is not to be had" in " ".join(answers[0].split())
    assert answers[0] == answers[1]


def test_a_capture_lints_as_without_a_verdict(made: tuple[Path, str], tmp_path: Path) -> None:
    done = run(tmp_path, "recording", "lint", str(made[0]))
    assert done.returncode == 3
    assert re.sub(r"\s", "", done.stdout).startswith(f"{made[0]}:noverdictyettruth.yamlismissing")


def test_lint_tells_broken_from_undecided_and_from_fair(made: tuple[Path, str], tmp_path: Path) -> None:
    done = run(tmp_path, "recording", "lint", str(RECORDINGS / "shop-0412"))
    assert done.returncode == 0
    assert "shop-0412: ok\n" in done.stdout
    assert "  ? truth.yaml: accepted patch of Deployment/shop/checkout: not decided" in done.stdout
    done = run(tmp_path, "recording", "lint", str(made[0]), str(tmp_path / "gone"))
    assert done.returncode == 1
    assert "1 problem" in done.stdout


@pytest.mark.parametrize("folder", sorted(RECORDINGS.iterdir()), ids=lambda p: p.name)
def test_show_fits_a_screen_of_80_by_24(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from opssquad.cli.app import run as opssquad

    assert opssquad(["recording", "show", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    # One line is left for the prompt.
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"{folder.name}  ")


def test_show_says_what_a_recording_holds_and_its_verdict_only_when_asked(tmp_path: Path) -> None:
    plain = " ".join(run(tmp_path, "recording", "show", "shop-0412").stdout.split())
    for part in (
        "17 min after it was reported",
        "acme-prod-eu, Kubernetes v1.36.2",
        "CheckoutLatencyHigh firing for 29 min",
        "17 files",
        "checkout 2/3",
        "Pod checkout-656c54f46c-gx5rw: not ready",
    ):
        assert part in plain
    assert "does not exist in the registry" not in plain
    told = " ".join(run(tmp_path, "recording", "show", "shop-0412", "--truth").stdout.split())
    for part in (
        "Fault K02 in Deployment shop/checkout",
        "tag 7.2.0-gift does not exist in the registry",
        "Helps rollback Deployment/shop/checkout",
        "Harms restart Deployment/shop/checkout",
        "Evidence event Pod/shop/checkout-656c54f46c-gx5rw",
    ):
        assert part in told


def test_show_says_what_a_capture_misses_and_that_it_has_no_verdict(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    notes = made[0] / "missing.yaml"
    before = notes.read_text()
    gone = "missing:\n- {kind: Secret, where: shop, reason: secrets is forbidden}\n"
    notes.write_text(before.replace("missing: []\n", gone))
    try:
        done = run(tmp_path, "recording", "show", str(made[0]), "--truth")
    finally:
        notes.write_text(before)
    assert done.returncode == 0
    assert "Missing    Secret shop: secrets is forbidden" in done.stdout
    assert "no verdict yet: truth.yaml is missing" in done.stdout


def test_everything_that_could_not_be_read_is_on_screen(tmp_path: Path) -> None:
    logs = [f"logs/shop/web-{number}/web.log" for number in range(9)]
    missing = [
        Missing(kind="Secret", where="shop", reason="secrets is forbidden"),
        *(Missing(kind="log", where=log, reason="no answer") for log in logs),
        Missing(kind="Node", where="", reason="nodes is forbidden"),
    ]
    at = datetime(2026, 4, 12, 10, 41, tzinfo=UTC)
    notes = CaptureNotes(captured_at=at, namespaces=["shop"], missing=missing)
    shown = StringIO()
    show_captured(Screen(width=80, file=shown), Captured(tmp_path / "web-0412", 5, 1, 2, notes))
    lines = shown.getvalue().splitlines()
    assert "  Missing    11 things could not be read:" in lines
    assert "    - Secret shop: secrets is forbidden" in lines
    assert "    - Node: nodes is forbidden" in lines
    assert sum(line.endswith("/web.log: no answer") for line in lines) == 9


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--out", "web-0412", "--since", "soon"), "--since is 'soon'; give a time as"),
        (("--out", "web-0412", "--context", "nowhere"), "no context 'nowhere'"),
        (("--out", "web-0412", "-n", "shpo"), "no namespace 'shpo'; nearest: shop"),
        (("--out", "/"), "--out / has no name"),
        ((), "Missing option '--out'"),
    ],
)
def test_a_capture_that_cannot_be_meant_is_refused_in_one_line(
    options: tuple[str, ...], said: str, kubeconfig: str, tmp_path: Path
) -> None:
    line = [*OPSSQUAD, "recording", "capture", "-n", "shop", *options]
    env = environment(tmp_path, KUBECONFIG=kubeconfig)
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert not (tmp_path / "web-0412").exists()


def test_a_capture_without_a_cluster_is_told_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    names = {"cluster": "c", "user": "u"}
    config.write_text(
        json.dumps(
            {
                "current-context": "x",
                "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "x", "context": names}],
            }
        )
    )
    out = tmp_path / "web-0412"
    done = run(tmp_path, "recording", "capture", "-n", "shop", "--out", str(out), KUBECONFIG=str(config))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be reached" in done.stderr
    assert not list(tmp_path.glob("*web-0412*"))


def test_ctrl_c_leaves_no_half_recording(kubeconfig: str, tmp_path: Path) -> None:
    out = tmp_path / "web-0412"
    line = [*OPSSQUAD, "recording", "capture", "-n", "shop", "--out", str(out)]
    with subprocess.Popen(line, env=environment(tmp_path, KUBECONFIG=kubeconfig)) as process:
        end = time.monotonic() + 30
        while not list(tmp_path.glob(".web-0412.*")) and time.monotonic() < end:
            time.sleep(0.01)
        assert list(tmp_path.glob(".web-0412.*"))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert not list(tmp_path.glob("*web-0412*"))


def test_the_objects_are_one_to_a_line_as_the_api_gave_them(made: tuple[Path, str]) -> None:
    packed = (made[0] / "cluster" / "objects.jsonl.gz").read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    first = json.loads(lines[0])
    assert list(first)[:3] == ["apiVersion", "kind", "metadata"]
    assert first["kind"] == "Node"
    assert first["metadata"]["managedFields"]
    assert lines[0] == json.dumps(first, separators=(",", ":"), ensure_ascii=False)
