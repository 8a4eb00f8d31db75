"""Where squads, tools, prompts and recordings are found: beside the installed package, or in a checkout.

Finding and reading only; what a squad file means is known by `squad.spec`.
"""

import ast
import difflib
import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from opssquad.errors import UsageError
from opssquad.toolbox import Tool

_PACKAGE = "opssquad_tools"
LISTED = 60
"""Names that a line lists at most where none is near."""
OWN = ("network", "database")
"""Folders of tools that only one squad works with."""
_SIGNAL = re.compile(r"[a-z]+\.[a-z_*]*[a-z][a-z_*]*")
_DEFINED = re.compile(
    r"""^@tool\((?:.*\bname="(?P<called>\w+)")?.*\)\n(?:async )?def (?P<function>\w+)""", re.MULTILINE
)
T = TypeVar("T")


def root() -> Path:
    """The folder that holds `squads`, `tools` and `prompts`: inside the wheel, or the checkout's top."""
    bundled = Path(__file__).parent / "bundled"
    return bundled if bundled.is_dir() else Path(__file__).parents[2]


def squads() -> dict[str, Path]:
    """Squad folders by name."""
    return {p.parent.name: p.parent for p in sorted((root() / "squads").glob("*/squad.yaml"))}


def squad(name: str) -> Path:
    """The folder of one squad. Raises UsageError with the nearest names."""
    return named(squads(), name, "squad")


def prompt(name: str) -> str:
    """The text of `prompts/<name>.md`. Raises UsageError."""
    path = root() / "prompts" / f"{name}.md"
    if not path.is_file():
        raise UsageError(f"no prompt {name!r} in {path.parent}")
    return path.read_text(encoding="utf-8")


def phrase_books() -> dict[str, str]:
    """The words that the offline model understands and says, as YAML, by squad; `""`: for all others."""
    found = sorted((root() / "prompts").glob("offline*.yaml"))
    return {p.stem.partition("-")[2]: p.read_text(encoding="utf-8") for p in found}


def policy() -> Path:
    """The bundled policy."""
    return root() / "squads" / "policy.yaml"


def recordings() -> dict[str, Path]:
    """Recordings that came with the product, by id."""
    found = sorted((root() / "evals" / "recordings").glob("*/incident.yaml"))
    return {p.parent.name: p.parent for p in found}


def suites() -> dict[str, Path]:
    """Eval suites that came with the product, by name."""
    return {p.stem: p for p in sorted((root() / "evals" / "suites").glob("*.yaml"))}


def suite(name: str) -> Path:
    """The file of one eval suite. Raises UsageError with the nearest names."""
    return named(suites(), name, "suite")


def recording(name: str) -> Path:
    """A recording by path, or by the id of one that came with the product. Raises UsageError."""
    path = Path(name).expanduser()
    if (path / "incident.yaml").is_file():
        return path.resolve()
    if path.is_dir():
        raise UsageError(f"{path} is not a recording: it has no incident.yaml")
    return named(recordings(), name, "recording")


def tools(names: Iterable[str]) -> list[Tool]:
    """The tools of those names, in that order. Raises UsageError for a name that no tool has."""
    wanted = tuple(names)
    known = _tools("*.py")
    for folder in OWN:
        # What only one squad works with costs memory until it is meant.
        if not known.keys() >= {*wanted}:
            known |= _tools(f"{folder}/*.py")
    return [named(known, name, "tool") for name in wanted]


def all_tools() -> dict[str, Tool]:
    """Every tool that came with the product, by name."""
    return _tools("*.py", *(f"{folder}/*.py" for folder in OWN))


def tool_names() -> frozenset[str]:
    """The names of all of them, without loading any."""
    files = (path for path in (root() / "tools").rglob("*.py") if not path.stem.startswith("_"))
    found = (each for path in files for each in _DEFINED.finditer(path.read_text(encoding="utf-8")))
    return frozenset(each["called"] or each["function"] for each in found)


def _tools(*patterns: str) -> dict[str, Tool]:
    folder = root() / "tools"
    _load_package(folder)
    found: dict[str, Tool] = {}
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        if path.stem.startswith("_"):
            continue
        module = import_module(".".join((_PACKAGE, *path.relative_to(folder).with_suffix("").parts)))
        for value in vars(module).values():
            if isinstance(value, Tool):
                found.setdefault(value.name, value)
    return found


def signal_ids(*without: str) -> tuple[str, ...]:
    """The signals that tools can give, as their code names them; one whose name is put together there is a
    pattern (`probe.*_failed`). Other dotted words of the code are among them: this only tells what nothing
    can give. `without` are folders of tools that are left out."""
    found: set[str] = set()
    folder = root() / "tools"
    for path in sorted(folder.rglob("*.py")):
        if any(path.is_relative_to(folder / each) for each in without):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant | ast.JoinedStr) and _SIGNAL.fullmatch(word := _word(node)):
                found.add(word)
    return tuple(sorted(found))


def _word(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(_word(part) if isinstance(part, ast.Constant) else "*" for part in node.values)


def _load_package(folder: Path) -> None:
    """Make the tools folder importable under a name of its own, so that its modules can share helpers."""
    if _PACKAGE in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise UsageError(f"no tools folder at {folder}; reinstall opssquad")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = module
    spec.loader.exec_module(module)


def named(known: Mapping[str, T], name: str, what: str) -> T:
    """The one of that name. Raises UsageError with the nearest names."""
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3) or sorted(known)
    more = f" and {len(near) - LISTED} more" if len(near) > LISTED else ""
    raise UsageError(f"no {what} {name!r}; there is: {', '.join(near[:LISTED]) or 'none'}{more}")
