"""Regular expressions that a model or an engineer gives. They are matched by RE2, in time linear in the text:
with Python's own engine a few characters could hold the run for hours, past every deadline.
"""

from collections.abc import Callable
from typing import Any

import re2

from opssquad.errors import ToolError


def matcher(pattern: str, *, ignore_case: bool = False) -> Callable[[str], bool]:
    """Whether a text holds the pattern anywhere. Raises ToolError with what is wrong with it."""
    compiled = _compiled(pattern, ignore_case)

    def holds(text: str) -> bool:
        return compiled.search(_bytes(text)) is not None

    return holds


def _compiled(pattern: str, ignore_case: bool = False) -> Any:
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    try:
        return re2.compile(_bytes(pattern), options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if error.args else "not understood"
        raise ToolError(f"{pattern!r} is not a regular expression of RE2: {said}") from error


def finder(pattern: str) -> Callable[[str], dict[str, str] | None]:
    """The named groups of the pattern (`(?P<name>...)`) where a text holds it, else None. Raises ToolError
    with what is wrong with it."""
    compiled = _compiled(pattern)

    def found(text: str) -> dict[str, str] | None:
        match = compiled.search(_bytes(text))
        if match is None:
            return None
        groups = compiled.groupindex
        return {_text(name): _text(match.group(at) or b"") for name, at in groups.items()}

    return found


def groups(pattern: str) -> list[str]:
    """The names of a pattern's groups. Raises ToolError."""
    return [_text(name) for name in _compiled(pattern).groupindex]


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _bytes(text: str) -> bytes:
    # Half a character has no UTF-8; it matches nothing but `.`.
    return text.encode("utf-8", "replace")
