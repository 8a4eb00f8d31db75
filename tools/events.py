"""The tool `events`: what the cluster itself reported, warnings first, alike ones in one row.

What an event proves about a workload is for `signals`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from opssquad import Cluster, Json, Quote, Ref, Result, ago, duration, tool

from ._digest import cut, hanging, mask, when
from ._kube import about as object_of
from ._kube import event_count, event_text, first_seen, kubectl, last_seen, lately

STALE = timedelta(minutes=15)
"""A warning that was last seen this much before the newest one belongs to another story."""
MOST_WARNINGS = 14
MOST_OTHERS = 8
NAMED = 40
_NOISE = re.compile(r" in pod \S+_\S+\([0-9a-f-]{36}\)")
"""The kubelet repeats the pod it speaks of."""


@dataclass(frozen=True)
class Row:
    """Events of one reason that say the same of one object or of its siblings, newest first."""

    events: tuple[Json, ...]

    @property
    def warning(self) -> bool:
        """Whether the cluster reported them as warnings."""
        return bool(self.events[0].get("type") == "Warning")

    @property
    def last(self) -> datetime:
        """When one of them was last seen."""
        return last_seen(self.events[0])

    @property
    def first(self) -> datetime:
        """When the first of them was first seen."""
        return min(map(first_seen, self.events))

    @property
    def count(self) -> int:
        """How often they were seen, all together."""
        return sum(map(event_count, self.events))

    @property
    def objects(self) -> list[Ref]:
        """What they are about, each once."""
        return list(dict.fromkeys(map(object_of, self.events)))


@tool(effect="read")
async def events(
    cluster: Cluster,
    namespace: Annotated[str, "empty = all"] = "",
    about: Annotated[str, "an object, or a workload with its pods"] = "",
    minutes: int = 60,
) -> Result:
    """Events, warnings first, alike ones counted; stale ones are marked."""
    space = namespace or cluster.namespace
    name = about.rpartition("/")[2]
    # A first look at the server sets the clock that ages and the window are counted by.
    read = await cluster.list("Event", space, keep=lambda event: event if concerns(event, name) else None)
    now = cluster.now()
    found = rows(event for event in read if now - last_seen(event) <= lately(minutes))
    warnings = [each for each in found if each.warning]
    others = [each for each in found if not each.warning]
    shown = [*warnings[:MOST_WARNINGS], *others[:MOST_OTHERS]]
    scope = f"Events {f'in {space}' if space else 'in all namespaces'}{f' about {about}' if about else ''}"
    lines = [f"{scope}, last {duration(lately(minutes))} (UTC):"]
    lines += _section("Warnings", warnings, MOST_WARNINGS, now)
    lines += _section("Other events", others, MOST_OTHERS, now)
    if not found:
        lines.append("none. The API forgets events after about an hour, so this proves little.")
    objects = list(dict.fromkeys(str(ref) for row in warnings for ref in row.objects))
    return Result(
        text="\n".join(lines),
        sources=sources(event for row in shown for event in row.events),
        data={
            "objects": objects[:NAMED],
            "pods": [each for each in objects if each.startswith("Pod/")][:NAMED],
            "scope": {"namespace": space},
        },
        commands=(_command(space, about),),
    )


def concerns(event: Json, name: str) -> bool:
    """Whether an event is about the object of that name, or about what a workload of that name made."""
    target = object_of(event).name
    return not name or target == name or target.startswith(f"{name}-")


def rows(found: Iterable[Json]) -> list[Row]:
    """Events grouped by reason, text and object; siblings (pods of one ReplicaSet) share a row. Newest
    first."""
    grouped: dict[tuple[str, ...], list[Json]] = {}
    for event in sorted(found, key=last_seen, reverse=True):
        target = object_of(event)
        family = (
            target.name.rpartition("-")[0] if target.kind == "Pod" and "-" in target.name else target.name
        )
        text = mask(_words(event).replace(target.name, family))
        key = (event.get("type") or "", target.kind, target.namespace, family, text)
        grouped.setdefault(key, []).append(event)
    return [Row(tuple(each)) for each in grouped.values()]


def _words(event: Json) -> str:
    return _NOISE.sub("", event_text(event))


def stale(row: Row, newest: datetime) -> str:
    """`stale: 48 min before the newest warning`, or empty."""
    behind = newest - row.last
    return f" [stale: {duration(behind)} before the newest warning]" if behind > STALE else ""


def _section(title: str, found: Sequence[Row], most: int, now: datetime) -> list[str]:
    if not found:
        return []
    newest = max(each.last for each in found)
    lines = ["", f"{title}:", f"{'COUNT':>6}  {'LAST':<11}  WHAT"]
    for each in found[:most]:
        mark = stale(each, newest) if each.warning else ""
        more = f" (+{len(each.objects) - 1} like it)" if len(each.objects) > 1 else ""
        since = f", since {when(each.first, now)}" if each.count > 1 else ""
        head = f"{each.count:>6}  {ago(each.last, now).removesuffix(' ago'):<11}  "
        target = each.objects[0]
        lines += hanging(
            head, f"{target.kind} {target.name}{more}{since}: {cut(_words(each.events[0]))}{mark}"
        )
    if len(found) > most:
        lines.append(f"        and {len(found) - most} more rows; narrow with about=")
    return lines


def sources(found: Iterable[Json]) -> tuple[Quote, ...]:
    """The events as sources, those about one object in one text, a line for each that differs."""
    lines: dict[str, dict[str, None]] = {}
    for event in found:
        lines.setdefault(f"Event {object_of(event)}", {})[event_text(event)] = None
    return tuple(Quote(locator=locator, text="\n".join(texts)) for locator, texts in lines.items())


def _command(namespace: str, about: str) -> str:
    kind, _, name = about.rpartition("/")
    line = kubectl(
        "get",
        "events",
        "--sort-by=.lastTimestamp",
        f"--field-selector=involvedObject.name={name}" if name and kind else "",
        namespace=namespace,
        everywhere=not namespace,
    )
    return f"{line} | grep {name}" if name and not kind else line
