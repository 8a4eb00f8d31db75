"""One line of the timeline of changes, with the signal it gives and the objects it was read from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from opssquad import Json, Quote, Ref, Signal

from ._kube import event_source, ref, source


@dataclass(frozen=True)
class Entry:
    """A change at a moment: `what` in words, `who` where the API says so, `users` the workloads it touches.

    `read` are the objects it stands on, `events` the events; `signal` names it for the diagnosis."""

    at: datetime
    what: str
    who: str
    about: Ref
    signal: Signal
    read: tuple[Json, ...] = ()
    events: tuple[Json, ...] = ()
    users: tuple[str, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)

    @property
    def rolls(self) -> bool:
        """Whether it is a rollout."""
        return self.signal.id == "rollout.recent"

    @property
    def waits(self) -> bool:
        """Whether it is an edit of configuration, which waits for the next pod."""
        return self.signal.id == "config.changed"

    def touches(self, workload: str) -> bool:
        """Whether it is about that workload, by name, or about what the workload uses."""
        return self.about.name == workload or any(each.endswith(f"/{workload}") for each in self.users)


def signal(
    name: str,
    about: Ref,
    text: str,
    at: datetime,
    quotes: Iterable[Quote],
    data: Json,
) -> Signal:
    """The signal of a change: a change is no fault, so it is told as information."""
    return Signal(
        id=name,
        entity=about,
        text=text,
        severity="info",
        at=at,
        data=data,
        quotes=tuple(dict.fromkeys(each for each in quotes if each.text)),
    )


def merged(*read: Iterable[Quote]) -> tuple[Quote, ...]:
    """Sources of one call, each locator once: what stands in one and not in the other is kept."""
    found: dict[str, Quote] = {}
    for each in chain.from_iterable(read):
        known = found.get(each.locator)
        text = each.text if known is None else f"{known.text}\n{each.text}"
        found[each.locator] = (
            known if known and each.text in known.text else Quote(locator=each.locator, text=text)
        )
    return tuple(found.values())


def sources(entries: Iterable[Entry]) -> tuple[Quote, ...]:
    """What the quotes stand in: each object once, with its managed fields; events of one object together."""
    objects: dict[str, Quote] = {}
    events: dict[str, list[str]] = {}
    for entry in entries:
        for obj in entry.read:
            objects.setdefault(str(ref(obj)), source(obj, managed=True))
        for event in entry.events:
            found = event_source(event)
            lines = events.setdefault(found.locator, [])
            lines += [found.text] if found.text not in lines else []
    told = [Quote(locator=locator, text="\n".join(lines)) for locator, lines in events.items()]
    return (*objects.values(), *told)
