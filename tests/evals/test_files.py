"""A report on disk: written whole or not at all; what is no report is told in one line."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from opssquad.errors import OpsError, StoreError, UsageError
from opssquad.evals.report.files import read_report, write_report
from tests.evals.samples import JUDGED, a_report, a_result, few, fixed_end, large, not_made


@contextmanager
def no_room() -> Iterator[None]:
    """The system lets no file of this process grow: a write ends as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    report = large(3, 4)
    results = (*report.results, a_result("x", end=fixed_end(left=("Deployment/a/b",))), not_made("y"))
    report = report.model_copy(update={"results": results, "judged": JUDGED})
    write_report(report, tmp_path / "report.json")
    assert read_report(tmp_path / "report.json") == report


def test_an_older_report_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_report(a_report(few(1, 2)), tmp_path / "report.json")
    write_report(a_report(few(2, 2)), tmp_path / "report.json")
    assert read_report(tmp_path / "report.json") == a_report(few(2, 2))
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_full_disk_is_one_line_and_the_old_report_stays(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_report(a_report(few(1, 2)), path)
    with no_room(), pytest.raises(StoreError) as failed:
        write_report(a_report(few(2, 2)), path)
    assert str(path) in str(failed.value)
    assert "\n" not in str(failed.value)
    assert read_report(path) == a_report(few(1, 2))
    assert [each.name for each in tmp_path.iterdir()] == ["report.json"]


def test_a_folder_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; name a file in it"):
        write_report(a_report([]), tmp_path)
    with pytest.raises(OpsError, match="No such file or directory"):
        write_report(a_report([]), tmp_path / "nowhere" / "report.json")


def damaged(**change: Any) -> str:
    told = json.loads(a_report(few(1, 2)).model_dump_json())
    return json.dumps({**told, **change})


WHOLE = damaged()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: not JSON"),
        (WHOLE[: len(WHOLE) // 2], "not JSON"),
        ("[1, 2]", "format: is missing; not a report of eval runs"),
        ('{"results": []}', "format: is missing"),
        ("[" * 100_000, "nested too deeply"),
        (damaged(format=7), "format: is 7, this version reads 1"),
        (damaged(format="1"), "format: is '1', this version reads 1"),
        (damaged(started="yesterday"), "started: "),
        (damaged(surplus=1), "surplus: extra inputs are not permitted"),
        (damaged(suites=[{"name": "k8s", "version": 1}]), "suites.0.digest: field required"),
        (damaged(results=[{"key": 3}]), "results.0."),
    ],
)
def test_what_is_no_report_is_one_line_with_file_and_field(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_report(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this file is missing"):
        read_report(tmp_path / "none.json")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_report(tmp_path)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        read_report(tmp_path / "binary.json")
