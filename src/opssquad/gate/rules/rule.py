"""One rule of a policy: the calls that it is about, what it says of them, and in which words. Pure."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from opssquad.gate.rules import arguments, kinds, patterns, windows
from opssquad.gate.rules.arguments import Alternatives, Range
from opssquad.gate.rules.facts import Facts
from opssquad.gate.rules.fits import Fit, every
from opssquad.gate.rules.known import known
from opssquad.gate.rules.patterns import Patterns
from opssquad.types import Needs, Outcome, Value, Verdict

ANY = ("*",)
NAMES = ("squad", "tool", "cluster", "namespace")
"""Keys whose patterns are held against a text of the same name."""
APPROVAL = ("approvers", "roles", "requester_may_approve")
"""Keys that only a rule that asks may have."""


class Rule(Value):
    """One rule. A key that is left out matches anything; of a list, one has to match.

    `object` is the name of the object that the call is about, `args` its arguments, `when` the time.
    """

    name: str = Field(min_length=1)
    verdict: Outcome
    squad: Patterns = ANY
    tool: Patterns = ANY
    effect: Literal["read", "mutate", "any"] = "any"
    cluster: Patterns = ANY
    namespace: Patterns = ANY
    kind: Patterns = ANY
    object: Patterns = ANY
    args: Mapping[str, Alternatives] = Field(default_factory=dict)
    when: windows.Windows = ()
    approvers: Annotated[int, Field(ge=1, le=9, strict=True)] = 1
    roles: Annotated[tuple[str, ...], BeforeValidator(patterns.listed), Field(min_length=1)] = ()
    requester_may_approve: bool = True
    reason: str = ""

    @field_validator("kind")
    @classmethod
    def _one_kind_each(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if several := [each for each in given if each.lower() in known().categories]:
            raise ValueError(f"{several[0]!r} stands for several kinds; list those that are meant")
        return given

    @model_validator(mode="after")
    def _only_who_asks_needs_a_yes(self) -> Self:
        if self.verdict != "ask" and (given := [key for key in APPROVAL if key in self.model_fields_set]):
            raise ValueError(f"{given[0]} is for rules that ask, and this one says {self.verdict}")
        return self

    @property
    def needs(self) -> Needs:
        """Who must approve what it asks about."""
        return Needs(
            approvers=self.approvers, roles=self.roles, requester_may_approve=self.requester_may_approve
        )

    def fit(self, facts: Facts) -> Fit:
        """Whether the rule is about a call; MAYBE where that depends on what the call does not say."""
        return min(self._fit_but_args(facts), arguments.fit(self.args, facts.args))

    def _fit_but_args(self, facts: Facts) -> Fit:
        if self.effect not in ("any", facts.effect):
            return Fit.NO
        if self.when and not windows.hold(self.when, facts.at):
            return Fit.NO
        texts = every(patterns.fit(getattr(self, key), getattr(facts, key)) for key in NAMES)
        return min(texts, facts.fit_things(self.kind, self.object))

    def says(self, facts: Facts, *more: str) -> Verdict:
        """Its verdict on a call that it fits; `more` is added to the reason."""
        reason = "; ".join(filter(None, (self.reason, *self._why(facts), *more)))
        needs = self.needs if self.verdict == "ask" else Needs()
        return Verdict(outcome=self.verdict, rule=self.name, reason=reason, needs=needs)

    def _why(self, facts: Facts) -> Iterator[str]:
        """What of the call the rule goes by, where the reason of the file cannot say it."""
        if self.verdict == "allow":
            return
        for name, wanted in self.args.items():
            value = facts.args.get(name)
            if value is None:
                yield f"the call does not say {name}"
            elif arguments.fit_one(wanted, value) is Fit.MAYBE:
                yield f"whether {name} is meant so cannot be told"
            else:
                yield next(each.said(name, value) for each in wanted if each.fit(value) is Fit.YES)
        for key in NAMES:
            if patterns.fit(getattr(self, key), getattr(facts, key)) is Fit.MAYBE:
                yield f"the call names no {key}, so it counts as any"
        if facts.fit_things(self.kind, self.object) is Fit.MAYBE:
            yield "which object the call is about is not certain, so it counts as any"
        if self.when and (end := windows.over(self.when, facts.at)):
            yield f"until {end}"

    def missed(self, facts: Facts) -> str:
        """By which bound alone a call is no business of this rule's, in words; empty where it is more."""
        beyond = [
            (name, each)
            for name, wanted in self.args.items()
            if arguments.fit_one(wanted, facts.args.get(name)) is Fit.NO
            for each in wanted
        ]
        if len(beyond) != 1 or self._fit_but_args(facts) is Fit.NO:
            return ""
        name, bound = beyond[0]
        if not isinstance(bound, Range) or bound.min == bound.max:
            return ""
        return f"{bound.missed(name, facts.args[name])}, the bound of rule {self.name!r}"

    def covers(self, other: "Rule") -> bool:
        """Whether certainly every call that the other rule fits, this one fits too (and surely where that one
        does); False where it cannot be told."""
        spelled = [[kinds.spelled(each) for each in rule.kind] for rule in (self, other)]
        return (
            self.effect in ("any", other.effect)
            and all(patterns.covers(getattr(self, key), getattr(other, key)) for key in (*NAMES, "object"))
            and patterns.covers(*spelled)
            and arguments.covers(self.args, other.args)
            and windows.covers(self.when, other.when)
        )


def matcher(rule: Rule) -> dict[str, object]:
    """What the rule matches on, to be compared with another's."""
    return rule.model_dump(exclude={"name", "verdict", "reason", *APPROVAL})
