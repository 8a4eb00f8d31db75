"""What is odd about one rule, given the tools, squads and people that there are. Certain, never guessed."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from opssquad.gate.rules.arguments import Alternative, Like, Range, Switch
from opssquad.gate.rules.patterns import matches
from opssquad.gate.rules.rule import Rule
from opssquad.types import Effect, Json

TYPES: Mapping[str, type] = {"integer": Range, "number": Range, "string": Like, "boolean": Switch}
"""By the type of an argument: what a rule must say of it so that it can be told."""
WRITTEN = {"integer": "a number", "number": "a number", "string": "a text", "boolean": "true or false"}


@dataclass(frozen=True)
class KnownTool:
    """A tool as rules see it: its effect, and the JSON Schema of each argument."""

    effect: Effect
    args: Mapping[str, Json]


@dataclass(frozen=True)
class House:
    """What there is for rules to be about. `people` hold roles beside those of the layers looked at."""

    tools: Mapping[str, KnownTool]
    squads: Sequence[str]
    people: Mapping[str, Collection[str]] = field(default_factory=dict)


def odd(rule: Rule, house: House, people: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What is odd, in words that follow upon the rule's name; `people` are those of each role."""
    yield from _absent("tool", rule.tool, house.tools)
    yield from _absent("squad", rule.squad, house.squads)
    meant = {name: tool for name, tool in house.tools.items() if any(matches(p, name) for p in rule.tool)}
    about = {name: tool for name, tool in meant.items() if rule.effect in ("any", tool.effect)}
    if meant and not about:
        other = "changes things" if rule.effect == "read" else "only reads"
        yield f"can match nothing: it is about effect {rule.effect}, and {_some(meant)} {other}"
    if rule.verdict == "allow" and (
        rule.effect == "mutate" or about and all(tool.effect == "mutate" for tool in about.values())
    ):
        yield "allows changes, and those are always asked about; say ask"
    for name, wanted in rule.args.items():
        yield from _argument(rule, name, wanted, about)
    if rule.when and all(each.never for each in rule.when):
        yield "can match nothing: none of its dates is one of its weekdays"
    yield from _approval(rule, people)


def _absent(what: str, patterns: Sequence[str], names: Collection[str]) -> Iterator[str]:
    for pattern in patterns:
        if not any(matches(pattern, name) for name in names):
            near = difflib.get_close_matches(pattern, names, n=1)
            yield f"names {what} {pattern!r}, which is none" + (f"; nearest: {near[0]}" if near else "")


def _argument(
    rule: Rule, name: str, wanted: Sequence[Alternative], about: Mapping[str, KnownTool]
) -> Iterator[str]:
    lack = [each for each, tool in about.items() if name not in tool.args]
    if about and len(lack) == len(about):
        near = difflib.get_close_matches(name, {arg for tool in about.values() for arg in tool.args}, n=1)
        hint = f"; nearest: {near[0]}" if near else ""
        yield f"is about an argument {name!r}, and none of {_some(about)} has one{hint}"
    elif lack and rule.verdict != "allow":
        yield f"matches every call of {_some(lack)}: they have no argument {name!r}; name the tools meant"
    for each, tool in about.items():
        type_ = str(tool.args.get(name, {}).get("type"))
        if type_ in TYPES and not any(isinstance(one, TYPES[type_]) for one in wanted):
            yield f"says of {name} what cannot be told: for {each} it is {WRITTEN[type_]}"
            return


def _approval(rule: Rule, people: Mapping[str, Collection[str]]) -> Iterator[str]:
    for role in rule.roles:
        if not people.get(role):
            yield f"wants the role {role!r}, which nobody has; say who under `roles:`"
    able = {name for role in rule.roles for name in people.get(role, ())}
    if able and len(able) < rule.approvers:
        had = f"{len(able)} {'person has' if len(able) == 1 else 'people have'}"
        yield f"wants {rule.approvers} approvers, and {had} the role {' or '.join(rule.roles)}: {_some(able)}"


def _some(names: Collection[str]) -> str:
    """The first few of them."""
    told = sorted(names)
    return ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "")
