"""What a test names: a tool beside it, a recording by folder or id."""

from os import PathLike
from pathlib import Path

from opssquad import content
from opssquad.errors import UsageError
from opssquad.extensions import library
from opssquad.extensions.guarding import guarded
from opssquad.toolbox import TEST, Tool

Where = str | PathLike[str]


def recording_of(recording: Where) -> Path:
    """The folder of a recording: a path, or the id of one that came with the product. Raises UsageError."""
    return content.recording(str(recording))


def own_tool(name: str, near: Where) -> Tool:
    """The tool of that name from the `tools/` beside `near` or above it: give `__file__`. It is loaded and
    guarded as in production; no trust is asked for, since whoever runs a test of it runs it. Raises
    UsageError with the file, the line and what to mend where it is left out, else with the nearest names."""
    start = Path(near).resolve()
    folder = next((each for each in start.parents if (each / "tools").is_dir()), None)
    if folder is None:
        raise UsageError(f"no folder tools/ beside {start} or above it")
    found = library.of_folder(folder)
    if name not in found.tools and (broken := found.without(name)):
        raise UsageError(str(broken))
    if not found.tools and found.broken:
        raise UsageError(str(found.broken[0]))
    return content.named(found.tools, name, "tool")


def as_loaded(tool: Tool | str) -> Tool:
    """The tool as it is in production: one that a test defines itself is guarded like any from outside."""
    if isinstance(tool, str):
        return library.tools([tool])[0]
    file = Path(tool.act.function.__code__.co_filename)
    ours = tool.source != "bundled" or file.is_relative_to(content.root() / "tools")
    return tool if ours else guarded(tool, TEST)
