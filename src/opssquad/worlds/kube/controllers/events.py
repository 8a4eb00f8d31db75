"""Events as controllers and kubelets record them: repeats counted, similar ones combined, floods held back.

The limits are those of client-go: the 10th different message about one object and reason within 10 minutes is
combined, and one source may say 25 things about an object and then one every 5 minutes.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.meta import copy

if TYPE_CHECKING:
    from opssquad.worlds.kube.controllers.plane import Plane

SIMILAR, WINDOW = 10, timedelta(minutes=10)
BURST, REFILL = 25, 300.0
COMBINED = "(combined from similar events): "


class Recorder:
    """Writes events about objects. Recorded ones are not repeated: controllers forget when they restart."""

    def __init__(self, plane: "Plane") -> None:
        self._plane = plane
        self._names: dict[tuple[str, ...], str] = {}
        self._messages: dict[tuple[str, ...], tuple[datetime, set[str]]] = {}
        self._tokens: dict[tuple[str, ...], tuple[float, datetime]] = {}

    def say(
        self,
        about: Json,
        reason: str,
        message: str,
        component: str,
        *,
        warning: bool = False,
        host: str = "",
        field: str = "",
    ) -> None:
        """Record that something happened to an object; `field` is the path of a container in its spec."""
        kind = "Warning" if warning else "Normal"
        source = {"component": component, "host": host} if host else {"component": component}
        involved = self._involved(about, field)
        if not self._may_speak(source, involved):
            return
        similar = _similar(source, involved, kind, reason)
        key, text = self._correlate(similar, message)
        known = self._names.get(key)
        stored = self._plane.get(kinds.EVENTS, involved["namespace"] or "default", known) if known else None
        if stored:
            self._repeat(stored, text, component)
            return
        event = {
            "involvedObject": {k: v for k, v in involved.items() if v},
            "reason": reason,
            "message": text,
            "source": source,
            "firstTimestamp": rfc3339(self._plane.now),
            "lastTimestamp": rfc3339(self._plane.now),
            "count": 1,
            "type": kind,
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": host,
        }
        self._names[key] = self._write(involved, event, component)

    def say_new_form(
        self, about: Json, reason: str, message: str, action: str, *, warning: bool = False
    ) -> None:
        """Record an event as the scheduler does, in the form of events.k8s.io."""
        involved = self._involved(about, "")
        kind = "Warning" if warning else "Normal"
        similar = _similar({"component": "default-scheduler"}, involved, kind, reason)
        known = self._names.get((*similar, message))
        stored = self._plane.get(kinds.EVENTS, involved["namespace"], known) if known else None
        if stored:
            series = {
                "count": stored.get("series", {}).get("count", 1) + 1,
                "lastObservedTime": self._micro(),
            }
            self._plane.update(kinds.EVENTS, {**copy(stored), "series": series}, "kube-scheduler")
            return
        event = {
            "involvedObject": {k: v for k, v in involved.items() if v},
            "reason": reason,
            "message": message,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": kind,
            "eventTime": self._micro(),
            "action": action,
            "reportingComponent": "default-scheduler",
            "reportingInstance": "default-scheduler-control-plane",
        }
        self._names[(*similar, message)] = self._write(involved, event, "kube-scheduler")

    def _micro(self) -> str:
        return self._plane.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    @staticmethod
    def _involved(about: Json, field: str) -> Json:
        meta = about["metadata"]
        return {
            "kind": about["kind"],
            "namespace": meta.get("namespace", ""),
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": meta["resourceVersion"],
            "fieldPath": field,
        }

    def _may_speak(self, source: Json, involved: Json) -> bool:
        key = (*source.values(), involved["kind"], involved["namespace"], involved["name"], involved["uid"])
        tokens, last = self._tokens.get(key, (float(BURST), self._plane.now))
        tokens = min(BURST, tokens + (self._plane.now - last).total_seconds() / REFILL)
        self._tokens[key] = (tokens - (tokens >= 1), self._plane.now)
        return tokens >= 1

    def _correlate(self, similar: tuple[str, ...], message: str) -> tuple[tuple[str, ...], str]:
        last, said = self._messages.get(similar, (self._plane.now, set()))
        if self._plane.now - last > WINDOW:
            said = set()
        if message in said or len(said) < SIMILAR - 1:
            self._messages[similar] = (self._plane.now, said | {message})
            return (*similar, message), message
        self._messages[similar] = (self._plane.now, said)
        return similar, COMBINED + message

    def _repeat(self, stored: Json, message: str, component: str) -> None:
        stamp = rfc3339(self._plane.now)
        event = {
            **copy(stored),
            "count": stored.get("count", 1) + 1,
            "lastTimestamp": stamp,
            "message": message,
        }
        self._plane.update(kinds.EVENTS, event, _manager(component))

    def _write(self, involved: Json, event: Json, manager: str) -> str:
        nanoseconds = int(self._plane.now.timestamp() * 1_000_000) * 1000 + self._plane.store.revision % 1000
        name = f"{involved['name']}.{nanoseconds:x}"
        meta = {"name": name, "namespace": involved["namespace"] or "default"}
        obj = {"apiVersion": "v1", "kind": "Event", "metadata": meta, **event}
        self._plane.create(kinds.EVENTS, obj, _manager(manager))
        return name


def _similar(source: Json, about: Json, kind: str, reason: str) -> tuple[str, ...]:
    fields = ("kind", "namespace", "name", "uid", "fieldPath")
    return (
        source.get("component", ""),
        source.get("host", ""),
        *(about.get(f, "") for f in fields),
        kind,
        reason,
    )


def _manager(component: str) -> str:
    return component if component in ("kubelet", "kube-scheduler") else "kube-controller-manager"
