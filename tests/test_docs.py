"""The documentation's commands are run, each as a user would type it in a checkout."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from opssquad.cli.app import run as run_here
from opssquad.cli.failures import PENDING
from opssquad.extensions import library
from tests.cli.terminal import run
from tests.guide import Guide

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "evals" / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TOOLS = ROOT / "docs" / "tools.md"
COMMANDS = [
    line.removeprefix("$ ")
    for page in PAGES
    if page != TOOLS
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
SUITE = re.compile(r"opssquad eval run (?!smoke)")
"""Whole suites take minutes, and several times that beside other tests."""
RUN = [
    pytest.param(each, marks=pytest.mark.long) if SUITE.match(each) else each
    for each in dict.fromkeys(COMMANDS)
]


@pytest.mark.parametrize("command", RUN)
def test_a_command_of_the_documentation_does_what_it_says(command: str, tmp_path: Path) -> None:
    name, *words = shlex.split(command)
    assert name == "opssquad"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "opssquad", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=900 if SUITE.match(command) else 240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


@pytest.mark.long
def test_the_guide_to_ones_own_tools_holds_from_its_first_line_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    for folder in (home, work):
        folder.mkdir()
    for name in [each for each in os.environ if each.startswith(("OPSSQUAD_", "XDG_", "KUBECONFIG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(work)

    def opssquad(*words: str) -> tuple[int, str]:
        code = run_here(words)
        said = capfd.readouterr()
        return code, said.out + said.err

    def installed(folder: Path) -> None:
        monkeypatch.syspath_prepend(folder)
        # A process that goes on does not look for packages again.
        library._loaded.cache_clear()

    Guide(home, work, opssquad, monkeypatch.setenv, installed).follow(TOOLS.read_text(encoding="utf-8"))


def test_the_files_that_the_pages_link_to_exist() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_worked_example_of_a_pending_card_runs_as_the_readme_says(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = (
        b for b in re.findall(r"```\w*\n(.*?)```", readme, re.DOTALL) if "opssquad approvals approve" in b
    )
    ask, approve, resume = (
        shlex.split(line.partition("$ ")[2], comments=True) for line in example.splitlines()
    )
    asked = run(tmp_path, *ask[1:])
    assert asked.returncode == PENDING
    printed = [line.strip().removeprefix("$ ").split() for line in asked.stdout.splitlines()]
    # The ids of this run stand where the README shows those of another.
    approve, resume = (next(p for p in printed if p[:-1] == shown[:-1]) for shown in (approve, resume))
    assert run(tmp_path, *approve[1:]).returncode == 0
    done = run(tmp_path, *resume[1:])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "better:" in done.stdout
