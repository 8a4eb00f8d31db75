"""Words into a command, its flags and its operands, by the grammar of kubectl; stricter than kubectl. Pure.

A flag that stands before the last word of the command must belong to every command, so that no flag's value
is ever taken for a command or the other way round. What is unknown is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from opssquad.gate.kubectl.grammar import Flag, grammar
from opssquad.gate.kubectl.unclear import Unclear

NAMES = ("kubectl", "k")
REPEATED = ("label-columns",)
"""Flags that may be given more than once."""
NUMBER = re.compile(r"-\d+")


@dataclass
class Parsed:
    """A line that kubectl would understand: `path` such as ("rollout", "undo"), flags by their long names."""

    path: tuple[str, ...] = ()
    flags: dict[str, str] = field(default_factory=dict)
    operands: list[str] = field(default_factory=list)

    @property
    def verb(self) -> str:
        """The command as one types it."""
        return " ".join(self.path)

    @property
    def namespace(self) -> str:
        """The namespace that is named, "" for none."""
        return self.flags.get("namespace", "")

    def on(self, switch: str) -> bool:
        """Whether a switch is set."""
        return self.flags.get(switch) == "true"


def parse(words: Sequence[str]) -> Parsed:
    """Parse the words of a line, the program's name first. Raises Unclear."""
    if not words or words[0] not in NAMES:
        raise Unclear(_not_kubectl(words))
    return _Parser(list(words[1:])).parse()


def _not_kubectl(words: Sequence[str]) -> str:
    if words and re.match(r"\w+=", words[0]):
        return "the environment is fixed: nothing may stand before `kubectl`"
    return f"only `kubectl` is run, not {words[0]!r}" if words else "the line is empty"


class _Parser:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.found = Parsed()
        self.own = ""
        """The first flag that belongs to the command so far, and would not to one below it."""

    def parse(self) -> Parsed:
        while self.words:
            word = self.words.pop(0)
            if word == "--":
                raise Unclear("`--`: what stands behind it would be a program's arguments")
            if word.startswith("--"):
                self._long(word[2:])
            elif word.startswith("-"):
                self._letters(word)
            else:
                self._operand(word)
        if not self.found.path:
            raise Unclear("which command? Such as: kubectl get pods")
        return self.found

    def _operand(self, word: str) -> None:
        path = self.found.path
        below = grammar().at(path)
        if (name := below.below(word)) and not self.found.operands:
            if self.own:
                raise Unclear(f"{self.own!r} stands before {word!r}; put flags behind the whole command")
            self.found.path = (*path, name)
        elif not path:
            raise Unclear(f"kubectl {grammar().kubectl} has no command {word!r}; plug-ins are not run")
        else:
            self.found.operands.append(word)

    def _long(self, text: str) -> None:
        name, equals, value = text.partition("=")
        flag = self._known(name, f"--{name}")
        if equals:
            self._set(name, flag, value)
        elif flag.takes == "value":
            self._set(name, flag, self._next(f"--{name}"))
        else:
            self._set(name, flag, "true" if flag.takes == "switch" else "")

    def _letters(self, word: str) -> None:
        rest = word[1:]
        if not rest:
            raise Unclear("`-`: nothing is read from the standard input")
        while rest:
            letter, rest = rest[0], rest[1:]
            name = grammar().short(self.found.path, letter) or ""
            flag = self._known(name, f"-{letter}")
            if flag.takes == "value":
                value = rest.removeprefix("=") if rest else self._next(f"-{letter}")
                return self._set(name, flag, value)
            if rest.startswith("="):
                return self._set(name, flag, rest[1:])
            self._set(name, flag, "true" if flag.takes == "switch" else "")
        return None

    def _known(self, name: str, written: str) -> Flag:
        flag = grammar().flag(self.found.path, name)
        if flag is None:
            where = f"kubectl {self.found.verb}".rstrip()
            hint = "" if self.found.path else "; put it behind the command"
            raise Unclear(f"{where} has no flag {written!r} in {grammar().kubectl}{hint}")
        if name not in grammar().flags:
            self.own = self.own or written
        return flag

    def _next(self, written: str) -> str:
        if not self.words:
            raise Unclear(f"{written!r} lacks its value")
        value = self.words.pop(0)
        if value.startswith("-") and not NUMBER.fullmatch(value):
            raise Unclear(f"{written!r} lacks its value: {value!r} looks like a flag; write {written}=VALUE")
        return value

    def _set(self, name: str, flag: Flag, value: str) -> None:
        if flag.takes == "switch" and value not in ("true", "false"):
            raise Unclear(f"--{name} is true or false, not {value!r}")
        if flag.takes != "switch" and not value and flag.takes == "value":
            raise Unclear(f"--{name} lacks its value")
        if name in self.found.flags and name not in REPEATED:
            raise Unclear(f"--{name} is given twice")
        before = self.found.flags.get(name)
        self.found.flags[name] = value if before is None else f"{before},{value}"
