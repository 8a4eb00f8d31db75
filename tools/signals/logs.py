"""What a container's log proves: errors, the line before the end, refused connections, timeouts, names that
do not resolve, values that do not parse, probes answered with an error.

Pure; a log is read into entries by `_loglines`, failed calls are found by `calls`, values by `parsing`.
"""

from collections.abc import Iterable, Iterator

from opssquad import Json, Severity, Signal

from .._addresses import service_named
from .._digest import Group, cut, groups, root
from .._kube import dig, owner
from .._loglines import Entry
from ._case import Case
from .bynode import fail_by_node
from .calls import ANSWERED, GRAVE, REFUSED, RESET, TIMEOUT, Failure
from .complaints import complaint
from .defects import defect
from .lookups import Lookup, failed_lookup
from .parsing import unparsed
from .queues import lag, stuck
from .shown import shown
from .slowness import slow
from .strangers import CERTIFICATE, CONNTRACK, LIMITED, met

MOST = 8
AT_THE_END = 5


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
        *_calls(case, RESET),
        *_calls(case, ANSWERED),
        *fail_by_node(case),
        *_lookups(case),
        *_probes(case),
        *_slow(case),
        *_strangers(case),
        *_queues(case),
        *_defects(case),
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
        data = case.callee(entry, call, failure.key)
        if failure in (RESET, ANSWERED) and not data[failure.key]:
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
    told: dict[tuple[str, str, str], tuple[Json, list[tuple[Entry, str]]]] = {}
    for entry in case.entries:
        for name, why, words in met(entry.text):
            if entry.level not in GRAVE and name != CONNTRACK:
                continue
            data = _whose(case, entry, name)
            told.setdefault((name, why, str(data)), (data, []))[1].append((entry, words))
    for (name, why, _), (data, hits) in list(told.items())[:MOST]:
        (first, _), (last, words) = hits[0], hits[-1]
        found = Group(words, last.level, len(hits), first, last)
        said = cut(last.message)
        yield case.signal(name, found, said, words, "warning", {**data, "why": why, "message": said})


def _whose(case: Case, entry: Entry, name: str) -> Json:
    if name == CERTIFICATE:
        return shown(case, entry)
    if name == CONNTRACK:
        return {"node": dig(case.reads[entry.origin].pod, "spec", "nodeName", default="")}
    call = case.called.get(id(entry)) if name == LIMITED else None
    return case.callee(entry, call, REFUSED.key) if call else {}


def _queues(case: Case) -> Iterator[Signal]:
    """A message that is tried again and again, and a count of what waits that grows."""
    if found := stuck(case.entries):
        last = found.entries[-1]
        group = Group(last.message, last.level, len(found.entries), found.entries[0], last)
        words = f"{found.key} {found.id} fails again and again: {last.message}"
        data = {"key": found.key, "id": found.id, "message": cut(last.message)}
        yield case.signal("log.stuck", group, words, found.id, "critical", data)
    if grown := lag(case.entries):
        last = grown.entries[-1]
        group = Group(last.message, last.level, len(grown.entries), grown.entries[0], last)
        words = f"what waits has grown from {grown.before} to {grown.after}: {last.message}"
        yield case.signal("log.lag", group, words, "", "warning", {"from": grown.before, "to": grown.after})


def _defects(case: Case) -> Iterator[Signal]:
    """Errors of the program's own code, alike ones together; all of them count as one trouble."""
    told = [(each, words) for each in case.entries if each.level in GRAVE and (words := defect(each.text))]
    if told:
        common = groups([each for each, _ in told])[0]
        words = next(words for each, words in told if each is common.last)
        whole = Group(common.template, common.level, len(told), told[0][0], common.last, common.alike)
        data = {"template": common.words, "words": words}
        yield case.signal(
            "log.defect",
            whole,
            f"{common.words}; {root(common.last)}".removesuffix("; "),
            words,
            "warning",
            data,
        )


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
