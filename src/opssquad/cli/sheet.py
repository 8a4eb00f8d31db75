"""What `opssquad squad show` tells, as values: all that a squad may do, and where that stands."""

import json
from pathlib import Path

from opssquad.cli.tools import place
from opssquad.extensions import library
from opssquad.gate.policy import Policy
from opssquad.models.base import Case, Message, Request
from opssquad.models.wire import body
from opssquad.settings import Settings, found
from opssquad.squad.crew import Member
from opssquad.squad.knowledge import known_faults
from opssquad.squad.known import squad
from opssquad.squad.offering import Offering, tokens
from opssquad.squad.offering import spec_of as tool_spec
from opssquad.squad.ruled import policy_of_squad
from opssquad.squad.runbooks.known import shelf
from opssquad.squad.spec import HandsOver, Limits, SquadSpec
from opssquad.squad.standing import Standing
from opssquad.squad.thinking import tool_specs
from opssquad.times import wall_clock
from opssquad.toolbox import Tool, Toolbox
from opssquad.types import Effect, Outcome, Target, ToolCall, Value

HOLES = {
    "cluster": "cluster",
    "namespace": "namespace",
    "database": "database",
    "now": "2026-01-01T00:00:00Z",
}
"""What a prompt is filled with where only its length matters."""


class Permitted(Value):
    """A tool, and policy's word on a call of it that names nothing yet; `needs` says in words whose yes it
    takes, `undo` why it cannot be undone (empty: it can, or changes nothing). `offered`: at first."""

    name: str
    effect: Effect
    verdict: Outcome
    rule: str
    reason: str
    needs: str
    undo: str
    tokens: int
    source: str
    offered: bool


class Reach(Value):
    """A rule about destinations of probes, and where it stands."""

    verdict: str
    what: str
    place: str


class Known(Value):
    """A fault: what it is, and where it stands; `off` says why it is off."""

    id: str
    title: str
    place: str
    off: str = ""


class Sheet(Value):
    """All that a squad may do. `tokens` is about what a first request costs."""

    name: str
    title: str
    description: str
    stands_on: tuple[str, ...]
    files: tuple[str, ...]
    world: str
    limits: Limits
    tools: tuple[Permitted, ...]
    destinations: tuple[Reach, ...]
    faults: tuple[Known, ...]
    runbooks: tuple[str, ...]
    knows: tuple[str, ...]
    hands_over: tuple[HandsOver, ...]
    tokens: int
    left_out: tuple[str, ...]


def sheet(name: str, settings: Settings) -> Sheet:
    """The sheet of a squad. Raises UsageError for one that there is not, and for unreadable files."""
    standing = squad(name)
    spec = standing.spec()
    policy = policy_of_squad(name, settings.policy)
    tools = library.tools(spec.tools)
    known = known_faults(name, settings.faults)
    offering = Offering(tuple(tools), known.catalogue)
    offered = {each.name for each in offering.of(Case())}
    return Sheet(
        name=name,
        title=spec.title,
        description=spec.description,
        stands_on=standing.names[1:],
        files=tuple(place(str(path)) for path in _files(standing, settings)),
        world=spec.world,
        limits=spec.limits,
        tools=tuple(_permitted(tool, policy, tool.name in offered) for tool in tools),
        destinations=tuple(_reaches(policy)),
        faults=tuple(
            Known(id=e.fault.id, title=e.fault.title, place=place(e.defined), off=e.off)
            for e in known.entries
        ),
        runbooks=tuple(book.id for book in shelf(name, settings.runbooks).books),
        knows=spec.knows,
        hands_over=spec.hands_over,
        tokens=first_request(spec, standing, tools, offering),
        left_out=tuple(str(each) for each in library.library().broken if each.name in _wished(standing)),
    )


def first_request(spec: SquadSpec, standing: Standing, tools: list[Tool], offering: Offering) -> int:
    """Tokens of the body of a first request: bytes of compact JSON, by 4."""
    specs = tool_specs(Toolbox(tools), spec)
    member = Member(spec, str, specs, offering)
    request = Request(
        system=standing.prompt().format(**HOLES),
        messages=(Message(role="user", text="what is wrong?"),),
        tools=member.offered(Case(question="what is wrong?"), ()),
        case=Case(),
    )
    made = body("model", request, stream=True, usage=True)
    return len(json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()) // 4


def _wished(standing: Standing) -> set[str]:
    return {name for layer in standing.layers if layer.said for name in layer.said.value.tools}


def _files(standing: Standing, settings: Settings) -> list[Path]:
    """The folders, and the organisation's files beside them."""
    ours = [settings.policy, settings.faults and found(settings.faults / f"{standing.name}.yaml")]
    return [*(layer.folder for layer in standing.layers), *(path for path in ours if path)]


def _permitted(tool: Tool, policy: Policy, offered: bool) -> Permitted:
    call = ToolCall(id="sheet", tool=tool.name, args={}, target=Target(cluster=""))
    verdict = policy.judge(call, tool.effect, wall_clock())
    changes = tool.effect == "mutate"
    undo = f"it cannot be undone: {tool.irreversible}" if changes and tool.irreversible else ""
    return Permitted(
        name=tool.name,
        effect=tool.effect,
        verdict=verdict.outcome,
        rule=verdict.rule,
        reason=verdict.reason,
        needs=_needs(verdict.needs.approvers, verdict.needs.roles, verdict.needs.requester_may_approve)
        if verdict.outcome == "ask"
        else "",
        undo=undo,
        tokens=tokens(tool_spec(tool)),
        source=tool.source,
        offered=offered,
    )


def _needs(approvers: int, roles: tuple[str, ...], requester: bool) -> str:
    """Whose yes it takes, in words."""
    who = f"{'1 approver' if approvers == 1 else f'{approvers} approvers'}"
    who += f" with the role {' or '.join(roles)}" if roles else ""
    return who if requester else f"{who}, not who asked for it"


def _reaches(policy: Policy) -> list[Reach]:
    rules = [placed for layer in policy.layers for placed in layer.destinations]
    return [
        Reach(verdict=each.rule.verdict, what=each.rule.name, place=place(f"{each.file}:{each.line}"))
        for each in rules
    ]
