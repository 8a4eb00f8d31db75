"""Every tool that there is here: ours, and those from outside, with what is left out and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from opssquad import content
from opssquad.errors import UsageError
from opssquad.extensions import python
from opssquad.extensions.loaded import Broken, Loaded
from opssquad.extensions.sources import ENTRY_POINT, Source, sources
from opssquad.settings import load as load_settings
from opssquad.toolbox import Tool

Stamp = tuple[tuple[str, int, int], ...]
"""Files with when they changed and how large they are: as long as it is the same, nothing is loaded anew."""

SERVERS = "mcp.yaml"
"""The file of MCP servers; only in the user's own folder, as it starts programs."""
READ = (".py", ".yaml")
"""Endings of the files that are read."""


@dataclass(frozen=True)
class Library:
    """Tools from outside by name, and what is left out of them."""

    tools: dict[str, Tool] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()

    def joining(self, squad: str) -> tuple[str, ...]:
        """The tools that join a squad by their own word."""
        return tuple(name for name, tool in self.tools.items() if squad in tool.squads)

    def without(self, name: str) -> Broken | None:
        """Why a tool is left out; None where it is not."""
        return next((each for each in self.broken if each.name == name), None)


def library() -> Library:
    """What is found outside now. Raises UsageError for places that cannot be read."""
    found = sources(load_settings())
    return _loaded(found, _stamp(found))


def of_folder(folder: Path) -> Library:
    """What is found in that folder's `tools/`, as if it were trusted: whoever asks runs it anyway."""
    meant = (Source("project", folder),)
    return _loaded(meant, _stamp(meant))


def tools(names: Iterable[str]) -> list[Tool]:
    """The tools of those names, in that order. Raises UsageError for one that is not there or left out."""
    wanted, known = tuple(names), library()
    for name in wanted:
        if broken := known.without(name):
            raise UsageError(str(broken))
        if known.tools and name not in known.tools:
            content.named(dict.fromkeys((*known.tools, *content.tool_names())), name, "tool")
    ours = content.tools(name for name in wanted if name not in known.tools)
    return list({**{tool.name: tool for tool in ours}, **known.tools}[name] for name in wanted)


def all_tools() -> dict[str, Tool]:
    """Every tool by name, ours first."""
    return {**content.all_tools(), **library().tools}


@lru_cache(maxsize=4)
def _loaded(found: tuple[Source, ...], stamp: Stamp) -> Library:
    tools: dict[str, Tool] = {}
    broken: list[Broken] = []
    files: dict[str, Path] = {}
    ours = content.tool_names()
    squads = (*content.squads(), *(each.name for source in found for each in source.squads))
    for each in _each(found, stamp):
        broken += each.broken
        for tool in each.tools:
            file, line = stands_at(tool)
            if why := _unwelcome(tool, ours, files, squads):
                broken.append(Broken(file, line, tool.name, why))
            else:
                tools[tool.name], files[tool.name] = tool, file
    return Library(tools, tuple(broken))


def _each(found: tuple[Source, ...], stamp: Stamp) -> Iterator[Loaded]:
    for source in found:
        if source.trusted:
            yield python.load(source.tools, source.kind, str(stamp))
            yield _declared(source)
            if source.kind == "user" and (source.folder / SERVERS).exists():
                # Late: few have servers, and reading about them imports a good deal.
                from opssquad.extensions.mcp import loading

                yield loading.load(source.folder)
        else:
            how = f"to trust it: opssquad tool trust {source.folder}"
            why = f"it is not trusted, so nothing of it is loaded; {how}"
            yield Loaded(broken=(Broken(source.folder, 0, "", why),))
    yield from map(_of_package, entry_points(group=ENTRY_POINT))


def _declared(source: Source) -> Loaded:
    """The tools that are declared in YAML."""
    if not any(source.tools.glob("*.yaml")):
        return Loaded()
    # Late: the models of such files take a while to make.
    from opssquad.extensions.declared import load

    return load(source.tools, source=source.kind)


def stands_at(tool: Tool) -> tuple[Path, int]:
    """The file where a tool stands, and the line."""
    code = tool.act.function.__code__
    return getattr(tool, "file", Path(code.co_filename)), getattr(tool, "line", code.co_firstlineno)


def _of_package(point: EntryPoint) -> Loaded:
    return python.of_entry_point(point.value, f"package {point.dist.name if point.dist else point.name}")


def _unwelcome(tool: Tool, ours: frozenset[str], files: dict[str, Path], squads: Iterable[str]) -> str:
    """Why a tool that is sound cannot be had all the same; empty where it can."""
    if tool.name in ours:
        return f"tool {tool.name!r} has the name of one of ours; give it another"
    if tool.name in files:
        return f"tool {tool.name!r} is there already, in {files[tool.name]}; rename one"
    known = tuple(squads)
    if unknown := next((name for name in tool.squads if name not in known), ""):
        return f"tool {tool.name!r} joins squad {unknown!r}, which there is not; there is: {', '.join(known)}"
    return ""


def _stamp(found: Iterable[Source]) -> Stamp:
    files = (path for source in found for path in sorted(source.folder.rglob("*")) if path.suffix in READ)
    stats = ((str(path), path.stat()) for path in files if path.is_file())
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
