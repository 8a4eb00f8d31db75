"""Loads Python files of tools: each a module of a package of its folder's own, so that files share helpers
(`from ._common import x`; those whose name begins with `_` hold no tools).

Whatever a file does while it is imported, the others are loaded, and one line says what to mend.
"""

import contextlib
import importlib.util
import inspect
import io
import re
import sys
import traceback
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pydantic.errors import PydanticInvalidForJsonSchema

from opssquad.errors import OpsError
from opssquad.extensions.guarding import guarded
from opssquad.extensions.loaded import Broken, Loaded
from opssquad.toolbox import Tool, lacks

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""Names that every model endpoint takes."""
_UNNAMED = (
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
)


class _Unfit(Exception):
    """A tool that cannot be offered, and what to mend."""


def load(folder: Path, source: str, stamp: str = "") -> Loaded:
    """The tools of a folder's files, in the order of their names. `stamp` tells one state of the files from
    another: a module is imported anew under each. Nothing is raised for what files do."""
    package = f"opssquad_own_{sha256(f'{folder}{stamp}'.encode()).hexdigest()[:12]}"
    _make_package(package, folder)
    tools: list[Tool] = []
    broken: list[Broken] = []
    for file in sorted(folder.glob("*.py")):
        if not file.stem.startswith("_"):
            found = _of_file(package, file, source)
            tools += found.tools
            broken += found.broken
    return Loaded(tuple(tools), tuple(broken))


def _make_package(name: str, folder: Path) -> None:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package


def of_module(module: ModuleType, file: Path, source: str) -> Loaded:
    """The tools that a module defines; those that it imports from elsewhere are not its own."""
    tools: list[Tool] = []
    broken: list[Broken] = []
    for each in _own(module):
        try:
            _refuse_unfit(each)
        except _Unfit as unfit:
            line = each.act.function.__code__.co_firstlineno
            broken.append(Broken(file, line, each.name, f"tool {each.name!r} {unfit}"))
        else:
            tools.append(guarded(each, source))
    return Loaded(tuple(tools), tuple(broken))


def of_entry_point(name: str, source: str) -> Loaded:
    """The tools of a module of an installed package."""
    spec = importlib.util.find_spec(name.partition(".")[0])
    return _imported(name, Path(spec.origin if spec and spec.origin else name), source)


def _of_file(package: str, file: Path, source: str) -> Loaded:
    return _imported(f"{package}.{file.stem}", file, source)


def _imported(name: str, file: Path, source: str) -> Loaded:
    try:
        # What a file prints while it is imported is no answer to anybody.
        with contextlib.redirect_stdout(io.StringIO()):
            module = import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the file's, and told
        return Loaded(broken=(Broken(file, _line(error, file), file.stem, _why(error)),))
    found = of_module(module, file, source)
    if not found.tools and not found.broken:
        why = 'it defines no tool; write @tool(effect="read") above a function, or begin its name with _'
        return Loaded(broken=(Broken(file, 0, file.stem, why),))
    return found


def _own(module: ModuleType) -> Iterator[Tool]:
    seen: set[str] = set()
    for value in vars(module).values():
        if (
            isinstance(value, Tool)
            and value.act.function.__module__ == module.__name__
            and value.name not in seen
        ):
            seen.add(value.name)
            yield value


def _refuse_unfit(tool: Tool) -> None:
    if not NAME.fullmatch(tool.name):
        raise _Unfit("is no name that models take: small letters, digits and _, at most 64, a letter first")
    if not tool.description:
        raise _Unfit("has no docstring; say in a sentence what it tells or does: the model reads it")
    for each in inspect.signature(tool.act.function).parameters.values():
        if each.kind in _UNNAMED:
            raise _Unfit(f"takes {each}; give each argument a name of its own and a type")
    if missing := tool.missing():
        raise _Unfit(lacks(missing))
    try:
        tool.parameters()
    except PydanticInvalidForJsonSchema as error:
        raise _Unfit(f"has a parameter of a type that JSON cannot hold: {error.message}") from error


def _line(error: BaseException, file: Path) -> int:
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or 0
    frames = traceback.extract_tb(error.__traceback__)
    return next((each.lineno or 0 for each in reversed(frames) if each.filename == str(file)), 0)


def _why(error: BaseException) -> str:
    if isinstance(error, OpsError):
        return str(error)
    said = " ".join(str(error).split())[:300]
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("opssquad_own_"):
        return (
            f"it needs the package {error.name!r}, which is not installed where opssquad is; install it there"
        )
    if isinstance(error, SyntaxError):
        return f"it is no Python: {error.msg}"
    return f"it fails when it is imported: {type(error).__name__}{f': {said}' if said else ''}"
