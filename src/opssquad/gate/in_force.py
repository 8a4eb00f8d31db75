"""The policy as its files say now: a chat is open for hours, and a freeze may be written meanwhile."""

from collections.abc import Callable, Iterable
from pathlib import Path

from opssquad.gate.policy import Policy

Stamp = tuple[int, int, int, int] | None
"""Inode, times of its content and of itself, and size of a file; None for one that is not there. The second
time cannot be set back by who copies a file with its old date."""


class InForce:
    """A policy that is read again as soon as a file that it was read from is another, or one of `places` has
    one. `read` reads it; one that cannot be read any more refuses everything, until it can."""

    def __init__(self, read: Callable[[], Policy], places: Iterable[Path] = ()) -> None:
        self._read, self._places = read, tuple(places)
        self._policy = read()
        self._stamps = self._files()

    def now(self) -> Policy:
        """The policy in force now."""
        seen = {path: _stamp(path) for path in self._stamps}
        if self._policy.problem or seen != self._stamps:
            self._policy = self._read()
            # As they were before the reading: a file that changes amid it is read again.
            self._stamps = {**self._files(), **seen}
        return self._policy

    @property
    def files(self) -> frozenset[Path]:
        """The files that it was read from."""
        return frozenset(path for layer in self._policy.layers for path, _ in layer.files)

    def become(self, other: "InForce") -> None:
        """Go by another one from now on, for all who hold this."""
        self._read, self._places = other._read, other._places
        self._policy, self._stamps = other._policy, other._stamps

    def _files(self) -> dict[Path, Stamp]:
        return {path: _stamp(path) for path in (*self._places, *self.files)}


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
