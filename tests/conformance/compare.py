"""Compares a recorded answer with ours, volatile things aside, and learns what stands for what.

Ours never has the recorded uids, resourceVersions and generated names of things that were created or
changed. Where the recorded answer has such a value and ours has one of the same kind, they are taken as
equal, and from then on as the same: requests that carry the recorded value are sent with ours.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from opssquad.times import parse_time
from tests.conformance.world import pristine

Json = Any
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
AGE = re.compile(r"\b(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?\b")
PARTS = re.compile(r"(\d+)([ydhms])")
UNITS = {"y": 31536000, "d": 86400, "h": 3600, "m": 60, "s": 1}
REVISIONS = re.compile(r"(?<=too old resource version: )\d+ \(\d+\)|(?<=current: )\d+")
VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
# What the notes on the data call volatile: moments of heartbeats and measurements, addresses, hashes of
# documents, and the number of ConfigMaps that a quota counts.
IGNORED = frozenset({"renewTime", "lastHeartbeatTime", "timestamp", "window", "serverAddress"})
HASH = re.compile(r"\?hash=[0-9A-F]+")
QUOTA = re.compile(r"\bconfigmaps: \d+/")
MEASURES = ("PodMetrics", "NodeMetrics")
SLACK = timedelta(seconds=2)


class Comparison:
    """Compares the answers of one transcript, in order. `learned` maps recorded values to ours."""

    def __init__(self) -> None:
        self.learned: dict[str, str] = {}

    def differences(self, wanted: Json, got: Json) -> list[str]:
        """What differs, each with its path; empty if nothing does."""
        return list(self._compare(wanted, got, ()))

    def _compare(self, wanted: Json, got: Json, path: tuple[str, ...]) -> Iterator[str]:
        if path and path[-1] in IGNORED:
            return
        if isinstance(wanted, dict) and isinstance(got, dict):
            yield from self._compare_dicts(wanted, got, path)
        elif isinstance(wanted, list) and isinstance(got, list):
            yield from self._compare_lists(wanted, got, path)
        elif isinstance(wanted, str) and isinstance(got, str):
            if not self._same_text(wanted, got, path):
                yield f"{_at(path)}: {_short(wanted)} expected, {_short(got)} came"
        elif wanted != got or type(wanted) is not type(got):
            yield f"{_at(path)}: {_short(wanted)} expected, {_short(got)} came"

    def _compare_dicts(
        self, wanted: Mapping[str, Json], got: Mapping[str, Json], path: tuple[str, ...]
    ) -> Iterator[str]:
        wanted, got = _lasting(wanted), _lasting(got)
        if all(isinstance(o.get(key), str) for o in (wanted, got) for key in ("generateName", "name")):
            self._learn_name(wanted, got)
        if wanted.get("reason") == got.get("reason") == "Invalid":
            self._learn_refused_name(wanted["details"], got["details"])
        for key in wanted.keys() - got.keys():
            yield f"{_at((*path, key))}: {_short(wanted[key])} expected, nothing came"
        for key in got.keys() - wanted.keys():
            yield f"{_at((*path, key))}: nothing expected, {_short(got[key])} came"
        for key in wanted:
            if key in got:
                yield from self._compare(wanted[key], got[key], (*path, key))

    def _compare_lists(self, wanted: list[Json], got: list[Json], path: tuple[str, ...]) -> Iterator[str]:
        if path[-1:] in (("resourceRules",), ("nonResourceRules",)) or _measured(wanted):
            wanted, got = sorted(wanted, key=_order), sorted(got, key=_order)
        if len(wanted) != len(got):
            yield f"{_at(path)}: {len(wanted)} entries expected, {len(got)} came"
            return
        for index, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from self._compare(one, other, (*path, str(index)))

    def _same_text(self, wanted: str, got: str, path: tuple[str, ...]) -> bool:
        if wanted == got or self.learned.get(wanted) == got:
            return True
        if path[-2:] == ("metadata", "resourceVersion") or path[-1:] == ("continue",):
            return self._same_version(wanted, got, path)
        if path[-1:] in (("clusterIP",), ("podIP",), ("nodePort",)) or path[-2:-1] == ("clusterIPs",):
            self.learned[wanted] = got
            return True
        if path[-1:] == ("serverRelativeURL",):
            return HASH.sub("", wanted) == HASH.sub("", got)
        return self._same_words(wanted, got, is_cell="cells" in path)

    def _same_version(self, wanted: str, got: str, path: tuple[str, ...]) -> bool:
        """A version of the start must stay; one that came later may be any that came later."""
        of_list = len(path) == 2 or "BOOKMARK" in path
        known = versions()
        if not of_list and path[-1] == "resourceVersion" and (wanted in known or got in known):
            return False
        self.learned[wanted] = got
        return True

    def _learn_name(self, wanted: Mapping[str, Json], got: Mapping[str, Json]) -> None:
        lead = wanted["generateName"]
        if all(str(o["name"]).startswith(lead) and len(o["name"]) == len(lead) + 5 for o in (wanted, got)):
            self.learned.setdefault(wanted["name"], got["name"])

    def _learn_refused_name(self, wanted: Mapping[str, Json], got: Mapping[str, Json]) -> None:
        """The name that was generated for an object that then was refused."""
        one, other = wanted.get("name", ""), got.get("name", "")
        if one != other and one[:-5] == other[:-5] and one[:-5].endswith("-"):
            self.learned.setdefault(one, other)

    def _same_words(self, wanted: str, got: str, is_cell: bool) -> bool:
        for recorded, ours in zip(UUID.findall(wanted), UUID.findall(got), strict=False):
            if recorded not in uids() and ours not in uids():
                self.learned.setdefault(recorded, ours)
        for recorded, ours in self.learned.items():
            if len(recorded) > 4:  # a bare number is no word that can be looked for in a text
                wanted = wanted.replace(recorded, ours)
        wanted, got = _plain(wanted), _plain(got)
        if _close(wanted, got, STAMP, _moment):
            return True
        return is_cell and _close(wanted, got, AGE, _seconds)


def versions() -> frozenset[str]:
    """The resourceVersions of all objects at the start."""
    return _known("resourceVersion")


def uids() -> frozenset[str]:
    """The uids of all objects at the start."""
    return _known("uid")


_KNOWN: dict[str, frozenset[str]] = {}


def _known(key: str) -> frozenset[str]:
    if key not in _KNOWN:
        store = pristine()
        metadata = (o["metadata"] for resource in store.resources() for o in store.list(resource))
        _KNOWN[key] = frozenset(m[key] for m in metadata if key in m)
    return _KNOWN[key]


def _close(wanted: str, got: str, pattern: re.Pattern[str], value: Any) -> bool:
    """Whether two texts are equal but for moments or ages that lie next to each other."""
    if pattern.sub("", wanted) != pattern.sub("", got):
        return False
    pairs = zip(pattern.findall(wanted), pattern.findall(got), strict=False)
    return all(abs(value(a) - value(b)) <= _slack(a, value) for a, b in pairs)


def _moment(text: str) -> Any:
    return parse_time(text)


def _seconds(text: str) -> Any:
    return timedelta(seconds=sum(int(n) * UNITS[unit] for n, unit in PARTS.findall(text)))


def _slack(text: str, value: Any) -> timedelta:
    """An age is rounded down to its last unit, and the recorded Date has no fraction of a second."""
    parts = PARTS.findall(text)
    return max(SLACK, timedelta(seconds=UNITS[parts[-1][1]])) if value is _seconds and parts else SLACK


def _plain(text: str) -> str:
    for pattern in (QUOTA, VOLUME, REVISIONS):
        text = pattern.sub("*", text)
    return text


def _lasting(obj: Mapping[str, Json]) -> Mapping[str, Json]:
    """An object without what moves on by itself: counts of a quota, the moment of a measurement."""
    if obj.get("kind") == "ResourceQuota" and isinstance(obj.get("status"), dict):
        used = {k: v for k, v in obj["status"].get("used", {}).items() if k != "configmaps"}
        return {**obj, "status": {**obj["status"], "used": used}}
    if obj.get("kind") in MEASURES and isinstance(obj.get("metadata"), dict):
        metadata = {k: v for k, v in obj["metadata"].items() if k != "creationTimestamp"}
        return {**obj, "metadata": metadata}
    return obj


def _measured(items: list[Json]) -> bool:
    first = items[0] if items else None
    return isinstance(first, dict) and first.get("kind") in MEASURES


def _order(item: Mapping[str, Json]) -> str:
    return str(item.get("metadata", {}).get("name") or sorted((k, str(v)) for k, v in item.items()))


def _at(path: tuple[str, ...]) -> str:
    return ".".join(path) or "body"


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."
