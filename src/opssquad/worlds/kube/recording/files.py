"""The objects of a recording (JSON lines), read and packed, and its logs; problems say file, line, reason.

YAML is read by `documents`; what the contents mean is for `spec`, `load` and `checks`.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from opssquad.documents import BadFile, read_text
from opssquad.types import Json
from opssquad.worlds.kube.fitting import fit

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


def read_objects(file: Path) -> list[Json]:
    """The Kubernetes objects of a gzipped file with one JSON object a line, in the file's order."""
    try:
        raw = gzip.decompress(file.read_bytes())
    except FileNotFoundError:
        raise BadFile(file, "this file is missing") from None
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(file, f"not a gzip file: {error}") from None
    objects: list[Json] = []
    seen: dict[tuple[str, str, str, str], int] = {}
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        obj = _object(file, line, number)
        meta = obj["metadata"]
        key = (obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"])
        if key in seen:
            reason = f"{obj['kind']} {meta['name']!r} stands in line {seen[key]} already"
            raise BadFile(file, reason, number)
        seen[key] = number
        objects.append(obj)
    if not objects:
        raise BadFile(file, "holds no object")
    return objects


def _object(file: Path, line: bytes, number: int) -> Json:
    try:
        obj = json.loads(line)
    except ValueError as error:
        raise BadFile(file, f"not JSON: {error}", number) from None
    if not isinstance(obj, dict):
        raise BadFile(file, "not a JSON object", number)
    for key in ("apiVersion", "kind"):
        if not isinstance(obj.get(key), str) or not obj[key]:
            raise BadFile(file, f"an object without {key}", number)
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str):
        raise BadFile(file, f"{obj['kind']} without metadata.name", number)
    if wrong := fit(obj["apiVersion"], obj["kind"], obj):
        raise BadFile(file, f"{obj['kind']} {meta['name']!r} is none that a server sends: {wrong}", number)
    return obj


def packed(objects: Iterable[Json]) -> bytes:
    """The objects as `read_objects` takes them; the same objects give the same bytes."""
    lines = "".join(f"{compact(obj)}\n" for obj in objects)
    # The time of packing would make two files of the same objects differ.
    return gzip.compress(lines.encode(), mtime=0)


def compact(obj: Json) -> str:
    """An object as its line in compact JSON."""
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False)


def log_path(namespace: str, pod: str, container: str, previous: bool = False) -> str:
    """Where a recording keeps a container's log, or that of the instance before; relative to its folder."""
    ending = ".previous.log" if previous else ".log"
    return f"logs/{namespace}/{pod}/{container}{ending}"


def log_lines(text: str) -> list[str]:
    """The lines of a log. A message may hold what else counts as the end of a line, as U+2028 does."""
    return text.removesuffix("\n").split("\n") if text else []


def check_log(file: Path) -> None:
    """Refuses a log with a line that does not begin with an RFC 3339 stamp, or that runs backwards."""
    last = ""
    for number, line in enumerate(log_lines(read_text(file)), 1):
        stamp = line.split(" ", 1)[0]
        if not STAMP.fullmatch(stamp):
            raise BadFile(file, f"a log line must begin with a time stamp, not {stamp[:40]!r}", number)
        if stamp < last:
            raise BadFile(file, f"{stamp} stands after {last}: a log runs forward", number)
        last = stamp
