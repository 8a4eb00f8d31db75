"""What a world must offer so that the server can serve it. The server knows nothing of recordings beyond
this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from opssquad.worlds.kube.apiserver.request import Call, User
from opssquad.worlds.kube.apiserver.resources import Resources
from opssquad.worlds.kube.apiserver.store import Store


@dataclass(frozen=True)
class LogLine:
    """One line of a container's log; `time` is RFC 3339 with nanoseconds, as the container runtime wrote
    it.
    """

    time: str
    text: str


class Logs(Protocol):
    """The containers' logs."""

    def read(self, namespace: str, pod: str, container: str, previous: bool) -> Sequence[LogLine] | None:
        """All lines so far of the current (or previous) instance, oldest first; None if there is no such
        log.
        """


class ServedWorld(Protocol):
    """A cluster that can be served: objects, logs, who may ask, and time that passes."""

    @property
    def store(self) -> Store:
        """The objects; its `now` is the world's clock."""

    @property
    def resources(self) -> Resources:
        """What discovery tells."""

    @property
    def logs(self) -> Logs:
        """The containers' logs."""

    @property
    def version(self) -> Mapping[str, Any]:
        """The document at `/version`."""

    def advance(self) -> None:
        """Let everything happen that is due by now. Called before each request and while watches wait."""

    def authenticate(self, authorization: str) -> User | None:
        """The user of an `Authorization` header ('' if there is none); None is answered with 401."""

    def before_write(self, call: Call) -> None:
        """Told of every request that may change something, before it is applied."""
