"""Keys of this installation: random bytes in files of the state folder that only their owner reads.

What a key is for is its user's: grants are signed with one, placeholders of secrets are tagged with another.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from opssquad.errors import StoreError

KEY_BYTES = 32


def load_key(path: Path) -> bytes:
    """The key in that file, made (mode 0600) where there is none.

    Raises StoreError if it cannot be read, is not a key, or may be read by others.
    """
    try:
        if not path.exists():
            _make_key(path)
        if not path.is_file():
            raise StoreError(f"{path} is no file; move it away to have a new key made")
        if path.stat().st_mode & 0o077:
            raise StoreError(f"{path} can be read by others; run: chmod 600 {path}")
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror}; check the permissions of the state folder, and that the disk has room"
        ) from error
    if len(key) != KEY_BYTES:
        raise StoreError(f"{path} is not a key of {KEY_BYTES} bytes; move it away to have a new one made")
    return key


def _make_key(path: Path) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    try:
        fresh.write_bytes(secrets.token_bytes(KEY_BYTES))
        # Whole or not at all, and the first of two processes wins.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink()
