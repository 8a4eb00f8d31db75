"""YAML files that people write, read into a model; whatever is wrong is one line with file and place."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opssquad.errors import UsageError

M = TypeVar("M", bound=BaseModel)


def read_yaml(path: Path, model: type[M]) -> M:
    """The file as that model. Raises UsageError: what is wrong, where, and the key that was meant."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    return parse_yaml(text, model, str(path))


def parse_yaml(text: str, model: type[M], name: str) -> M:
    """The same for text; `name` is what the message calls it."""
    try:
        return model.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{name}{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        # A misspelt key is the cause of the key that is then missing: say it first.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        raise UsageError(f"{name}: {_said(first, model)}") from error


def _said(problem: ErrorDetails, model: type[BaseModel]) -> str:
    where = ".".join(map(str, problem["loc"])) or "the whole file"
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg']}"
    near = difflib.get_close_matches(str(problem["loc"][-1]), set(_keys(model, set())), n=1)
    return f"{where}: unknown key{f'; did you mean {near[0]!r}?' if near else ''}"


def _keys(model: type[BaseModel], seen: set[type]) -> Iterator[str]:
    """Every key that the model or a model inside it knows."""
    if model in seen:
        return
    seen.add(model)
    for name, field in model.model_fields.items():
        yield field.alias or name
        for part in _parts(field.annotation):
            yield from _keys(part, seen)


def _parts(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _parts(inner)
