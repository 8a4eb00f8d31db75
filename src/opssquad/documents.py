"""YAML files that people write, read into a model; what is wrong is one line with file, line and reason.

How we write YAML for them is here too.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opssquad.errors import UsageError

M = TypeVar("M", bound=BaseModel)
TEXT = "tag:yaml.org,2002:str"
SWITCH = "tag:yaml.org,2002:bool"
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _Loader(yaml.SafeLoader):
    """YAML without numbers to the base of sixty: `18:00` is what is written there, not 1080. A key is what is
    written there too: `off`, not False."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:
        tag = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        return TEXT if kind is yaml.ScalarNode and ":" in value and tag in NUMBERS else tag

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == SWITCH:
                key.tag = TEXT
        return super().construct_mapping(node, deep=deep)


class BadFile(UsageError):
    """A file that cannot be used; the text is one line: file, line (from 1, where one is known), reason."""

    def __init__(self, file: Path | str, reason: str, line: int | None = None) -> None:
        super().__init__(f"{file}, line {line}: {reason}" if line else f"{file}: {reason}")
        self.file, self.line, self.reason = file, line, reason


@dataclass(frozen=True)
class Placed(Generic[M]):
    """A model with the text that it was read from, so that more can be said about a part of it."""

    value: M
    root: yaml.Node | None

    def line(self, *place: int | str) -> int:
        """The line, from 1, of a part such as ("rules", 3, "tool")."""
        return _line(self.root, place)


MOST = 64 << 20
"""Characters of one file: past that it is another than was meant, or a device."""


def read_text(path: Path, most: int = MOST) -> str:
    """The text of a file. Raises BadFile if it is missing, unreadable, not UTF-8 or longer than `most`
    characters."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(most + 1)
    except FileNotFoundError:
        raise BadFile(path, "this file is missing") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadFile(path, "not UTF-8 text", line) from None
    except OSError as error:
        raise BadFile(path, f"cannot be read: {error.strerror}") from None
    if len(text) > most:
        raise BadFile(path, f"longer than {most >> 20} MiB; is it the file that is meant?")
    return text


def read_yaml(path: Path, model: type[M]) -> M:
    """The file as that model. Raises BadFile: what is wrong, where, and the key that was meant."""
    return parse_yaml(read_text(path), model, path)


def yaml_text(document: Any) -> str:
    """A document as the YAML that people read and edit: keys in their order, one form for all we write."""
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return text


def parse_yaml(text: str, model: type[M], name: Path | str) -> M:
    """The same for text; `name` is what the message calls it."""
    return parse_placed(text, model, name).value


def parse_placed(text: str, model: type[M], name: Path | str) -> Placed[M]:
    """The same, with the lines of its parts."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        _refuse_doubles(root, name, set())
        data = loader.construct_document(root) if root else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise BadFile(name, f"not YAML: {error.problem or error.context}", line) from None
    except RecursionError:
        raise BadFile(name, "nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadFile(name, f"not YAML: {' '.join(str(error).split())}") from None
    except (LookupError, AttributeError, TypeError, OverflowError):  # PyYAML's own, at `!!bool x`
        raise BadFile(name, "not YAML: a value is not of the type that its tag says") from None
    try:
        return Placed(model.model_validate(data), root)
    except ValidationError as error:
        first = _gravest(error)
        raise BadFile(name, _said(first, model), _line(root, first["loc"])) from None


def misfit(error: ValidationError, model: type[BaseModel]) -> str:
    """Why a document does not fit the model, for what is not read from YAML: the field and what is wrong."""
    return _said(_gravest(error), model)


def misplaced(error: ValidationError) -> tuple[int | str, ...]:
    """The place of what `misfit` tells, below the model."""
    return _gravest(error)["loc"]


def _gravest(error: ValidationError) -> ErrorDetails:
    # A misspelt key is the cause of the key that is then missing: say it first.
    return min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")


def _refuse_doubles(node: yaml.Node | None, name: Path | str, seen: set[int]) -> None:
    """A key that stands twice would silently lose its first value; an alias is looked at once."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))
    keys: set[str] = set()
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode) and key.value in keys:
            raise BadFile(name, f"key {key.value!r} stands twice", key.start_mark.line + 1)
        keys.add(str(key.value))
        _refuse_doubles(value, name, seen)
    for value in node.value if isinstance(node, yaml.SequenceNode) else ():
        _refuse_doubles(value, name, seen)


def _line(node: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    """The line of the deepest part of that place that the text has, from 1."""
    line = node.start_mark.line + 1 if node else 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            hit = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if hit is None:
                continue
            line, node = hit[0].start_mark.line + 1, hit[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _said(problem: ErrorDetails, model: type[BaseModel]) -> str:
    where = ".".join(map(str, problem["loc"])) or "the whole file"
    match problem["type"]:
        case "extra_forbidden":
            known = list(dict.fromkeys(_keys(model, set())))
            near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
            said = f"unknown key; {f'did you mean {near[0]!r}?' if near else 'known: ' + ', '.join(known)}"
        case "missing":
            said = "is missing"
        case "model_type" | "model_attributes_type" | "dict_type":
            said = "must be a mapping of keys to values"
        case _:
            said = problem["msg"].removeprefix("Value error, ")
            said = said[0].lower() + said[1:]
    return f"{where}: {said}"


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
