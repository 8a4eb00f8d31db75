"""Small paths into JSON: `items[0].name`, `items[*].status.phase`, `["odd name"].x`; a `$` may begin it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opssquad.errors import ToolError

Part = str | int | None
"""A key, a place in a list, or each of a list."""
_PART = re.compile(r"""\.?([\w-]+)|\[(-?\d+)\]|\[(\*)\]|\[(?:"([^"]+)"|'([^']+)')\]""")


@dataclass(frozen=True)
class Found:
    """A value at a path, with the object that it stands in."""

    path: str
    value: Any
    beside: Any


def parse(path: str) -> tuple[Part, ...]:
    """The parts of a path. Raises ToolError for what is none."""
    rest = path.removeprefix("$")
    parts: list[Part] = []
    while rest:
        found = _PART.match(rest)
        # A key that follows a part needs its dot: `a[0]b` is a slip.
        if not found or parts and found[1] and not rest.startswith("."):
            raise ToolError(f"{path!r} is no path; write it as items[0].name or items[*].name")
        key, index, each, quoted, single = found.groups()
        parts.append(None if each else int(index) if index else key or quoted or single)
        rest = rest[found.end() :]
    return tuple(parts)


def find(value: Any, path: str) -> list[Found]:
    """What stands at a path, in its order; nothing where there is no such place."""
    return list(_find(value, parse(path), "", None))


def _find(value: Any, parts: tuple[Part, ...], at: str, beside: Any) -> Iterator[Found]:
    if not parts:
        yield Found(at, value, beside)
        return
    part, rest = parts[0], parts[1:]
    match part, value:
        case None, list():
            for number, each in enumerate(value):
                yield from _find(each, rest, f"{at}[{number}]", value)
        case int(), list() if -len(value) <= part < len(value):
            yield from _find(value[part], rest, f"{at}[{part % len(value)}]", value)
        case str(), dict() if part in value:
            yield from _find(value[part], rest, f"{at}.{part}" if at else part, value)


def answer(value: Any, path: str) -> Any:
    """The value at a path, or the list of them where the path has `[*]`. Raises ToolError where there is
    none."""
    found = find(value, path)
    if None in parse(path):
        return [each.value for each in found]
    if not found:
        known = ", ".join(map(str, value))[:200] if isinstance(value, dict) else type(value).__name__
        raise ToolError(f"the answer has nothing at {path!r}; it has: {known}")
    return found[0].value
