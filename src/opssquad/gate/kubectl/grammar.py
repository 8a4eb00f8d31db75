"""The grammar of kubectl as data: commands, aliases, flags, and which flags take a value.

Read from `grammar.yaml`, which is generated from a real kubectl. What may be done is not said here.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from opssquad.documents import read_yaml
from opssquad.types import Value

Takes = Literal["switch", "value", "optional"]
"""A switch is true or false and takes no next word; `optional` has a value only after `=`."""


class Flag(Value):
    """One flag: its letter, if it has one, and whether it takes a value."""

    takes: Takes
    short: str = ""


class Command(Value):
    """A command: its own flags, and the commands below it."""

    aliases: tuple[str, ...] = ()
    flags: Mapping[str, Flag] = Field(default_factory=dict)
    commands: Mapping[str, "Command"] = Field(default_factory=dict)

    def below(self, word: str) -> str | None:
        """The command below this one that a word names, by its name or an alias."""
        named = (name for name, each in self.commands.items() if word in (name, *each.aliases))
        return next(named, None)


class Grammar(Command):
    """Everything that a kubectl of that version understands; `flags` are those of every command."""

    kubectl: str

    def at(self, path: tuple[str, ...]) -> Command:
        """The command of a path such as ("rollout", "undo")."""
        found: Command = self
        for name in path:
            found = found.commands[name]
        return found

    def flag(self, path: tuple[str, ...], name: str) -> Flag | None:
        """A flag of a command by its long name."""
        return self.at(path).flags.get(name) or self.flags.get(name)

    def short(self, path: tuple[str, ...], letter: str) -> str | None:
        """The long name of a flag by its letter. The command's own come first, as in kubectl."""
        for flags in (self.at(path).flags, self.flags):
            for name, flag in flags.items():
                if flag.short == letter:
                    return name
        return None


@cache
def grammar() -> Grammar:
    """The grammar that came with the product."""
    return read_yaml(Path(__file__).with_name("grammar.yaml"), Grammar)
