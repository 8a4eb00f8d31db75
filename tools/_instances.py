"""Which log to read: the container that is worst off, and the instance of it that tells why.

Pure functions over Pod objects; reading is `logs`' business.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from opssquad import Json, ToolError, ago

from ._kube import dig
from ._pods import Container, Past, containers, is_finished, restarts

Previous = Literal["auto", "yes", "no"]
FRESH = timedelta(minutes=2)
"""An instance younger than this has had no time to tell what ended the one before."""
STARTING = ("ContainerCreating", "PodInitializing", "")
DEFAULT = "kubectl.kubernetes.io/default-container"


@dataclass(frozen=True)
class Instance:
    """One instance of a container of a pod. `why` tells the reader how it was chosen, "" where it is simply
    the current one; `started` is False where there has never been an instance, so there is no log; `auto`
    where the other instance may be read instead if this one tells nothing."""

    pod: Json
    container: str
    previous: bool = False
    why: str = ""
    ended: Past | None = None
    started: bool = True
    restarts: int = 0
    auto: bool = True

    def other(self, why: str) -> "Instance":
        """The current instance in place of the one before, or the other way round."""
        return replace(self, previous=not self.previous, why=why, ended=None)


def instance(pod: Json, name: str, previous: Previous, now: datetime) -> Instance:
    """The instance to read. Raises ToolError for a container that the pod does not have."""
    container = _container(pod, name)
    if isinstance(container, str):
        phase = dig(pod, "status", "reason") or dig(pod, "status", "phase", default="Pending")
        return Instance(pod, container, why=f"no container of it was ever started ({phase})", started=False)
    before, why = _which(container, previous, now)
    current = container.ended or (container.last if container.waiting else None)
    return Instance(
        pod,
        container.name,
        before,
        why,
        container.last if before else current,
        started=not (container.waiting and not container.last and not container.ended),
        restarts=container.restarts,
        auto=previous == "auto",
    )


def _which(container: Container, previous: Previous, now: datetime) -> tuple[bool, str]:
    end = f", the instance that ended {how(container.last, now)}" if container.last else ""
    if previous != "auto":
        return previous == "yes", f"previous{end}" if previous == "yes" else ""
    if container.waiting and container.last:
        return True, f"previous{end}; the container waits in {container.waiting}"
    if container.waiting and not container.ended:
        message = f": {container.message}" if container.message else ""
        return False, f"it was never started: {container.waiting}{message}"
    if container.last and container.running_since and now - container.running_since < FRESH:
        return True, f"previous{end}; the container restarted {ago(container.running_since, now)}"
    if container.ended:
        return False, f"it ended {how(container.ended, now)}"
    return False, ""


def how(past: Past, now: datetime) -> str:
    """`20 s ago with exit code 1 (Error)`."""
    when = f"{ago(past.finished, now)} " if past.finished else ""
    return f"{when}with exit code {past.exit_code}" + (f" ({past.reason})" if past.reason else "")


def _container(pod: Json, name: str) -> Container | str:
    """The container by name, or the worst off; only its name where the kubelet has not reported on it."""
    listed = [
        each["name"]
        for kind in ("initContainers", "containers", "ephemeralContainers")
        for each in dig(pod, "spec", kind, default=())
    ]
    if name and name not in listed:
        raise ToolError(
            f"pod {pod['metadata']['name']!r} has no container {name!r}; it has: {', '.join(listed)}"
        )
    known = containers(pod)
    wanted = name or _worst(known) or _first(pod)
    return next((each for each in known if each.name == wanted), wanted)


def _first(pod: Json) -> str:
    marked = dig(pod, "metadata", "annotations", DEFAULT)
    return str(marked or dig(pod, "spec", "containers", 0, "name", default=""))


def _worst(known: Sequence[Container]) -> str:
    graded = [(trouble(each), each) for each in known]
    grade, worst = max(graded, key=lambda pair: pair[0], default=(0, None))
    return worst.name if worst and grade else ""


def trouble(container: Container) -> int:
    """How badly off a container is: 3 fails to run, 2 not ready, 1 was restarted, 0 fine."""
    failed = container.ended is not None and container.ended.exit_code != 0
    if failed or container.waiting not in STARTING:
        return 3
    if container.init:
        return 2 if container.running_since and not container.ready else 0
    if container.running_since and not container.ready:
        return 2
    return 1 if container.restarts else 0


def most_broken(pods: Iterable[Json]) -> Json | None:
    """The pod whose containers are worst off, the most restarted of several; None where all run and are
    ready."""
    graded = [(max(map(trouble, containers(pod)), default=0), restarts(pod), pod) for pod in pods]
    broken = [each for each in graded if each[0] >= 2 and not is_finished(each[2])]
    return max(broken, key=lambda each: each[:2])[2] if broken else None
