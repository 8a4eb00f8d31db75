"""Statements with `:parameter`: turned into those with `$1`, whose values are sent beside them. Pure."""

import re
from collections.abc import Container

_TOKEN = re.compile(
    r"""[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/
    | (\$\w*\$).*?\1 | :: | :(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)


def binds(statement: str, known: Container[str]) -> tuple[str, list[str]]:
    """The statement as a server takes it, and the parameters by their numbers. What stands in text, names and
    comments is left as it is, and so is a name that is no parameter."""
    names: list[str] = []

    def placed(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None or name not in known:
            return found[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _TOKEN.sub(placed, statement), names
