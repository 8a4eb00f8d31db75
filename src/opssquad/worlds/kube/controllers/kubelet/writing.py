"""Which recorded lines a new container repeats, and which recorded words a failing probe has."""

from datetime import timedelta
from typing import Any

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.world import LogLine
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.kubelet import logs, states
from opssquad.worlds.kube.controllers.meta import controller_of, name_of, namespace_of, status_of
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.logbook import Logbook
from opssquad.worlds.kube.recording.fates import Crash, Unready

LEAD = timedelta(milliseconds=300)


class Writing:
    """The logs of new containers. Remembers the pods of the start, which are soon gone."""

    def __init__(self, plane: Plane, book: Logbook) -> None:
        self._plane = plane
        self._book = book
        self._recorded = list(plane.all(kinds.PODS))
        self._complaints = [
            event
            for event in plane.all(kinds.EVENTS)
            if event.get("reason") == "Unhealthy"
            and event.get("message", "").startswith("Readiness probe failed")
        ]

    def start(self, pod: Json, container: Json) -> None:
        """A container starts well."""
        status = states.status_of_container(pod, container["name"])
        begin = self._plane.now + LEAD
        lines = logs.restamped(self._opening(pod, container), begin)
        self._book.begin(_where(pod, container), lines, fresh=not status["restartCount"])

    def crash(self, pod: Json, container: Json, crash: Crash, shortest: float) -> float:
        """A container starts and will crash; gives the seconds that it lasts."""
        status = states.status_of_container(pod, container["name"])
        lines = self._book.lines(crash.log) if crash.log else self._opening(pod, container)
        begin = self._plane.now + LEAD
        self._book.begin(
            _where(pod, container), logs.restamped(lines, begin), fresh=not status["restartCount"]
        )
        return max(shortest, logs.span(lines) + 2 * LEAD.total_seconds()) if lines else shortest

    def end(self, pod: Json, container: str) -> None:
        """A container writes no more."""
        self._book.end((namespace_of(pod), name_of(pod), container), self._plane.now)

    def _opening(self, pod: Json, container: Json) -> list[LogLine]:
        family = _family(pod)
        for other in self._recorded:
            if namespace_of(other) != namespace_of(pod) or _family(other) != family:
                continue
            theirs = next((c for c in other["spec"]["containers"] if c["name"] == container["name"]), None)
            for lines, started in self._instances(other, container["name"]):
                if theirs and (found := logs.opening(lines, started)):
                    return logs.adapted(found, theirs, container)
        return []

    def _instances(self, pod: Json, container: str) -> list[tuple[list[LogLine], Any]]:
        found = []
        for status in status_of(pod).get("containerStatuses") or ():
            if status["name"] != container:
                continue
            last = (status.get("lastState") or {}).get("terminated")
            state = status["state"].get("running") or status["state"].get("terminated")
            for previous, part in ((False, state or last), (True, last)):
                lines = self._book.recorded((namespace_of(pod), name_of(pod), container), previous)
                if part and lines:
                    found.append((lines, parse_time(part["startedAt"])))
        return found

    def with_address(self, text: str, pod: Json) -> str:
        """A text in which `$ip` is the address of a pod."""
        found = self._plane.get(kinds.PODS, namespace_of(pod), name_of(pod)) or pod
        return text.replace("$ip", status_of(found).get("podIP", ""))

    def probe_failure(self, pod: Json, container: Json, told: Unready | None) -> str:
        """What the kubelet says of a failing readiness probe: the words of its fate, or recorded ones, with
        this pod's address."""
        if told:
            return self.with_address(told.message, pod)
        family = _family(pod)
        pods = {name_of(other): other for other in self._recorded if _family(other) == family}
        for event in self._complaints:
            if other := pods.get(event["involvedObject"]["name"]):
                theirs, ours = status_of(other).get("podIP", ""), status_of(pod).get("podIP", "")
                message: str = event["message"]
                return message.replace(theirs, ours) if theirs and ours else message
        return "Readiness probe failed: HTTP probe failed with statuscode: 503"


def _where(pod: Json, container: Json) -> tuple[str, str, str]:
    return namespace_of(pod), name_of(pod), container["name"]


def _family(pod: Json) -> str:
    """What the pods of one workload have in common: the name of their owner without its hash."""
    owner = controller_of(pod)
    if owner is None:
        return name_of(pod)
    name: str = owner["name"]
    return name.rpartition("-")[0] if owner["kind"] == "ReplicaSet" else name
