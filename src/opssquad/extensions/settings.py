"""Settings of one's own tools: a typed model that a tool names as a parameter, read from `tools.yaml`.

Secrets stand in none of these files: `{env: NAME}` or `{file: PATH}` says where each is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, ConfigDict, RootModel, SecretStr, ValidationError

from opssquad.documents import misfit, read_yaml
from opssquad.errors import ToolError, UsageError
from opssquad.settings import variable as environment
from opssquad.toolbox import Handle

FILE = "tools.yaml"
S = TypeVar("S", bound="ToolSettings")


class ToolSettings(BaseModel, Handle):
    """Base of settings that are injected into a tool by type; `section` is where they stand in `tools.yaml`,
    else the name of the tool's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    section: ClassVar[str] = ""

    def secrets(self) -> Iterator[str]:
        """The values that must not leave the tool."""
        for name in type(self).model_fields:
            if isinstance(value := getattr(self, name), SecretStr) and value.get_secret_value():
                yield value.get_secret_value()


class _File(RootModel[dict[str, dict[str, Any]] | None]):
    """Sections by name, each a mapping of settings; None for a file without a word."""


@dataclass(frozen=True)
class Own:
    """The file of a tool: its settings stand in `tools.yaml` beside the folder that it lies in."""

    file: Path

    @property
    def settings(self) -> Path:
        """The file of settings."""
        return self.file.parent.parent / FILE


def read(kind: type[Handle], own: Own | None) -> ToolSettings:
    """The settings of that type. Raises ToolError that says what to write, and where."""
    model = cast("type[ToolSettings]", kind)
    section = model.section or (own.file.stem if own else "")
    place = own.settings if own else Path(FILE)
    try:
        sections = read_yaml(place, _File).root if place.exists() else None
    except UsageError as error:
        raise ToolError(str(error)) from error
    given = (sections or {}).get(section, {})
    try:
        return model.model_validate({name: _value(name, value, model) for name, value in given.items()})
    except ValidationError as error:
        raise ToolError(f"{place}: {section}: {misfit(error, model)}") from error
    except LookupError as error:
        raise ToolError(f"{place}: {section}: {error.args[0]}") from error


def _value(name: str, value: Any, model: type[BaseModel]) -> Any:
    """The value itself, or what stands where it points to. Raises LookupError in words."""
    field = model.model_fields.get(name)
    if field is None or SecretStr not in (field.annotation, *getattr(field.annotation, "__args__", ())):
        return value
    match value:
        case {"env": str(variable)} if len(value) == 1:
            if not (secret := environment(variable)):
                raise LookupError(f"{name}: the variable {variable} is not set")
            return secret
        case {"file": str(path)} if len(value) == 1:
            return _of_file(name, Path(path).expanduser())
    raise LookupError(f"{name}: a secret does not stand here; write {{env: NAME}} or {{file: PATH}}")


def _of_file(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LookupError(f"{name}: {path} cannot be read: {error}") from error
