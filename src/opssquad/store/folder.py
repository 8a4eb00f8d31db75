"""The state folder, and files that leave it: made for their owner alone, or refused."""

import os
from pathlib import Path

from opssquad.errors import StoreError, UsageError

STORE, CHECKPOINTS = "opssquad.sqlite", "checkpoints.sqlite"
"""The databases in the folder: ours, and the one of the graph's own saver."""


def prepare_folder(folder: Path, *files: str) -> None:
    """Create the folder (0700) and empty files in it (0600), or tighten them if they are ours.

    A folder that others can read and that holds anything but our files is refused. Raises StoreError.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            _tighten(folder, files)
        for name in files:
            (folder / name).touch(mode=0o600)
            (folder / name).chmod(0o600)
    except OSError as error:
        raise StoreError(f"state folder {folder}: {error.strerror}; choose another one") from error


def _tighten(folder: Path, files: tuple[str, ...]) -> None:
    present = {p.name for p in folder.iterdir()}
    if present and not present & set(files):
        raise StoreError(
            f"state folder {folder} holds other files and is open to others;"
            f" choose an empty folder, or run: chmod 700 {folder}"
        )
    folder.chmod(0o700)


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file (0600) whole or not at all. Raises UsageError if it is there and is not to be replaced,
    StoreError if it cannot be written."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            fresh.touch(mode=0o600)
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                fresh.replace(path)
            else:
                path.hardlink_to(fresh)
        finally:
            fresh.unlink(missing_ok=True)
    except FileExistsError:
        raise UsageError(f"{path} is there already; name another file") from None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; choose another place") from error
