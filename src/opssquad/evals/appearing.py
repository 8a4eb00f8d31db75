"""A folder that is to appear under its name when it is whole, over nothing that is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from opssquad.errors import UsageError


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """An empty folder of the same name beside the one that is meant (`--out`), to be renamed to it when it is
    whole; it is removed at the end otherwise. Raises UsageError where something stands there already, OSError
    where the disk fails."""
    _refuse_full(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(
        prefix=f".{folder.name}.", dir=folder.parent, ignore_cleanup_errors=True
    ) as temporary:
        part = Path(temporary) / folder.name
        part.mkdir()
        yield part


def _refuse_full(folder: Path) -> None:
    """Nothing that is there is written over."""
    if not folder.name:
        raise UsageError(f"--out {folder} has no name; give a folder that is to be made, such as ./web-0412")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"--out {folder} is there and is no folder; give another name")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"--out {folder} is not empty; give a folder that is to be made")
