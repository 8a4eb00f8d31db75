"""Label selectors in their text form (`app=web,tier in (a,b),!legacy`) and in their object form
(`matchLabels`).

The parser follows the server's, so that what it refuses it refuses in the same words.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opssquad.worlds.kube.apiserver.status import ApiStatus, bad_request

SIGNS = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
SYMBOLS = frozenset({"==", "!=", "=", "!", "<", ">", "(", ")", ","})
OPERATORS = {
    "in": "in",
    "notin": "notin",
    "=": "in",
    "==": "in",
    "!=": "notin",
    "gt": "gt",
    "lt": "lt",
    ">": "gt",
    "<": "lt",
}


@dataclass(frozen=True)
class Requirement:
    """One condition on one label. Operators: exists, missing, in, notin, gt, lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a set of labels satisfies it. `notin` holds for objects without the label, too."""
        match self.operator:
            case "exists":
                return self.key in labels
            case "missing":
                return self.key not in labels
            case "in":
                return labels.get(self.key) in self.values
            case "notin":
                return labels.get(self.key) not in self.values
        return self._compares(labels.get(self.key, ""))

    def _compares(self, value: str) -> bool:
        [bound] = self.values
        if not (value.lstrip("-").isdigit() and bound.lstrip("-").isdigit()):
            return False
        return int(value) > int(bound) if self.operator == "gt" else int(value) < int(bound)

    def __str__(self) -> str:
        values = ",".join(sorted(self.values))
        match self.operator:
            case "exists":
                return self.key
            case "missing":
                return f"!{self.key}"
            case "gt" | "lt":
                return f"{self.key}{'>' if self.operator == 'gt' else '<'}{values}"
        return f"{self.key} {self.operator} ({values})"


def matches(requirements: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy all requirements; no requirement at all matches everything."""
    return all(requirement.holds(labels) for requirement in requirements)


def of_selector(selector: Mapping[str, Any] | None) -> list[Requirement] | None:
    """The requirements of a LabelSelector object, sorted by key; None selects nothing."""
    if selector is None:
        return None
    words = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "missing"}
    found = [Requirement(k, "in", frozenset({v})) for k, v in (selector.get("matchLabels") or {}).items()]
    for entry in selector.get("matchExpressions") or []:
        values = frozenset(entry.get("values") or ())
        found.append(Requirement(entry["key"], words[entry["operator"]], values))
    return sorted(found, key=lambda r: r.key)


def text(selector: Mapping[str, Any] | None, empty: str = "") -> str:
    """A LabelSelector object as `app=web,tier in (a,b)`; `empty` if it has no requirement."""
    expressions = {entry["key"] for entry in (selector or {}).get("matchExpressions") or []}
    said = []
    for requirement in of_selector(selector) or []:
        [*values] = requirement.values
        plain = requirement.operator == "in" and requirement.key not in expressions
        said.append(f"{requirement.key}={values[0]}" if plain else str(requirement))
    return ",".join(said) or empty


def parse(selector: str) -> list[Requirement]:
    """Read the text form. Raises a 400 in the server's words."""
    tokens = SIGNS.findall(selector)
    parser = _Parser(tokens)
    found = []
    while parser.peek():
        found.append(parser.requirement())
        if parser.peek() == ",":
            parser.take()
            if not parser.peek() or parser.peek() in SYMBOLS - {"!"}:
                raise _expected(parser.peek(), "identifier after ','")
        elif parser.peek():
            raise _expected(parser.peek(), "',' or 'end of string'")
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def take(self) -> str:
        return self._tokens.pop(0) if self._tokens else ""

    def requirement(self) -> Requirement:
        if self.peek() in SYMBOLS - {"!"}:
            raise _expected(self.peek(), "!, identifier, or 'end of string'", whole=True)
        if self.peek() == "!":
            self.take()
            return Requirement(self._identifier(), "missing")
        key = self._identifier()
        if self.peek() in ("", ","):
            return Requirement(key, "exists")
        sign = self.take()
        if sign not in OPERATORS:
            raise _expected(sign, "in, notin, =, ==, !=, gt, lt")
        values = self._list() if sign in ("in", "notin") else frozenset({self._value()})
        return Requirement(key, OPERATORS[sign], values)

    def _identifier(self) -> str:
        token = self.take()
        if not token or token in SYMBOLS:
            raise _expected(token, "identifier")
        return token

    def _value(self) -> str:
        if self.peek() in ("", ","):
            return ""
        return self._identifier()

    def _list(self) -> frozenset[str]:
        if self.peek() != "(":
            raise _expected(self.peek(), "'('")
        self.take()
        if self.peek() in SYMBOLS - {",", ")"} or not self.peek():
            raise _expected(self.peek(), "',', ')' or identifier")
        values = set()
        while self.peek() != ")":
            if self.peek() == "":
                raise _expected("", "',' or ')'")
            token = self.take()
            values.add("" if token == "," else token)
            if token != "," and self.peek() == ",":
                self.take()
        self.take()
        return frozenset(values or {""})


def _expected(found: str, wanted: str, whole: bool = False) -> ApiStatus:
    lead = "" if whole else "unable to parse requirement: "
    return bad_request(f"{lead}found '{found}', expected: {wanted}")
