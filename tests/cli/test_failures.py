"""An error on screen is one line; a bug's traceback is in a file."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from opssquad.cli.failures import folded, report
from opssquad.errors import ModelUnreachable, StoreError, UsageError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no context 'prd'"), 2),
        (StoreError("the disk is full"), 1),
        (ModelUnreachable("no answer"), 1),
        (click.UsageError("no such option"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (SystemExit(3), 3),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert report(error) == code


def test_the_text_of_an_error_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report(UsageError("no file 'a\x1b[2Jb'\nnext"))
    assert capsys.readouterr().err == "opssquad: no file 'a<U+001B>[2Jb' next\n"


def test_an_error_is_parted_between_words_on_a_terminal_and_left_whole_in_a_pipe() -> None:
    line = (
        "opssquad: no recording 'x'; there is: auth-0308, media-0519, /a/very/long/path/that/is/torn/nowhere"
    )
    assert folded(line, 40).splitlines() == [
        "opssquad: no recording 'x'; there is:",
        "  auth-0308, media-0519,",
        "  /a/very/long/path/that/is/torn/nowhere",
    ]
    assert folded(line, 0) == line


def test_a_bug_leaves_its_traceback_in_a_file_and_one_line_on_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        divmod(1, 0)
    assert report(caught.value, tmp_path) == 1
    said = capsys.readouterr().err
    (log,) = (tmp_path / "logs").iterdir()
    assert said.count("\n") == 1
    assert str(log) in said
    assert "ZeroDivisionError: " in said
    assert "Traceback (most recent call last)" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_a_file_that_stands_in_the_way_is_no_bug(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "worlds").write_text("", encoding="utf-8")
    with pytest.raises(FileExistsError) as caught:
        (tmp_path / "worlds").mkdir()
    assert report(caught.value, tmp_path) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"opssquad: {tmp_path / 'worlds'}: File exists; check ")
    assert not (tmp_path / "logs").exists()


def test_a_full_disk_is_told_and_any_other_system_error_is_a_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(OSError(errno.ENOSPC, "No space left on device"), tmp_path)
    assert capsys.readouterr().err.startswith("opssquad: the disk: No space left on device; ")
    report(OSError(errno.EBADF, "Bad file descriptor"), tmp_path)
    assert "this is a bug" in capsys.readouterr().err


def test_a_bug_report_and_its_line_hold_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="app") as caught:
        raise ValueError("postgres://app:hunter2-x9@db/web is no address")
    assert report(caught.value, tmp_path) == 1
    (log,) = (tmp_path / "logs").iterdir()
    for said in (capsys.readouterr().err, log.read_text(encoding="utf-8")):
        assert "postgres://app:«redacted»@db/web" in said
        assert "hunter2-x9" not in said


def test_a_mistake_is_told_without_the_secret_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    report(UsageError("the kubeconfig has token: abcdef-0123456 twice"))
    assert capsys.readouterr().err == "opssquad: the kubeconfig has token: «redacted» twice\n"


@pytest.mark.parametrize("words", ["tool list", "audit show --json", "--help"])
def test_a_closed_standard_output_is_told_in_one_line(tmp_path: Path, words: str) -> None:
    command = f"{sys.executable} -m opssquad {words} >&-"
    environment = {**os.environ, "OPSSQUAD_STATE": str(tmp_path)}
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "opssquad: standard output is closed; nothing could be shown\n",
    )
