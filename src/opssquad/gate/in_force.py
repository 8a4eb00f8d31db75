"""The policy as its files say now: a chat is open for hours, and a freeze may be written meanwhile."""

from collections.abc import Callable
from pathlib import Path

from opssquad.gate.policy import Policy

Stamp = tuple[int, int, int] | None
"""Inode, time and size of a file; None for one that is not there."""


class InForce:
    """A policy that is read again as soon as a file that it was read from is another. `read` reads it; one
    that cannot be read any more refuses everything, until it can."""

    def __init__(self, read: Callable[[], Policy]) -> None:
        self._read = read
        self._policy = read()
        self._stamps = _stamps(self._policy)

    def now(self) -> Policy:
        """The policy in force now."""
        if self._policy.problem or {path: _stamp(path) for path in self._stamps} != self._stamps:
            self._policy = self._read()
            self._stamps = _stamps(self._policy) or self._stamps
        return self._policy


def _stamps(policy: Policy) -> dict[Path, Stamp]:
    return {path: _stamp(path) for layer in policy.layers for path, _ in layer.files}


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
