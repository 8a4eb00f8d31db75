"""From a model's draft to a conclusion: evidence checked against tool results, numbers computed by code."""

import re
from collections.abc import Mapping, Sequence
from typing import get_args

from pydantic import ValidationError

from opssquad.errors import ToolError
from opssquad.findings import Action, Cause, Conclusion, Evidence, Finding, Hypothesis, Option, ToolResult
from opssquad.models.base import Case, Draft, ModelCall, PastCall
from opssquad.squad.context import Context
from opssquad.squad.ledger import Ledger
from opssquad.squad.way_on import ways_on
from opssquad.toolbox import Toolbox
from opssquad.types import Json, Ref, Risk

QUOTED = re.compile(r"^(?P<call>[\w.-]+): (?P<text>.+)$", re.DOTALL)
RISK: Mapping[str, tuple[Risk, int, bool]] = {
    "none": ("low", 1, True),
    "escalate": ("low", 15, True),
    "rollback": ("medium", 2, True),
    "restart": ("medium", 2, False),
    "scale": ("medium", 1, True),
    "patch": ("medium", 2, True),
    "cordon": ("low", 1, True),
    "uncordon": ("low", 1, True),
    "delete": ("high", 1, False),
    "sql": ("high", 2, False),
}
"""Risk, rough minutes and whether it can be taken back, by action: never taken from a model's words."""


def read_draft(call: ModelCall) -> Draft:
    """The arguments of `conclude`. Raises ToolError that says what to mend."""
    if call.problem:
        raise ToolError(call.problem)
    try:
        return Draft.model_validate(call.args)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise ToolError(f"conclude: {said}") from error


async def conclude(ctx: Context, draft: Draft, ledger: Ledger, case: Case) -> Conclusion:
    """Check every citation, then build the conclusion. Raises ToolError where nothing cited stands."""
    causes = [await _cause(ctx, cause, ledger, case.differential) for cause in draft.causes]
    options = tuple(_option(o, ctx.toolbox) for o in draft.options)
    ways = tuple(_weighed(way) for way in ways_on(c for c in case.calls if c.turn == case.turn))
    taken = [_call(way) for way in ways]
    unseen = unread(case)
    no_fault = draft.no_fault and not unseen
    if draft.no_fault and unseen:
        # Where not everything could be looked at, nobody knows that there is no fault.
        causes = [cause.model_copy(update={"confidence": "possible"}) for cause in causes]
        options = tuple(option for option in options if option.action != "none")
    sure = no_fault or (not draft.no_fault and any(c.confidence != "possible" for c in causes))
    return Conclusion(
        status="concluded" if sure else "inconclusive",
        no_fault=no_fault,
        summary=draft.summary,
        causes=tuple(causes),
        options=(*ways, *(o for o in sorted(options, key=_order) if o.tool == "" or _call(o) not in taken)),
        missing=tuple(dict.fromkeys((*draft.missing, *unseen, *_unasked(case, causes)))),
    )


def unread(case: Case) -> list[str]:
    """What could not be looked at for this utterance, and why: a line for all tools that failed alike, one
    for each that lacks a part; what a tool saw when it was called again counts."""
    last = {
        call.tool: call
        for call in case.calls
        if call.turn == case.turn and (call.status == "ok" or "unread" in call.data)
    }
    lacking = [call for call in last.values() if call.unread]
    failed: dict[str, list[str]] = {}
    for call in lacking:
        if call.status != "ok":
            failed.setdefault(call.text, []).append(call.tool)
    whole = [f"{', '.join(tools)}: {why}" for why, tools in failed.items()]
    return [*whole, *(_lacking(call) for call in lacking if call.status == "ok")]


def _unasked(case: Case, causes: Sequence[Cause]) -> list[str]:
    """The squads that could tell more and have nothing to work on here, unless a cause is certain without."""
    if any(cause.confidence == "confirmed" for cause in causes):
        return []
    return [f"squad {t.to} could tell more, but {t.closed}" for t in case.transfers if t.closed]


def _lacking(call: PastCall) -> str:
    return f"{call.tool} could not read {', '.join(call.unread)}: {next(iter(call.unread.values()))}"


def _weighed(way: Option) -> Option:
    """A way on after a change, with the risk that its action has."""
    risk, minutes, reversible = RISK[way.action]
    return way.model_copy(update={"risk": risk, "minutes": minutes, "reversible": reversible})


def _call(option: Option) -> tuple[str, Json]:
    return option.tool, option.args


def _order(option: Option) -> tuple[bool, int, int]:
    """What mends before what hands over; then by risk and time."""
    return option.action == "escalate", ("low", "medium", "high").index(option.risk), option.minutes


async def _cause(ctx: Context, cause: Draft.Cause, ledger: Ledger, ranked: Sequence[Hypothesis]) -> Cause:
    try:
        component = Ref.parse(cause.component)
    except ValueError as error:
        raise ToolError(f"conclude: component: {error}") from error
    cited = [await _stands(ctx, item, ledger) for item in cause.evidence]
    evidence = tuple(e for e in cited if e)
    if not evidence:
        given = ", ".join(cause.evidence) or "none"
        raise ToolError(
            f"conclude: no evidence for {component} stands in what the tools returned (cited: {given})"
        )
    claims = _claims(component, cause.fault, ranked, ledger)
    findings: dict[str, list[Evidence]] = {}
    for e in evidence:
        findings.setdefault(claims.get(e.id, cause.root_cause), []).append(e)
    return Cause(
        component=component,
        fault=cause.fault,
        root_cause=cause.root_cause,
        confidence=cause.confidence,
        runbooks=ctx.runbooks(cause.fault) if cause.fault else (),
        inadmissible=next((h.inadmissible for h in ranked if _is(h, component, cause.fault)), ()),
        findings=tuple(
            Finding(
                claim=claim,
                confidence=cause.confidence,
                evidence=tuple(es),
                against=_against(component, cause.fault, ranked, ledger),
            )
            for claim, es in findings.items()
        ),
    )


def _claims(component: Ref, fault: str, ranked: Sequence[Hypothesis], ledger: Ledger) -> Mapping[str, str]:
    """What each piece of evidence shows; of several signals that rest on one, that which speaks for this
    cause."""
    mine = [ledger.signals[i] for h in ranked if _is(h, component, fault) for i in h.supporting]
    # Of two that rest on the same, the first to be put in is what it shows.
    return {e: s.signal.text for s in reversed([*mine, *ledger.signals]) for e in s.evidence}


def _against(
    component: Ref, fault: str, ranked: Sequence[Hypothesis], ledger: Ledger
) -> tuple[Evidence, ...]:
    ids = [
        e
        for h in ranked
        if _is(h, component, fault)
        for index in h.opposing
        for e in ledger.signals[index].evidence
    ]
    return ledger.cited(list(dict.fromkeys(ids)))


def _is(hypothesis: Hypothesis, component: Ref, fault: str) -> bool:
    return (hypothesis.component, hypothesis.fault) == (component, fault)


async def _stands(ctx: Context, item: str, ledger: Ledger) -> Evidence | None:
    """The evidence a citation names, if its exact text stands in a source of the call it came from."""
    if known := ledger.cited([item]):
        result = await ctx.records.output(known[0].call)
        return known[0] if _found(result, known[0].text, known[0].locator) else None
    match = QUOTED.match(item)
    if not match or match["call"] not in {c.call for c in ledger.calls}:
        return None
    result, text = await ctx.records.output(match["call"]), match["text"]
    locator = next((s.locator for s in result.sources if text in s.text), "")
    return (
        Evidence(id=f"{match['call']}*", call=match["call"], locator=locator, text=text) if locator else None
    )


def _found(result: ToolResult, text: str, locator: str) -> bool:
    """Whether a source of the call holds the text: `Pod/ns/x` itself or a path inside it."""
    return any(
        (locator == s.locator or locator.startswith(f"{s.locator} ")) and text in s.text
        for s in result.sources
    )


def _option(option: Draft.Option, toolbox: Toolbox) -> Option:
    action: Action = option.action if option.action in get_args(Action) else "escalate"  # type: ignore[assignment]
    risk, minutes, reversible = RISK[action]
    # An option that says it changes nothing carries no call that does.
    idle = (
        action in ("none", "escalate")
        and option.tool in toolbox
        and toolbox.get(option.tool).effect != "read"
    )
    tool = option.tool if option.tool in toolbox and not idle else ""
    return Option(
        label=option.label,
        action=action,
        target=option.target,
        tool=tool,
        args=option.args if tool else {},
        risk=risk,
        minutes=minutes,
        reversible=reversible,
    )
