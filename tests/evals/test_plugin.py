"""The pytest plugin in a pytest of its own, on recordings in a folder of a team's."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

from opssquad import content
from opssquad.evals.plugin import MANNERS
from opssquad.evals.result import Manner
from tests.evals.program import environment


def play(folder: Path, *given: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on the folder, with the installed plugin and none of this project's settings."""
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", *given, str(folder)]
    return subprocess.run(
        command,
        env=environment(folder / "state", **environ),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def copy(folder: Path, id: str) -> Path:
    return Path(shutil.copytree(content.recordings()[id], folder / id))


def test_a_folder_is_a_test_and_words_of_its_fault_select_it(tmp_path: Path) -> None:
    for id in ("auth-0308", "shop-0412", "media-0702"):
        copy(tmp_path, id)
    one = play(tmp_path, "-k", "crash")
    assert one.returncode == 0, one.stdout
    assert "1 passed, 2 deselected" in one.stdout
    assert "incident.yaml::auth-0308 PASSED" in one.stdout
    two = play(tmp_path, "-k", "K02 or K14", "-n", "2", "--opssquad-manner", "approve")
    assert two.returncode == 0, two.stdout
    assert "2 passed" in two.stdout


def test_a_failure_shows_what_was_expected_what_was_said_and_the_last_looks(tmp_path: Path) -> None:
    truth = copy(tmp_path, "shop-0412") / "truth.yaml"
    truth.write_text(truth.read_text().replace("fault: K02", "fault: K03"), encoding="utf-8")
    ended = play(tmp_path)
    assert ended.returncode == 1
    assert "expected: K03 Deployment/shop/checkout" in ended.stdout
    assert "said:     K02 Deployment/shop/checkout" in ended.stdout
    assert "look:     health(" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_a_damaged_recording_is_one_line_and_the_others_are_played(tmp_path: Path) -> None:
    copy(tmp_path, "auth-0308")
    (copy(tmp_path, "shop-0412") / "truth.yaml").write_text("fault: [", encoding="utf-8")
    ended = play(tmp_path, "--continue-on-collection-errors")
    assert "1 passed, 1 error" in ended.stdout
    assert "truth.yaml, line" in ended.stdout
    assert "Traceback" not in ended.stdout


def test_an_endpoint_that_is_down_skips_and_says_why(tmp_path: Path) -> None:
    copy(tmp_path, "shop-0412")
    ended = play(tmp_path, "-rs", "--opssquad-model", "m", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert "1 skipped" in ended.stdout
    assert "127.0.0.1:9" in ended.stdout


def test_pytest_offers_every_manner_that_a_suite_may_have() -> None:
    assert get_args(Manner) == MANNERS
