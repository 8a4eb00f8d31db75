"""Logs that are read together, and a signal about what they say. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opssquad import Json, Quote, Severity, Signal, ago

from .._addresses import Directory, is_outside
from .._digest import Group, cut, when
from .._kube import dig, owner, ref
from .._loglines import Entry
from .._pods import Past
from ._scene import make
from .calls import TIMEOUT, Called

OLD = timedelta(minutes=15)
"""What was last logged longer ago is told as past."""
QUOTED = 400


@dataclass(frozen=True)
class Read:
    """The log of one instance of a container as read; `ended` is how that instance ended, if it did."""

    pod: Json
    container: str
    previous: bool
    text: str
    ended: Past | None = None

    @property
    def locator(self) -> str:
        """Where its lines stand: `log ns/pod/container`, and ` previous` for the instance before."""
        meta = self.pod["metadata"]
        tail = " previous" if self.previous else ""
        return f"log {meta.get('namespace', '')}/{meta['name']}/{self.container}{tail}"

    def source(self) -> Quote:
        """The log as a source: all the lines that were read."""
        return Quote(locator=self.locator, text=self.text)


@dataclass(frozen=True)
class Case:
    """Logs that were read together, their entries (whose `origin` is the log's index), what tells which
    Service is behind an address, and the failed calls as `called` finds them."""

    reads: Sequence[Read]
    entries: Sequence[Entry]
    now: datetime
    directory: Directory
    called: Mapping[int, Called]

    def signal(
        self, name: str, found: Group, words: str, fragment: str, severity: Severity, data: Json
    ) -> Signal:
        """A signal about entries that say the same, quoting the last of them around the fragment."""
        read = self.reads[found.last.origin]
        at, until = found.first.at, found.last.at
        past = until is not None and self.now - until > OLD
        who = read.pod["metadata"]["name"] if len(self.reads) == 1 else owner(read.pod).name
        start, end = when(at, self.now), when(until, self.now)
        span = f"at {end}" if start == end else f"from {start} to {end}"
        seen = f"{f'{found.count} times ' if found.count > 1 else ''}{span}"
        return make(
            name,
            read.pod,
            owner(read.pod),
            f"{who} logged {seen}: {cut(words)}"
            + (f"; not since {ago(until, self.now)}" if past and until else ""),
            [quote_line(read, found.last, fragment)],
            severity="info" if past else severity,
            at=at,
            until=until if past else None,
            data={
                "count": found.count,
                "first": at.isoformat() if at else "",
                "last": until.isoformat() if until else "",
                "container": read.container,
                **({"role": "over"} if past else {}),
                **data,
            },
        )

    def callee(self, entry: Entry, call: Called, key: str) -> Json:
        """Whom a failed call was made to: the address under `key`, the Service behind it and its workload."""
        namespace = self.reads[entry.origin].pod["metadata"].get("namespace", "")
        address, service = self.directory.reached(call.named, namespace)
        data: Json = {key: str(address) if address else "", **({"announced": True} if call.announced else {})}
        if service and (alias := dig(service, "spec", "externalName")):
            data |= {"outside": alias, "external": str(ref(service))}
        elif address and not service and is_outside(address.host) and _called(address.host, entry.text):
            data["outside"] = address.host
        if service:
            workload = self.directory.workload(service)
            data |= {"service": str(ref(service)), **({"workload": str(workload)} if workload else {})}
            if workload and key == TIMEOUT.key:
                data["slow"] = str(workload)
        return data


def _called(host: str, text: str) -> bool:
    """Whether a host stands as an address, and is not just the name of a machine or a logger."""
    return f"://{host}" in text or f"{host}:" in text


def quote_line(read: Read, entry: Entry, fragment: str) -> Quote:
    """The line of an entry that holds the fragment, or its first; of a long one the part around it."""
    line = next((each for each in entry.lines if fragment and fragment in each), entry.lines[0])
    at = line.find(fragment)
    start = at - QUOTED // 2 if at + len(fragment) > QUOTED else 0
    return Quote(locator=read.locator, text=line[start : start + QUOTED])
