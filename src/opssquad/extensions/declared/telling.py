"""From what a step gave to what a tool says: compact text, quotes of the whole, signals by declared rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opssquad.errors import ToolError
from opssquad.extensions.declared import jsonpath
from opssquad.extensions.declared.document import SignalRule, Test
from opssquad.extensions.declared.steps import Output, texts
from opssquad.extensions.declared.template import fill
from opssquad.findings import Quote, Result, Signal
from opssquad.matching import finder
from opssquad.toolbox.returned import as_result
from opssquad.types import Json, Ref

KEPT = 20_000
"""Characters of a text whose value is kept for the conversation; the whole of it is a source in any case."""
MOST = 50
"""Signals that one rule gives at most."""


@dataclass(frozen=True)
class Match:
    """Where an output passes a test: the facts there, and the exact text of it."""

    facts: Json
    quote: Quote


def matches(test: Test, output: Output, name: str) -> Iterator[Match]:
    """Where an output passes a test, in its order. Raises ToolError for a path into what is no JSON."""
    if test.regex:
        found = finder(test.regex)
        for source in output.sources:
            for line in source.text.splitlines():
                if line.strip() and (groups := found(line)) is not None:
                    yield Match(groups, Quote(locator=source.locator, text=line))
        return
    if not output.structured:
        raise ToolError(f"{name}: the output is no JSON, and {test.path!r} is asked of it")
    for each in jsonpath.find(output.value, test.path):
        if _passes(test, each.value):
            beside = each.beside if isinstance(each.beside, dict) else {}
            facts = {key: value for key, value in beside.items() if isinstance(value, str | int | float)}
            quote = Quote(locator=f"tool {name} values", text=_line(each, facts))
            yield Match({**facts, "value": each.value}, quote)


def _line(found: jsonpath.Found, facts: Mapping[str, Any]) -> str:
    """The value, and what stands beside it, on one line."""
    own = f"{found.path}={_said(found.value)}"
    return " ".join([own, *(f"{key}={_said(value)}" for key, value in facts.items())])


def _said(value: Any) -> str:
    return " ".join(str(value).split())[:200]


def _passes(test: Test, value: Any) -> bool:
    if test.exact:
        same = value == test.equals and isinstance(value, bool) == isinstance(test.equals, bool)
        return same or isinstance(value, str) and value == str(test.equals)
    if test.above is None and test.below is None:
        return value is not None
    number = _number(value)
    if number is None:
        return False
    over = test.above is None or number > test.above
    return over and (test.below is None or number < test.below)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def result(output: Output, name: str, rules: Sequence[SignalRule], values: Mapping[str, Any]) -> Result:
    """What the tool says. Raises ToolError for a rule that does not fit the output."""
    shown = as_result(name, output.value).text if output.structured else output.text
    signals: list[Signal] = []
    quoted: dict[str, None] = {}
    for rule in rules:
        for number, match in enumerate(matches(rule.when, output, name)):
            if number == MOST:
                break
            signals.append(_signal(rule, match, values))
            if match.quote.locator == f"tool {name} values":
                quoted[match.quote.text] = None
    values_source = Quote(locator=f"tool {name} values", text="\n".join(quoted))
    small = output.structured and len(output.text) <= KEPT
    data = {**output.data, **({"answer": output.value} if small else {})}
    return Result(
        text=texts([shown.rstrip() or "It said nothing.", *output.notes]),
        sources=(*output.sources, *([values_source] if quoted else [])),
        data=data,
        signals=tuple(signals),
        commands=(output.line,),
    )


def _signal(rule: SignalRule, match: Match, values: Mapping[str, Any]) -> Signal:
    given = {name: value for name, value in values.items() if isinstance(value, str | int | float)}
    facts = {**given, **match.facts}
    try:
        entity = Ref.parse(" ".join(fill(rule.entity, facts).split()))
    except ValueError as error:
        raise ToolError(f"signal {rule.id}: {error}; its entity has a hole that nothing fills") from None
    return Signal(
        id=rule.id,
        entity=entity,
        text=" ".join(fill(rule.text, facts).split()),
        severity=rule.severity,
        data=facts,
        quotes=(match.quote,),
    )


def asked(test: Test) -> str:
    """A test in words."""
    if test.regex:
        return f"a line of it matches {test.regex}"
    bounds = [f"is {test.equals!r}"] if test.exact else []
    bounds += [f"is above {test.above:g}"] if test.above is not None else []
    bounds += [f"is below {test.below:g}"] if test.below is not None else []
    return f"{test.path} {' and '.join(bounds) or 'is there'}"
