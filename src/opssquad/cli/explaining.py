"""What policy says of a line or a call that somebody types: no cluster, no model, no store."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from opssquad.errors import ToolError, UsageError
from opssquad.extensions import library
from opssquad.gate.kubectl import TOOL, classify, namespace_of
from opssquad.gate.policy import Policy
from opssquad.squad.known import spec_of
from opssquad.squad.ruled import policy_of_squad
from opssquad.times import parse_time, rfc3339, wall_clock
from opssquad.types import (
    Json,
    KubectlChange,
    KubectlLine,
    KubectlRefusal,
    Outcome,
    Target,
    ToolCall,
    Value,
    Verdict,
)

PROGRAMS = ("kubectl", "k")
HOW = 'give a kubectl line, or a call such as \'{"tool": "scale", "args": {"name": "api"}}\''


@dataclass(frozen=True)
class Place:
    """Whose call it is, where it goes and when; what is empty is not known, `at` then is now."""

    squad: str
    cluster: str
    namespace: str
    at: str


class Written(Value):
    """A call as somebody types it."""

    tool: str
    args: Json = Field(default_factory=dict)


class Weighed(Value):
    """A rule that counts: its layer, place and verdict. `sure`: it does not hang on what is not known."""

    layer: str
    rule: str
    place: str
    verdict: Outcome
    sure: bool


class Explained(Value):
    """The verdict and how it comes about. `line` says what a kubectl line is; `approvers` are the people who
    hold a role that is wanted; `notes` are what else should be known."""

    verdict: Verdict
    line: Literal["", "read", "change", "refuse"] = ""
    line_reason: str = ""
    tool: str = ""
    args: Json = Field(default_factory=dict)
    squad: str
    cluster: str
    namespace: str
    at: str
    approvers: tuple[str, ...] = ()
    rules: tuple[Weighed, ...] = ()
    notes: tuple[str, ...] = ()


def explained(asked: str, place: Place, organisation: Path | None) -> Explained:
    """What policy says. Raises UsageError for what is neither a line nor a call of a tool that there is, and
    for a policy that cannot be read."""
    policy = policy_of_squad(place.squad, organisation)
    written, line = _read(asked, place.namespace)
    at = _time(place.at)
    call = _call(written, place)
    where = {
        "squad": place.squad,
        "cluster": place.cluster,
        "namespace": call.target.namespace,
        "at": rfc3339(at),
        "line": line.kind if line else "",
        "line_reason": line.reason if line else "",
    }
    if isinstance(line, KubectlRefusal):
        verdict = Verdict(outcome="refuse", rule="lines of kubectl", reason=line.reason)
        return Explained.model_validate({**where, "verdict": verdict})
    return _judged(policy, call, at, where)


def _judged(policy: Policy, call: ToolCall, at: datetime, where: Json) -> Explained:
    tool = library.all_tools()[call.tool]
    has = call.tool in spec_of(policy.squad).tools
    verdict = policy.judge(call, tool.effect if has else None, at)
    notes = [] if has else [f"squad {policy.squad} does not have the tool {call.tool}"]
    try:
        tool.validate(call.args)
    except ToolError as error:
        notes.append(f"the call would go back to the model as it is: {error}")
    # A rule that counts by each of the names is told once.
    rules = {
        str(each.placed): Weighed(
            layer=layer.origin,
            rule=each.placed.rule.name,
            place=str(each.placed),
            verdict=each.verdict.outcome,
            sure=each.fit == 2,
        )
        for name in (policy.names() if has else ())
        for layer, said in policy.weigh(call, tool.effect, at, name)
        for each in said
    }
    wanted = verdict.needs.roles
    people = {name for each in policy.layers for role in wanted for name in each.roles.get(role, ())}
    return Explained.model_validate(
        {
            **where,
            "verdict": verdict,
            "tool": call.tool,
            "args": call.args,
            "approvers": sorted(people),
            "rules": list(rules.values()),
            "notes": notes,
        }
    )


def _read(asked: str, namespace: str) -> tuple[Written, KubectlLine | None]:
    """The call that is meant, and what the line is if it is one. Raises UsageError."""
    text = asked.strip()
    if text.startswith("{"):
        written = _json(text)
        library.tools([written.tool])
        return written, None
    if not set(text.split()) & set(PROGRAMS):
        raise UsageError(f"{asked!r} is neither a line nor a call; {HOW}")
    line = classify(text)
    if isinstance(line, KubectlChange):
        # Where the line names none, the conversation's own is meant.
        args = {**line.args, "namespace": line.args.get("namespace") or namespace}
        return Written(tool=line.tool, args=args if "namespace" in line.args else line.args), line
    return Written(tool=TOOL, args={"line": text}), line


def _json(text: str) -> Written:
    try:
        return Written.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"not a call: {where}: {first['msg'].lower()}; {HOW}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}; {HOW}") from None


def _call(written: Written, place: Place) -> ToolCall:
    named = namespace_of(written.tool, written.args)
    namespace = place.namespace if named is None else named
    target = Target(cluster=place.cluster, namespace=namespace)
    return ToolCall(id="explained", tool=written.tool, args=written.args, target=target)


def _time(text: str) -> datetime:
    try:
        at = parse_time(text) if text else wall_clock()
    except ValueError:
        raise UsageError(f"--at {text!r} is no time; it is written like 2026-12-24T18:00:00Z") from None
    if not 1970 <= at.year < 3000:
        raise UsageError(f"--at {text!r} is no time of ours; give a year from 1970 on")
    return at
