"""Regular expressions that a model or an engineer gives. They are matched by RE2, in time linear in the text:
with Python's own engine a few characters could hold the run for hours, past every deadline.
"""

from collections.abc import Callable

import re2

from opssquad.errors import ToolError


def matcher(pattern: str, *, ignore_case: bool = False) -> Callable[[str], bool]:
    """Whether a text holds the pattern anywhere. Raises ToolError with what is wrong with it."""
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    try:
        compiled = re2.compile(_bytes(pattern), options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if error.args else "not understood"
        raise ToolError(f"{pattern!r} is not a regular expression of RE2: {said}") from error

    def holds(text: str) -> bool:
        return compiled.search(_bytes(text)) is not None

    return holds


def _bytes(text: str) -> bytes:
    # Half a character has no UTF-8; it matches nothing but `.`.
    return text.encode("utf-8", "replace")
