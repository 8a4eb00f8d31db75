"""The tools that a squad may use. Nothing registers globally: a box is built from tools that are named."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from opssquad.errors import ToolError, UsageError
from opssquad.toolbox.tools import ROLES, Tool


def lacks(roles: Sequence[str]) -> str:
    """What a mutating tool without those must be given."""
    return "mutates and lacks " + "; ".join(f"{role}: add {ROLES[role]}" for role in roles)


class Toolbox:
    """The tools a squad may use, by name. Refuses duplicates and mutating tools that lack a role."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        for each in tools:
            if each.name in self._tools:
                raise UsageError(f"two tools are called {each.name!r}; rename one")
            if missing := each.missing():
                raise UsageError(f"tool {each.name!r} {lacks(missing)}")
            self._tools[each.name] = each

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    def become(self, other: "Toolbox") -> tuple[str, ...]:
        """Hold the tools of another one from now on; what is new, gone or changed of them, a line each."""
        before, self._tools = self._tools, dict(other._tools)
        new = [f"new: {name} ({self._tools[name].effect})" for name in self._tools if name not in before]
        gone = [f"gone: {name}" for name in before if name not in self._tools]
        both = [name for name in before if name in self._tools]
        changed = [f"changed: {n}" for n in both if before[n].fingerprint() != self._tools[n].fingerprint()]
        return (*new, *gone, *changed)

    def get(self, name: str) -> Tool:
        """The tool of that name. Raises ToolError with the nearest names."""
        if name not in self._tools:
            near = difflib.get_close_matches(name, self._tools, n=3) or sorted(self._tools)
            raise ToolError(f"no tool {name!r}; nearest: {', '.join(near)}")
        return self._tools[name]
