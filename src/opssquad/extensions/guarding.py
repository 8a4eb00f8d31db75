"""What stands between somebody else's function and the squad: whatever it does, the squad goes on.

An exception, a wrong type and a flood become one line; what is printed is told, not shown on our screen; a
function that never ends holds nothing up; a secret of its settings does not leave it.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from opssquad.errors import OpsError, ToolError
from opssquad.extensions.printing import Printed, diverted
from opssquad.extensions.settings import Own, ToolSettings, read
from opssquad.extensions.stepping import in_thread, stepped
from opssquad.findings import Result
from opssquad.toolbox import Handle, Handles, Role, Tool
from opssquad.toolbox.returned import as_result
from opssquad.types import Effect, Json

MOST = 1_000_000
"""Characters of an answer that are kept."""


@dataclass(frozen=True)
class Guarded(Role):
    """A role of a tool from outside. `called` is the tool's name, `own` where its settings stand, `acts` that
    it is the act itself."""

    called: str = ""
    own: Own | None = None
    acts: bool = False

    async def call(self, values: Mapping[str, Any], handles: Handles, effect: Effect) -> Any:
        """As any role; every way in which the function can fail is a ToolError. Raises ToolError."""
        wanted = [kind for kind in self.handles.values() if issubclass(kind, ToolSettings)]
        settings = [_settings(kind, handles, self.own) for kind in wanted]
        secrets = [secret for each in settings for secret in each.secrets()]
        given: Handles = {**handles, **dict(zip(wanted, settings, strict=True))}
        printed = Printed()
        try:
            with diverted(printed):
                value = await super().call(values, given, effect)
            told = self._checked(value)
        except OpsError as error:
            raise type(error)(_without(str(error), secrets)) from None
        except (Exception, SystemExit) as error:
            raise ToolError(_without(self._failed(error), secrets)) from error
        return _clean(_bounded(self.called, told, printed) if self.acts else told, secrets)

    async def invoke(self, given: Json) -> Any:
        """Call it so that it can neither stop the squad nor keep the process from ending."""
        if inspect.iscoroutinefunction(self.function):
            return await stepped(self.function(**given))
        return await in_thread(self.function, given)

    def _checked(self, value: Any) -> Any:
        """The value, if it is what the function says that it returns."""
        hint = get_type_hints(self.function).get("return")
        if hint is None or hint is Any:
            return value
        try:
            return TypeAdapter(hint).validate_python(value, strict=True)
        except PydanticSchemaGenerationError:
            return value
        except ValidationError:
            want = inspect.formatannotation(hint)
            said = f"{self.called} returned {type(value).__name__}, and declares {want}"
            raise ToolError(f"{said}; mend it in {self._place()}") from None

    def _failed(self, error: BaseException) -> str:
        said = " ".join(str(error).split())[:300]
        line = next((at for file, at in _frames(error) if file == self.function.__code__.co_filename), 0)
        where = f"{Path(self.function.__code__.co_filename).name}:{line}" if line else self._place()
        return f"{self.called} failed: {type(error).__name__}{f': {said}' if said else ''} ({where})"

    def _place(self) -> str:
        code = self.function.__code__
        return f"{Path(code.co_filename).name}:{code.co_firstlineno}"


def guarded(tool: Tool, source: str) -> Tool:
    """The tool with each of its functions guarded; `source` says where it comes from."""

    def guard(role: Role, acts: bool = False) -> Guarded:
        own = Own(Path(role.function.__code__.co_filename))
        return Guarded(role.function, role.handles, role.names, role.optional, tool.name, own, acts)

    roles: dict[str, Role] = {name: guard(role) for name, role in tool.roles.items()}
    return replace(tool, act=guard(tool.act, acts=True), roles=roles, source=source)


def _settings(kind: type[Handle], handles: Handles, own: Own | None) -> ToolSettings:
    """Those that are given with the handles, as tests do, else what the file says."""
    given = handles.get(kind)
    return given if isinstance(given, ToolSettings) else read(kind, own)


def _frames(error: BaseException) -> Iterator[tuple[str, int]]:
    """The file and line of each frame, the innermost first."""
    found = []
    at = error.__traceback__
    while at:
        found.append((at.tb_frame.f_code.co_filename, at.tb_lineno))
        at = at.tb_next
    yield from reversed(found)


def _bounded(name: str, value: Any, printed: Printed) -> Result:
    """The result within what can be worked with, and what was printed."""
    if isinstance(value, str):
        # Before it is copied about.
        result = as_result(name, _cut(value))
        text = result.text
    else:
        result = as_result(name, value)
        text = _cut(result.text)
    if said := printed.text():
        text = f"{text}\nprinted:\n{said}"
    return result.model_copy(update={"text": text})


def _cut(text: str) -> str:
    if len(text) <= MOST:
        return text
    return f"{text[:MOST]}\n… cut: it returned {len(text):,} characters, {MOST:,} are kept"


def _clean(value: Any, secrets: Sequence[str]) -> Any:
    """The value without them, wherever they stand in it."""
    if not secrets:
        return value
    if isinstance(value, str):
        return _without(value, secrets)
    if isinstance(value, BaseModel):
        return type(value).model_validate(_clean(value.model_dump(), secrets))
    if isinstance(value, Mapping):
        return {key: _clean(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_clean(each, secrets) for each in value)
    return value


def _without(text: str, secrets: Sequence[str]) -> str:
    for each in secrets:
        text = text.replace(each, "(a secret of its settings)")
    return text
