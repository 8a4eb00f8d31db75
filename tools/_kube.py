"""What every Kubernetes tool needs of an API object: identity, owner, age, sources and quotes, kubectl.

Pure functions over objects as the API returns them. What a pod's state means lives in `_pods`, tables and
cutting in `_text`; nothing here waits or talks to a server.
"""

import json
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from opssquad import Json, Quote, Ref, duration, parse_time

CLUSTER_SCOPED = frozenset(
    {
        *("Node", "Namespace", "PersistentVolume", "StorageClass", "IngressClass", "PriorityClass"),
        *("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"),
        *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
    }
)
HASH_LABEL = "pod-template-hash"
DUE = re.compile(r"(?P<name>.+)-\d{8,10}")
"""A Job of a CronJob: its name, and the minutes (once the seconds) since 1970 at which it was due."""
YEAR = 366 * 24 * 60
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the time of what tells none: long past, so that it is never taken for news."""


def ref(obj: Json) -> Ref:
    """The object's own address."""
    meta = obj["metadata"]
    return Ref(kind=obj["kind"], namespace=meta.get("namespace", ""), name=meta["name"])


def dig(obj: Any, *path: str | int, default: Any = None) -> Any:
    """The value at a path of keys and indexes, or the default where any step is missing or null."""
    for step in path:
        try:
            obj = obj[step]
        except (KeyError, IndexError, TypeError):
            return default
        if obj is None:
            return default
    return obj


def moment(text: str | None) -> datetime | None:
    """An API time stamp as an instant; None stays None."""
    return parse_time(text) if text else None


def created(obj: Json) -> datetime | None:
    """metadata.creationTimestamp."""
    return moment(dig(obj, "metadata", "creationTimestamp"))


def uid(obj: Json) -> str:
    """metadata.uid; empty where it does not say, and then nothing is known to belong to it."""
    return str(dig(obj, "metadata", "uid", default=""))


def age(obj: Json, now: datetime) -> str:
    """How old the object is by the world's clock: `47 min`; `?` where it does not say."""
    return duration(now - start) if (start := created(obj)) else "?"


def condition(obj: Json, kind: str) -> Json:
    """The status condition of that type, or an empty dict."""
    for each in dig(obj, "status", "conditions", default=()):
        if each.get("type") == kind:
            return dict(each)
    return {}


def lately(minutes: int) -> timedelta:
    """A window of so many minutes, a year at most: no API remembers more, and no clock counts for ever."""
    return timedelta(minutes=min(max(minutes, 0), YEAR))


# Owners


def controller(obj: Json) -> Ref | None:
    """The object's controlling owner; None where there is none, or none that is named."""
    for each in dig(obj, "metadata", "ownerReferences", default=()):
        if each.get("controller") and each["kind"] and each["name"]:
            space = "" if each["kind"] in CLUSTER_SCOPED else dig(obj, "metadata", "namespace", default="")
            return Ref(kind=each["kind"], namespace=space, name=each["name"])
    return None


def owner(obj: Json, known: Mapping[Ref, Json] | None = None) -> Ref:
    """The workload that answers for an object: a pod's Deployment, StatefulSet, DaemonSet, CronJob ...

    `known` holds ReplicaSets and Jobs by ref where they were read. Without it a ReplicaSet's Deployment
    follows from its name and the template hash, and a Job's CronJob from its name and the minute it was due,
    as their controllers build them. An object without
    a controller, or one whose controller is a node (static pods), answers for itself.
    """
    up, climbed = controller(obj), {ref(obj)}
    while known and up and up in known and up not in climbed:
        obj = known[up]
        climbed.add(up)
        up = controller(obj)
    if up is None or up.kind == "Node" or up in climbed:
        return ref(obj)
    suffix = f"-{dig(obj, 'metadata', 'labels', HASH_LABEL, default='')}"
    if up.kind == "ReplicaSet" and len(suffix) > 1 and up.name.endswith(suffix):
        return Ref(kind="Deployment", namespace=up.namespace, name=up.name.removesuffix(suffix))
    if up.kind == "Job" and (due := DUE.fullmatch(up.name)):
        return Ref(kind="CronJob", namespace=up.namespace, name=due["name"])
    return up


def selected(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    """Whether labels satisfy an equality selector; an empty selector selects nothing, as for a Service."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


# Sources and quotes: what was read, and the exact words of it that a signal stands on


def compact(value: Any) -> str:
    """JSON without spaces, as it stands in sources."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def source(obj: Json, managed: bool = False) -> Quote:
    """The object as a source: compact JSON; `managed` keeps metadata.managedFields (who changed what)."""
    if not managed and "managedFields" in obj["metadata"]:
        meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
        obj = {**obj, "metadata": meta}
    return Quote(locator=str(ref(obj)), text=compact(obj))


def quote(obj: Json, fragment: str, managed: bool = False) -> Quote:
    """A fragment of the object's source. Raises ValueError where it does not stand there."""
    whole = source(obj, managed)
    if fragment not in whole.text:
        raise ValueError(f"{fragment!r} does not stand in {whole.locator}")
    return Quote(locator=whole.locator, text=fragment)


def quote_at(obj: Json, *path: str | int) -> Quote:
    """The field at a path as it stands in the source: `"replicas":0`. Where the object does not have it, as
    one that nothing was reported of yet, its name: there is no more to show."""
    value = dig(obj, *path)
    if value is None:
        return quote_at(obj, "metadata", "name")
    last = path[-1]
    return quote(obj, compact(value) if isinstance(last, int) else f"{compact(last)}:{compact(value)}")


# Events


def about(event: Json) -> Ref:
    """The object an event is about, from either form of the API (`involvedObject` or `regarding`)."""
    target = event.get("involvedObject") or event.get("regarding") or {}
    kind, name = target.get("kind") or "Unknown", target.get("name") or "-"
    return Ref(kind=kind, namespace="" if kind in CLUSTER_SCOPED else target.get("namespace", ""), name=name)


def event_text(event: Json) -> str:
    """Reason and message as one line: what event sources and quotes hold."""
    message = event.get("message") or event.get("note") or ""
    return f"{event.get('reason') or ''}: {' '.join(message.split())}"


def event_source(event: Json) -> Quote:
    """The event as a source, addressed by what it is about: `Event Pod/ns/name`."""
    return Quote(locator=f"Event {about(event)}", text=event_text(event))


def event_count(event: Json) -> int:
    """How often it was seen: of the series where there is one, else the deprecated count; at least 1."""
    count = dig(event, "series", "count") or event.get("count") or event.get("deprecatedCount")
    return int(count or 1)


def last_seen(event: Json) -> datetime:
    """When the event was last seen."""
    text = (
        dig(event, "series", "lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("deprecatedLastTimestamp")
        or event.get("eventTime")
        or dig(event, "metadata", "creationTimestamp")
    )
    return moment(text) or UNDATED


def first_seen(event: Json) -> datetime:
    """When the event was first seen."""
    text = event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp") or event.get("eventTime")
    return moment(text or dig(event, "metadata", "creationTimestamp")) or UNDATED


def times(count: int) -> str:
    """`once`, `31 times`."""
    return "once" if count == 1 else f"{count} times"


# Lines an engineer would have typed


def kubectl(*words: str, namespace: str = "", everywhere: bool = False) -> str:
    """A kubectl line, quoted for a shell: `kubectl -n shop get pods`; `everywhere` adds `-A`."""
    scope = ["-n", namespace] if namespace else []
    return shlex.join(["kubectl", *scope, *(word for word in words if word), *(["-A"] if everywhere else [])])
