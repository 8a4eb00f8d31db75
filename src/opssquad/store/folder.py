"""The state folder: made for its owner alone, or refused."""

from pathlib import Path

from opssquad.errors import StoreError


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
