"""A folder that appears under its name when it is whole, and is left out of the way of what is there."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from opssquad.errors import UsageError


@contextlib.contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """A folder beside the one that is meant (`--out`). It takes that name at the end, or is removed. Raises
    UsageError where something stands there already, OSError where the disk fails."""
    _refuse_full(folder)
    beside = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.partial"
    beside.mkdir(parents=True)
    try:
        yield beside
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _refuse_full(folder: Path) -> None:
    """Nothing that is there is written over."""
    if not folder.name:
        raise UsageError(f"--out {folder} has no name; give a folder that is to be made, such as ./web-0412")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"--out {folder} is there and is no folder; give another name")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"--out {folder} is not empty; give a folder that is to be made")
