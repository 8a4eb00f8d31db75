"""Who changed an object, when, and which fields: read from metadata.managedFields.

Pure functions. The API keeps one entry for each manager with the time of its last write, so an entry says "by
then at the latest, one or more of these fields"; the value before is known only where `kubectl apply` left it
in its annotation (`drift`).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opssquad import Json, Ref

from ._fields import Change, flat
from ._kube import compact, created, dig, moment, ref

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CLOSE = timedelta(seconds=5)

# Parts of the system that write all the time; what they write is the consequence of something else.
SYSTEM = frozenset(
    {"kubelet", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "cloud-controller-manager"}
)


@dataclass(frozen=True)
class Edit:
    """The last write of one manager: `fields` as in `data.LOG_LEVEL`, `spec.containers[app].image`. `entry`
    is the managedFields entry without its fields, to be quoted; `created` when the object came to be."""

    ref: Ref
    at: datetime
    manager: str
    subresource: str
    fields: tuple[str, ...]
    created: bool
    entry: str

    @property
    def system(self) -> bool:
        """Written by a part of the system, for itself."""
        return self.manager in SYSTEM

    def below(self, *tops: str) -> tuple[str, ...]:
        """Its fields below one of these paths."""
        return tuple(each for each in self.fields if _under(each, tops))


def _under(path: str, tops: tuple[str, ...]) -> bool:
    return any(path == top or path.startswith((f"{top}.", f"{top}[")) for top in tops)


def edits(obj: Json) -> list[Edit]:
    """The last write of each manager that was not to the status, newest first."""
    born = created(obj)
    found = []
    for entry in dig(obj, "metadata", "managedFields", default=()):
        at = moment(entry.get("time"))
        if at is None or entry.get("subresource") == "status":
            continue
        found.append(
            Edit(
                ref(obj),
                at,
                entry.get("manager") or "unknown",
                entry.get("subresource") or "",
                tuple(paths(entry.get("fieldsV1"))),
                born is not None and abs(at - born) <= CLOSE,
                _head(entry),
            )
        )
    return sorted(found, key=lambda each: each.at, reverse=True)


def _head(entry: Json) -> str:
    """Manager, operation and time as they stand in the object's compact JSON, up to the time."""
    words = []
    for key, value in entry.items():
        words.append(f"{compact(key)}:{compact(value)}")
        if key == "time":
            break
    return ",".join(words)


def paths(fields: Any, path: str = "") -> Iterator[str]:
    """The leaves of a FieldsV1 set as readable paths: `spec.template.spec.containers[app].image`."""
    for key, value in fields.items() if isinstance(fields, dict) else ():
        if key == ".":
            continue
        here = _step(path, key)
        if isinstance(value, dict) and set(value) - {"."}:
            yield from paths(value, here)
        else:
            yield here


def _step(path: str, key: str) -> str:
    kind, _, name = key.partition(":")
    if kind == "f":
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            return f"{path}[{name}]"
        return f"{path}.{name}" if path else name
    try:
        value = json.loads(name)
    except ValueError:
        value = name
    return f"{path}[{_label(value)}]"


def _label(value: Any) -> str:
    """A list key in words: of `{"name":"app"}` and the like the first value."""
    return str(next(iter(value.values()), "")) if isinstance(value, dict) else str(value)


def drift(obj: Json) -> list[Change]:
    """Fields that are no longer what `kubectl apply` last wrote: applied and present value (None = gone)."""
    try:
        applied = json.loads(dig(obj, "metadata", "annotations", APPLIED, default="null"))
    except ValueError:
        return []
    if not isinstance(applied, dict):
        return []
    live = dict(flat({k: v for k, v in obj.items() if k != "status"}))
    return [
        Change(path, value, live.get(path))
        for path, value in flat(applied)
        if not _under(path, ("metadata", "status")) and value not in (live.get(path), None, {}, [])
    ]


def last_edit(obj: Json, *tops: str) -> Edit | None:
    """The newest write, not by the system itself, to one of these paths or below."""
    return next((each for each in edits(obj) if not each.system and each.below(*tops)), None)


def author(obj: Json, at: datetime, *tops: str) -> str:
    """The manager whose last write to one of these paths was at that time, give or take five seconds."""
    for each in edits(obj):
        if abs(each.at - at) <= CLOSE and each.below(*tops) and not each.system:
            return each.manager
    return ""
