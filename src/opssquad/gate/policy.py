"""What a squad may do: ordered rules from YAML, and the verdict on a call. Pure once loaded.

Closed by default: what cannot be read, is not known or is not matched is never allowed.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field

from opssquad.documents import BadFile, read_yaml
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
            return cls([read_yaml(path, Rules) for path in paths])
        except BadFile as error:
            return cls([], problem=f"policy {error}")

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
