"""A report as a file: JSON, written whole or not at all, read with one clear line for what is no report."""

import json
from pathlib import Path

from pydantic import ValidationError

from opssquad.documents import BadFile, misfit, read_text
from opssquad.errors import UsageError
from opssquad.evals.result import VERSION, Report
from opssquad.store.folder import write_private

_MOST = 1 << 30
"""Characters of a report: it quotes what every run has read."""


def write_report(report: Report, path: Path) -> None:
    """Write a report, over an older one, which stays as it is if that fails. Raises as `write_file`."""
    write_file(path, report.model_dump_json(indent=1).encode() + b"\n")


def write_file(path: Path, data: bytes) -> None:
    """Write any form of a report, whole or not at all, for its owner's eyes: it quotes logs. Raises
    StoreError if it cannot be written (a full disk), UsageError for a folder."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it")
    write_private(path, data, replace=True)


def read_report(path: Path) -> Report:
    """Read a report. Raises UsageError: file, field, and what is wrong."""
    text = read_text(path, _MOST)
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadFile(
            path, f"not JSON: {error.msg}; the file is damaged or no report", error.lineno
        ) from None
    except RecursionError:
        raise BadFile(path, "nested too deeply; not a report") from None
    if not isinstance(told, dict) or "format" not in told:
        raise BadFile(path, "format: is missing; not a report of eval runs")
    if told["format"] != VERSION:
        raise BadFile(path, f"format: is {told['format']!r}, this version reads {VERSION}; make it anew")
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        raise BadFile(path, misfit(error, Report)) from None
