"""What a squad may do: ordered rules from YAML, and the verdict on a call. Pure once loaded.

Closed by default: what cannot be read, is not known or is not matched is never allowed.
"""

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from opssquad.errors import UsageError
from opssquad.types import Effect, Outcome, ToolCall, Value, Verdict

STRICTNESS: dict[Outcome, int] = {"allow": 0, "ask": 1, "refuse": 2}

Patterns = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
    Field(min_length=1),
]


class Rule(Value):
    """One rule. Without a pattern it matches anything; patterns are shell patterns, case matters."""

    name: str = Field(min_length=1)
    verdict: Outcome
    effect: Literal["read", "mutate", "any"] = "any"
    tool: Patterns = ("*",)
    cluster: Patterns = ("*",)
    namespace: Patterns = ("*",)
    reason: str = ""

    def matches(self, call: ToolCall, effect: Effect) -> bool:
        """Whether the rule is about this call.

        A call that names no namespace may touch all of them: rules that ask or refuse are about it whatever
        namespaces they name, rules that allow only if they name them all.
        """
        target = call.target
        somewhere = _any(self.namespace, target.namespace)
        everywhere = not target.namespace and self.verdict != "allow"
        return (
            self.effect in ("any", effect)
            and _any(self.tool, call.tool)
            and _any(self.cluster, target.cluster)
            and (somewhere or everywhere)
        )


def _any(patterns: Sequence[str], value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)


class Rules(Value):
    """The content of one policy file."""

    rules: tuple[Rule, ...]

    def judge(self, call: ToolCall, effect: Effect) -> Verdict | None:
        """The verdict of the first rule that matches, or None."""
        for rule in self.rules:
            if rule.matches(call, effect):
                return Verdict(outcome=rule.verdict, rule=rule.name, reason=rule.reason)
        return None


class Policy:
    """The rules of one or more files. `problem` says why nothing is allowed; empty when all is well."""

    def __init__(self, files: Sequence[Rules], problem: str = "") -> None:
        self._files = files
        self.problem = problem

    @classmethod
    def load(cls, *paths: Path) -> Self:
        """The policy of these files. If one of them cannot be read, everything is refused and says why."""
        try:
            return cls([read(path) for path in paths])
        except UsageError as error:
            return cls([], problem=str(error))

    def judge(self, call: ToolCall, effect: Effect | None) -> Verdict:
        """The verdict on a call; `effect` is None for a tool that is not known.

        Of several files the strictest verdict holds. A mutation is never allowed without being asked about.
        """
        if self.problem:
            return Verdict(outcome="refuse", rule="unreadable policy", reason=self.problem)
        if effect is None:
            return Verdict(outcome="refuse", rule="unknown tool", reason=f"no tool {call.tool!r} is known")
        said = [verdict for file in self._files if (verdict := file.judge(call, effect))]
        if not said:
            return Verdict(outcome="ask", rule="no rule matches", reason="what no rule names is asked about")
        verdict = max(said, key=lambda each: STRICTNESS[each.outcome])
        if effect != "read" and verdict.outcome == "allow":
            return Verdict(outcome="ask", rule=verdict.rule, reason="a mutation is always asked about")
        return verdict


def read(path: Path) -> Rules:
    """The rules of a file. Raises UsageError: file, line, what is wrong, the nearest key to an unknown."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_duplicates(root)
        return Rules.model_validate(yaml.safe_load(text))
    except OSError as error:
        raise UsageError(f"policy {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"policy {path}: not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"policy {path}, line {line}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"policy {path}: {error}") from error
    except ValidationError as error:
        raise UsageError(f"policy {path}, {_explain(error, root)}") from error


def _explain(error: ValidationError, root: yaml.Node | None) -> str:
    """The first thing that is wrong: its line, where it stands, what is expected."""
    first = error.errors()[0]
    place = first["loc"]
    where = ".".join(str(part) for part in place) or "the file"
    said = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "extra_forbidden":
        known = Rule.model_fields if len(place) > 1 else Rules.model_fields
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        said = f"unknown key; {f'did you mean {near[0]}?' if near else 'known: ' + ', '.join(known)}"
    if first["type"] in ("model_type", "model_attributes_type"):
        said = "expected a mapping with the key `rules`" if not place else "expected a mapping"
    return f"line {_line(root, place)}: {where}: {said}"


def _line(node: yaml.Node | None, place: tuple[Any, ...]) -> int:
    """The line, from 1, of the deepest part of that place that the file has."""
    line = node.start_mark.line + 1 if node else 1
    for part in place:
        below = [value for key, value in _children(node) if key == part]
        if not below:
            break
        node = below[0]
        line = node.start_mark.line + 1
    return line


def _children(node: yaml.Node | None) -> list[tuple[str | int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        return [(str(key.value), value) for key, value in node.value]
    return list(enumerate(node.value)) if isinstance(node, yaml.SequenceNode) else []


def _refuse_duplicates(node: yaml.Node | None) -> None:
    """A key given twice would silently lose its first value. Raises MarkedYAMLError."""
    seen = set()
    for key, value in _children(node):
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"{key} is given twice", problem_mark=value.start_mark)
        seen.add(key)
        _refuse_duplicates(value)
