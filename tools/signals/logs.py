"""What a container's log proves: errors, the line before the end, refused connections, timeouts, names that
do not resolve, values that do not parse, probes answered with an error.

Pure; a log is read into entries by `_loglines`, failed calls are found by `calls`, values by `parsing`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opssquad import Json, Quote, Severity, Signal, ago

from .._addresses import Directory, service_named
from .._digest import Group, cut, groups, root, when
from .._kube import dig, owner, ref
from .._loglines import Entry
from .._pods import Past
from ._scene import make
from .calls import ANSWERED, REFUSED, TIMEOUT, Called, Failure
from .complaints import complaint
from .lookups import Lookup, failed_lookup
from .parsing import unparsed
from .slowness import slow
from .strangers import met

OLD = timedelta(minutes=15)
"""What was last logged longer ago is told as past."""
MOST = 8
GRAVE = frozenset({"fatal", "error", "warn"})
AT_THE_END = 5
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


def quote_line(read: Read, entry: Entry, fragment: str) -> Quote:
    """The line of an entry that holds the fragment, or its first; of a long one the part around it."""
    line = next((each for each in entry.lines if fragment and fragment in each), entry.lines[0])
    at = line.find(fragment)
    start = at - QUOTED // 2 if at + len(fragment) > QUOTED else 0
    return Quote(locator=read.locator, text=line[start : start + QUOTED])


def log_signals(case: Case) -> list[Signal]:
    """Everything that the logs prove, the end of the process first."""
    fatal = fatal_entries(case)
    ids = {id(each) for each in fatal}
    errors = [each for each in case.entries if each.level == "error" and id(each) not in ids]
    return [
        *_said(case, "log.fatal", fatal, "critical"),
        *_unparsed(case),
        *_complaints(case),
        *_calls(case, REFUSED),
        *_calls(case, TIMEOUT),
        *_calls(case, ANSWERED),
        *_lookups(case),
        *_probes(case),
        *_slow(case),
        *_strangers(case),
        *_said(case, "log.error", errors, "warning"),
    ]


def fatal_entries(case: Case) -> list[Entry]:
    """Entries of the level fatal; of an instance that ended by its own fault and has none, the last error
    before its end, or its last line. A killed process (exit code above 128) did not write why."""
    found = [each for each in case.entries if each.level == "fatal"]
    for index, read in enumerate(case.reads):
        mine = [each for each in case.entries if each.origin == index]
        if not mine or read.ended is None or not 0 < read.ended.exit_code < 128:
            continue
        end = mine[-AT_THE_END:]
        if all(each.level != "fatal" for each in end):
            found.append(next((each for each in reversed(end) if each.level == "error"), end[-1]))
    return found


def _said(case: Case, name: str, entries: Iterable[Entry], severity: Severity) -> Iterator[Signal]:
    for found in groups(entries)[:MOST]:
        deepest = root(found.last)
        words = f"{found.words}; {deepest}" if deepest else found.words
        yield case.signal(name, found, words, "", severity, {"template": found.words})


def _calls(case: Case, failure: Failure) -> Iterator[Signal]:
    """Calls that failed in one way, by the address called; of errors as answers only those of a known one."""
    by_address: dict[str, tuple[Json, list[Entry]]] = {}
    for entry in case.entries:
        call = case.called.get(id(entry))
        if call is None or failure not in call.failures:
            continue
        data = _callee(case, entry, call, failure.key)
        if failure is ANSWERED and not data[failure.key]:
            continue
        by_address.setdefault(data.get("service") or str(data), (data, []))[1].append(entry)
    for data, entries in by_address.values():
        entries.sort(key=lambda each: each.stamp)
        found = groups(entries)[0]
        whole = Group(found.template, found.level, len(entries), entries[0], entries[-1], found.alike)
        words = found.words + (f" [{data['service']}]" if data.get("service") else "")
        if data.get("announced"):
            words += f" (just before it was connecting to {data.get('address') or data.get('target')})"
        yield case.signal(failure.signal, whole, words, failure.words(whole.last.text), "warning", data)


def _callee(case: Case, entry: Entry, call: Called, key: str) -> Json:
    namespace = case.reads[entry.origin].pod["metadata"].get("namespace", "")
    address, service = case.directory.reached(call.named, namespace)
    data: Json = {key: str(address) if address else "", **({"announced": True} if call.announced else {})}
    if service:
        workload = case.directory.workload(service)
        data |= {"service": str(ref(service)), **({"workload": str(workload)} if workload else {})}
        if workload and key == TIMEOUT.key:
            data["slow"] = str(workload)
    return data


def _lookups(case: Case) -> Iterator[Signal]:
    """Names that did not resolve, by name and by how the lookup failed."""
    by_name: dict[tuple[str, str], list[tuple[Entry, Lookup]]] = {}
    for entry in case.entries:
        # Tools that loop until a name resolves write no level.
        if failed := failed_lookup(entry.text, grave=entry.level in GRAVE):
            by_name.setdefault((failed.host, failed.how), []).append((entry, failed))
    for (host, how), hits in by_name.items():
        last, failed = hits[-1]
        found = Group(failed.words, last.level, len(hits), hits[0][0], last)
        why = "the DNS does not know it" if how == "not_found" else "the DNS did not answer"
        space = case.reads[last.origin].pod["metadata"].get("namespace", "")
        service = service_named(host, space) if host else None
        yield case.signal(
            "log.unresolved",
            found,
            f"{host or 'a name'} does not resolve, {why} ({failed.words})",
            failed.words,
            "warning" if last.level in GRAVE else "info",
            {"host": host, "how": how, **({"service": str(service)} if service else {})},
        )


def _strangers(case: Case) -> Iterator[Signal]:
    """What databases, meshes, certificates and limits of others answered, by what it was and why."""
    told: dict[tuple[str, str], list[tuple[Entry, str]]] = {}
    for entry in case.entries:
        for name, why, words in met(entry.text) if entry.level in GRAVE else ():
            told.setdefault((name, why), []).append((entry, words))
    for (name, why), hits in list(told.items())[:MOST]:
        (first, _), (last, words) = hits[0], hits[-1]
        found = Group(words, last.level, len(hits), first, last)
        said = cut(last.message)
        yield case.signal(name, found, said, words, "warning", {"why": why, "message": said})


def _slow(case: Case) -> Iterator[Signal]:
    """Entries that say that something of its own is slow."""
    told = {id(each): words for each in case.entries if (words := slow(each.text))}
    for found in groups([each for each in case.entries if id(each) in told])[:MOST]:
        data = {"template": found.words, "slow": str(owner(case.reads[found.last.origin].pod))}
        yield case.signal("log.slow", found, found.words, told[id(found.last)], "info", data)


def _probes(case: Case) -> Iterator[Signal]:
    """Requests of the pod's own HTTP probes that the container answered with an error."""
    for index, read in enumerate(case.reads):
        paths = probe_paths(read.pod, read.container)
        hits = [
            each
            for each in case.entries
            if each.origin == index and each.access and each.access.status >= 400
            if each.access.path.partition("?")[0] in paths
        ]
        for found in groups(hits):
            access = found.last.access
            if access:
                path = access.path.partition("?")[0]
                data = {"path": path, "status": access.status, "probe": paths[path]}
                words = f"its {paths[path]} probe asks {path} and is answered with {access.status}"
                yield case.signal("log.probe_status", found, words, path, "warning", data)


def probe_paths(pod: Json, container: str) -> dict[str, str]:
    """Paths that the container's HTTP probes ask for, and the probe that does."""
    found: dict[str, str] = {}
    for each in dig(pod, "spec", "containers", default=()):
        for probe in ("startup", "liveness", "readiness"):
            path = dig(each, f"{probe}Probe", "httpGet", "path")
            if each["name"] == container and path:
                found[path.partition("?")[0]] = probe
    return found


def _unparsed(case: Case) -> Iterator[Signal]:
    by_value: dict[tuple[str, str], list[tuple[Entry, str]]] = {}
    for entry in case.entries:
        if entry.level in GRAVE and (bad := unparsed(entry.text)):
            by_value.setdefault((bad.key, bad.value), []).append((entry, bad.words))
    for (key, value), hits in by_value.items():
        entries, words = [entry for entry, _ in hits], hits[-1][1]
        found = Group(words, entries[0].level, len(entries), entries[0], entries[-1])
        name = f"{key}: " if key else ""
        yield case.signal(
            "log.parse_error", found, f"{name}{words}", words, "critical", {"key": key, "value": value}
        )


def _complaints(case: Case) -> Iterator[Signal]:
    """Ports that are taken, full disks, paths that may not be written, requests that the API forbids."""
    told: dict[tuple[str, str], tuple[Json, list[tuple[Entry, str]]]] = {}
    for entry in case.entries:
        read = case.reads[entry.origin]
        for name, words, facts in complaint(entry.text, read.pod, read.container):
            # One file after the other that cannot be written is one trouble.
            same = {key: value for key, value in facts.items() if key != "path"}
            told.setdefault((name, str(same)), (facts, []))[1].append((entry, words))
    for (name, _), (facts, hits) in list(told.items())[:MOST]:
        entries, words = [entry for entry, _ in hits], hits[-1][1]
        found = Group(words, entries[0].level, len(entries), entries[0], entries[-1])
        said = cut(entries[-1].message)
        yield case.signal(name, found, said, words, "critical", {**facts, "message": said})
