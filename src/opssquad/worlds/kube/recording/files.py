"""Reads the files of a recording and says where in them a problem stands: file, line, reason.

Knows YAML, JSON lines and log lines; what the contents mean is for `spec`, `load` and `checks`.
"""

import difflib
import gzip
import json
import re
import zlib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from opssquad.errors import UsageError

M = TypeVar("M", bound=BaseModel)
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


class BadRecording(UsageError):
    """A recording that cannot be used; the text is one line: file, line, reason."""

    def __init__(self, file: Path, reason: str, line: int | None = None) -> None:
        where = f"{file}, line {line}" if line else str(file)
        super().__init__(f"{where}: {reason}")
        self.file, self.line, self.reason = file, line, reason


def read_text(file: Path) -> str:
    """The text of a file; a missing, unreadable or non-UTF-8 one is a BadRecording."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadRecording(file, "this file is missing") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadRecording(file, "not UTF-8 text", line) from None
    except OSError as error:
        raise BadRecording(file, f"cannot be read: {error.strerror}") from None


def read_yaml(file: Path, model: type[M]) -> M:
    """A YAML file as a validated model; the first problem becomes a BadRecording with its line."""
    text = read_text(file)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadRecording(file, f"not YAML: {error.problem}", mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadRecording(file, f"not YAML: {error}") from None
    _refuse_doubles(file, root)
    if not isinstance(data, dict):
        raise BadRecording(file, "must be a mapping of keys to values", 1)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRecording(file, _explain(first, model), _line(root, first["loc"])) from None


def _refuse_doubles(file: Path, node: yaml.Node | None) -> None:
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_doubles(file, child)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            raise BadRecording(file, f"key {key.value!r} stands twice", key.start_mark.line + 1)
        seen.add(key.value)
        _refuse_doubles(file, value)


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int | None:
    """The line of the deepest part of `location` that the file has."""
    line = node.start_mark.line + 1 if node else None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            hit = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if hit is None:
                continue
            line, node = hit[0].start_mark.line + 1, hit[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _explain(problem: Any, model: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(problem["loc"][-1]), sorted(_keys(model, set())), 1)
        return f"unknown key {path!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if problem["type"] == "missing":
        return f"{path!r} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{path!r}: {message}" if path else message


def _keys(model: type[BaseModel], seen: set[type]) -> set[str]:
    """All keys that a model and the models in it know."""
    seen.add(model)
    found = {field.alias or name for name, field in model.model_fields.items()}
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            if inner not in seen:
                found |= _keys(inner, seen)
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models(part)]


def read_objects(file: Path) -> list[dict[str, Any]]:
    """The Kubernetes objects of a gzipped file with one JSON object a line, in the file's order."""
    try:
        raw = gzip.decompress(file.read_bytes())
    except FileNotFoundError:
        raise BadRecording(file, "this file is missing") from None
    except (OSError, EOFError, zlib.error) as error:
        raise BadRecording(file, f"not a gzip file: {error}") from None
    objects: list[dict[str, Any]] = []
    seen: dict[tuple[str, str, str, str], int] = {}
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        obj = _object(file, line, number)
        meta = obj["metadata"]
        key = (obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"])
        if key in seen:
            reason = f"{obj['kind']} {meta['name']!r} stands in line {seen[key]} already"
            raise BadRecording(file, reason, number)
        seen[key] = number
        objects.append(obj)
    if not objects:
        raise BadRecording(file, "holds no object")
    return objects


def _object(file: Path, line: bytes, number: int) -> dict[str, Any]:
    try:
        obj = json.loads(line)
    except ValueError as error:
        raise BadRecording(file, f"not JSON: {error}", number) from None
    if not isinstance(obj, dict):
        raise BadRecording(file, "not a JSON object", number)
    for key in ("apiVersion", "kind"):
        if not isinstance(obj.get(key), str) or not obj[key]:
            raise BadRecording(file, f"an object without {key}", number)
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str):
        raise BadRecording(file, f"{obj['kind']} without metadata.name", number)
    return obj


def check_log(file: Path) -> None:
    """Refuses a log with a line that does not begin with an RFC 3339 stamp, or that runs backwards."""
    last = ""
    for number, line in enumerate(read_text(file).splitlines(), 1):
        stamp = line.split(" ", 1)[0]
        if not STAMP.fullmatch(stamp):
            raise BadRecording(file, f"a log line must begin with a time stamp, not {stamp[:40]!r}", number)
        if stamp < last:
            raise BadRecording(file, f"{stamp} stands after {last}: a log runs forward", number)
        last = stamp
