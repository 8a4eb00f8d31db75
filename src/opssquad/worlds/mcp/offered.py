"""Where a server of MCP is, what it offers and what it answers: values. Nothing here waits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opssquad.types import Json, Value, digest

TOOLS = 500
"""Tools of one server that are read."""
DESCRIPTION = 4_096
"""Bytes of a description that are taken."""
SCHEMA = 32_768
"""Bytes of a schema that are taken."""


@dataclass(frozen=True)
class Program:
    """A server that is started here and spoken with over its stdin and stdout: argv, the whole of its
    environment, where it works."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None


@dataclass(frozen=True)
class Address:
    """A server behind streamable HTTP."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


Place = Program | Address


class Offered(Value):
    """A tool as its server describes it. `returns` is a digest of the schema of its structured results, empty
    where it gives none; `says_read` is its own word that it changes nothing, which nobody is to rely on."""

    name: str
    description: str = ""
    parameters: Json
    returns: str = ""
    says_read: bool = False

    @property
    def digest(self) -> str:
        """What tells it from what it was: all that a model or a caller goes by."""
        return digest([self.name, self.description, self.parameters, self.returns])

    def changes(self, now: "Offered") -> tuple[str, ...]:
        """What of it is another by now, in words."""
        return tuple(self._changes(now))

    def _changes(self, now: "Offered") -> Iterator[str]:
        if now.description != self.description:
            yield "its description"
        if now.parameters != self.parameters:
            yield "the schema of its arguments"
        if now.returns != self.returns:
            yield "the schema of its results"


@dataclass(frozen=True)
class Told:
    """What a call answered: its text, its structured content as JSON; `failed`: the server calls it an
    error."""

    text: str
    data: Any = None
    failed: bool = False
