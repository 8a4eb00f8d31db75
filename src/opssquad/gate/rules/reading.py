"""A policy file read with the files that it includes, as one layer.

Included files are read first, in their order, each once; then come the file's own rules.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field

from opssquad.documents import BadFile, Placed, parse_placed, read_text
from opssquad.gate.rules.destinations import Destination
from opssquad.gate.rules.facts import Facts
from opssquad.gate.rules.fits import Fit
from opssquad.gate.rules.patterns import listed
from opssquad.gate.rules.rule import Rule
from opssquad.types import Value, Verdict, person

Origin = Literal["bundled", "organisation", "squad"]
"""Whose layer it is."""
DEEPEST = 20
"""How deep files may include each other."""


def _path(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError(f"{text!r} is no path of a file")
    return text


class PolicyFile(Value):
    """The content of one policy file. `roles` says which people hold a role."""

    may_loosen: bool = False
    include: Annotated[tuple[Annotated[str, AfterValidator(_path)], ...], BeforeValidator(listed)] = ()
    roles: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    destinations: tuple[Destination, ...] = ()


@dataclass(frozen=True)
class PlacedDestination:
    """A rule about destinations with the place where it stands. `own`: in the layer's own file, not in an
    included one."""

    rule: Destination
    file: Path
    line: int
    own: bool = True

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class PlacedRule:
    """A rule with the place where it stands. `own`: in the layer's own file, not in an included one."""

    rule: Rule
    file: Path
    line: int
    own: bool = True

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Said:
    """A rule that counts for a call, and its verdict. `fit` is MAYBE or YES."""

    placed: PlacedRule
    fit: Fit
    verdict: Verdict


@dataclass(frozen=True)
class Layer:
    """The rules of a file in the order in which they are tried, those about calls and those about
    destinations. `files` are what was read: each with the sha256 of its text; `loosens`: its own rules may
    stand in place of the other layers'."""

    origin: Origin
    rules: tuple[PlacedRule, ...]
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    loosens: bool = False
    files: tuple[tuple[Path, str], ...] = ()
    destinations: tuple[PlacedDestination, ...] = ()

    @classmethod
    def of(cls, *rules: Rule, origin: Origin = "bundled", loosens: bool = False) -> Self:
        """A layer of these rules."""
        placed = [PlacedRule(rule, Path("rules"), line) for line, rule in enumerate(rules, 1)]
        return cls(origin, tuple(placed), loosens=loosens)

    @classmethod
    def read(cls, path: Path, origin: Origin = "bundled") -> Self:
        """The layer of a file. Raises BadFile with file, line and reason."""
        reader = _Reader(origin)
        whole = reader.read(path, (), own=True)
        return cls(
            origin=origin,
            rules=tuple(reader.rules),
            roles={role: tuple(people) for role, people in reader.roles.items()},
            loosens=whole.may_loosen,
            files=tuple(reader.files),
            destinations=tuple(reader.destinations),
        )

    def weigh(self, facts: Facts) -> tuple[Said, ...]:
        """The rules that count for a call: the first that surely fits, and before it those that may and do
        not allow; which of them is meant cannot be told, so that the strictest holds."""
        said: list[Said] = []
        missed = ""
        for placed in self.rules:
            fit = placed.rule.fit(facts)
            if fit is Fit.NO:
                missed = missed or placed.rule.missed(facts)
            elif fit is Fit.YES:
                more = [missed] if placed.rule.verdict == "refuse" else []
                return (*said, Said(placed, fit, placed.rule.says(facts, *more)))
            elif placed.rule.verdict != "allow":
                said.append(Said(placed, fit, placed.rule.says(facts)))
        return tuple(said)


class _Reader:
    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.rules: list[PlacedRule] = []
        self.destinations: list[PlacedDestination] = []
        self.roles: dict[str, dict[str, None]] = {}
        self.files: list[tuple[Path, str]] = []
        self.read_before: set[Path] = set()

    def read(self, path: Path, above: tuple[Path, ...], *, own: bool) -> PolicyFile:
        text = read_text(path)
        self.read_before.add(path.resolve())
        self.files.append((path, hashlib.sha256(text.encode("utf-8")).hexdigest()))
        found = parse_placed(text, PolicyFile, path)
        self._check(found, path, own=own)
        for index, name in enumerate(found.value.include):
            self._include(path, path.parent / name, (*above, path.resolve()), found.line("include", index))
        for role, people in found.value.roles.items():
            self.roles.setdefault(role, {}).update(dict.fromkeys(map(person, people)))
        for index, rule in enumerate(found.value.rules):
            self.rules.append(PlacedRule(rule, path, found.line("rules", index), own))
        for index, where in enumerate(found.value.destinations):
            line = found.line("destinations", index)
            self.destinations.append(PlacedDestination(where, path, line, own))
        return found.value

    def _check(self, found: Placed[PolicyFile], path: Path, *, own: bool) -> None:
        """Refuse what another file has to say."""
        if found.value.may_loosen and not (own and self.origin == "organisation"):
            said = (
                "may_loosen: only the organisation's own file may say so, no other and none that it includes"
            )
            raise BadFile(path, said, found.line("may_loosen"))
        if found.value.roles and self.origin == "squad":
            said = "roles: who holds a role is said by the organisation's policy, not by a squad's"
            raise BadFile(path, said, found.line("roles"))

    def _include(self, path: Path, named: Path, above: tuple[Path, ...], line: int) -> None:
        try:
            read_text(named)
        except BadFile as error:
            raise BadFile(path, f"include: {named}: {error.reason}", line) from None
        there = named.resolve()
        if there in above:
            raise BadFile(path, f"include: {named} includes this file again, and so on for ever", line)
        if len(above) > DEEPEST:
            raise BadFile(path, f"include: files include each other more than {DEEPEST} deep", line)
        if there not in self.read_before:
            self.read(named, above, own=False)
