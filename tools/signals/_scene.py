"""What was read, arranged for the functions that find signals: objects by kind and address, events.

Also the one way a signal is put together, and the sources that its quotes stand in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from opssquad import Json, Quote, Ref, Severity, Signal

from .._kube import about, dig, event_source, event_text, last_seen, owner, quote_at, ref, source

RECENT = timedelta(minutes=10)
"""An event this fresh speaks of now: kubelets report repeats of one event only every five minutes or so."""
STALE = timedelta(hours=1)
"""What ended longer ago than this is history."""


class Scene:
    """Objects and events as read at one moment of the world's clock.

    `complete` names the kinds that were read whole for the namespaces in question, `spaces` (None: all): only
    then does a missing object mean that it does not exist.
    """

    def __init__(
        self,
        now: datetime,
        objects: Iterable[Json],
        complete: frozenset[str] | None = None,
        spaces: frozenset[str] | None = None,
    ) -> None:
        self.now = now
        self.spaces = spaces
        self.kinds: dict[str, list[Json]] = defaultdict(list)
        self.known: dict[Ref, Json] = {}
        self.events: dict[Ref, list[Json]] = defaultdict(list)
        for each in objects:
            if each["kind"] == "Event":
                self.events[about(each)].append(each)
            else:
                self.kinds[each["kind"]].append(each)
                self.known[ref(each)] = each
        for listed in self.events.values():
            listed.sort(key=last_seen, reverse=True)
        self.complete = frozenset(self.kinds) if complete is None else complete
        self._by_space: dict[tuple[str, str], list[Json]] | None = None
        self._pods: dict[Ref, list[Json]] = defaultdict(list)
        for pod in self.kinds["Pod"]:
            self._pods[self.owner(pod)].append(pod)

    def add(self, objects: Iterable[Json]) -> None:
        """More objects, of kinds that hang on nothing: neither pods nor events."""
        for each in objects:
            self.kinds[each["kind"]].append(each)
            self.known[ref(each)] = each
        self._by_space = None

    def of(self, *kinds: str) -> list[Json]:
        """The objects of these kinds, in the order they were read."""
        return [each for kind in kinds for each in self.kinds.get(kind, ())]

    def within(self, kind: str, namespace: str) -> list[Json]:
        """The objects of a kind in one namespace, in the order they were read."""
        if self._by_space is None:
            self._by_space = defaultdict(list)
            for name, listed in self.kinds.items():
                for each in listed:
                    self._by_space[name, each["metadata"].get("namespace", "")].append(each)
        return self._by_space.get((kind, namespace), [])

    def get(self, address: Ref) -> Json | None:
        """The object at that address, or None if it was not read or does not exist."""
        return self.known.get(address)

    def covers(self, kind: str, namespace: str = "") -> bool:
        """Whether the kind was read whole there: in one namespace, or of the cluster's own kinds where ""."""
        return kind in self.complete and (not namespace or self.spaces is None or namespace in self.spaces)

    def lacks(self, address: Ref) -> bool:
        """Whether it is known that there is no object of that address."""
        return self.covers(address.kind, address.namespace) and not self.get(address)

    def owner(self, obj: Json) -> Ref:
        """The workload that answers for an object."""
        return owner(obj, self.known)

    def pods_of(self, workload: Ref) -> list[Json]:
        """The pods that a workload answers for."""
        return self._pods.get(workload, [])

    def about(self, address: Ref, *reasons: str) -> list[Json]:
        """Events about an object, newest first, of these reasons if any are named."""
        found = self.events.get(address, ())
        return [each for each in found if not reasons or each.get("reason") in reasons]

    def is_recent(self, moment: datetime | None, within: timedelta = RECENT) -> bool:
        """Whether it happened within that span before now."""
        return moment is not None and self.now - moment <= within

    def template(self, workload: Ref, container: str, *path: str | int) -> tuple[Quote, ...]:
        """The quote of a field of a container in the workload's own template; none where it does not say."""
        obj = self.get(workload)
        spec: tuple[str, ...] = ("spec", "template", "spec")
        if workload.kind == "CronJob":
            spec = ("spec", "jobTemplate", *spec)
        for field in ("containers", "initContainers"):
            for index, each in enumerate(dig(obj, *spec, field, default=())):
                if obj and each["name"] == container and dig(each, *path) is not None:
                    return (quote_at(obj, *spec, field, index, *path),)
        return ()

    def sources(self, signals: Iterable[Signal]) -> tuple[Quote, ...]:
        """What the quotes of these signals stand in: objects whole, events line by line."""
        found: dict[str, str] = {}
        # By the address as it is written: a name with a slash cannot be read back from it.
        objects = {str(address): obj for address, obj in self.known.items()}
        events = {str(address): listed for address, listed in self.events.items()}
        for quote in (q for signal in signals for q in signal.quotes):
            if quote.text not in found.get(quote.locator, ""):
                found[quote.locator] = _source(quote, objects, events)
        return tuple(Quote(locator=locator, text=text) for locator, text in found.items())


def _source(quote: Quote, objects: dict[str, Json], events: dict[str, list[Json]]) -> str:
    if quote.locator.startswith("Event "):
        told = events[quote.locator.removeprefix("Event ")]
        return "\n".join(dict.fromkeys(event_text(each) for each in told))
    obj = objects[quote.locator]
    plain = source(obj)
    return (plain if quote.text in plain.text else source(obj, managed=True)).text


def event_quotes(events: Iterable[Json], limit: int = 1) -> tuple[Quote, ...]:
    """The first few of these events as quotes, one for each text."""
    return tuple(dict.fromkeys(event_source(each) for each in events))[:limit]


def make(
    name: str,
    obj: Json | Ref,
    answers: Ref,
    text: str,
    quotes: Iterable[Quote],
    *,
    severity: Severity = "warning",
    at: datetime | None = None,
    until: datetime | None = None,
    data: Mapping[str, object] | None = None,
) -> Signal:
    """A signal; a quote that occurs twice is kept once."""
    entity = obj if isinstance(obj, Ref) else ref(obj)
    return Signal(
        id=name,
        entity=entity,
        owner=answers,
        text=text,
        severity=severity,
        at=at,
        until=until,
        data=dict(data or {}),
        quotes=tuple(dict.fromkeys(quotes)),
    )
