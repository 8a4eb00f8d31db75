"""What a user installs: the wheel holds squads, tools, prompts, recordings, suites, and works elsewhere."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, far from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(site: Path, home: Path, *words: str) -> str:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "opssquad", *words]
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_what_a_run_needs(installed: Path) -> None:
    bundled = installed / "opssquad" / "bundled"
    for name in (
        "squads/k8s/squad.yaml",
        "squads/k8s/runbooks/crash-loop.md",
        "tools/health.py",
        "prompts/k8s.md",
        "evals/recordings/auth-0308/incident.yaml",
    ):
        assert (bundled / name).is_file(), name
    starting = installed / "opssquad" / "extensions" / "starting"
    for name in ("templates/python-read.py.tmpl", "recording/cluster/objects.jsonl.gz"):
        assert (starting / name).is_file(), name
    for name in ("page.html.j2", "run.html.j2", "drawing.html.j2", "page.css"):
        assert (installed / "opssquad" / "evals" / "report" / "page" / name).is_file(), name


def test_a_suite_is_played_from_the_wheel_in_another_folder(installed: Path, tmp_path: Path) -> None:
    told = run(installed, tmp_path, "eval", "run", "smoke", "--fail-under", "passed=1")
    assert "5 of 5" in told


def test_the_demo_runs_from_the_wheel_in_another_folder(installed: Path, tmp_path: Path) -> None:
    told = run(installed, tmp_path, "demo", "--fast")
    assert "better: auth-service is settled" in " ".join(told.split())


def test_a_question_is_answered_from_the_wheel_in_another_folder(installed: Path, tmp_path: Path) -> None:
    assert '"fault": "K01"' in run(installed, tmp_path, "ask", "why?", "--recording", "auth-0308", "--json")


def test_a_tool_is_begun_and_called_from_the_wheel_in_another_folder(installed: Path, tmp_path: Path) -> None:
    told = run(installed, tmp_path, "tool", "new", "images")
    words = next(line.split()[1:] for line in told.splitlines() if line.startswith("  opssquad tool run"))
    assert "shop/web:1.5.0" in run(installed, tmp_path, *(each.replace("~", str(tmp_path)) for each in words))
    kit = "from opssquad.testing import call; call('images', {'namespace': 'shop'}, recording='auth-0308')"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(installed)}
    subprocess.run([sys.executable, "-c", kit], cwd=tmp_path, env=env, check=True, timeout=120)
