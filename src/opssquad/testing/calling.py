"""One call of one tool, as a squad makes it: policy, card, executor, redaction, quotes, cap, check."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

from pydantic import ValidationError

from opssquad.documents import misfit
from opssquad.errors import ToolError, UsageError
from opssquad.events import Event
from opssquad.extensions.declared import load
from opssquad.extensions.declared.making import DeclaredTool
from opssquad.extensions.settings import ToolSettings
from opssquad.findings import Check, ToolResult
from opssquad.settings import OFFLINE
from opssquad.testing.found import Where, as_loaded
from opssquad.testing.outcome import Outcome
from opssquad.testing.squads import open_squad
from opssquad.toolbox import Handle, Tool
from opssquad.types import Preview, Undo


@dataclass(frozen=True)
class Change:
    """A change from its card to its check: what it would do, how it is taken back, what came of it, whether
    it helped. `check` is None where it was not carried out."""

    preview: Preview
    undo: Undo
    result: ToolResult
    check: Check | None


@overload
def call(
    tool: Tool | str, args: Mapping[str, Any] | None = None, *, recording: Where,
    approve: Literal[False] = False, handles: Sequence[Handle] = (),
    settings: Mapping[str, Any] | None = None, policy: Where | None = None,
) -> ToolResult: ...  # fmt: skip
@overload
def call(
    tool: Tool | str, args: Mapping[str, Any] | None = None, *, recording: Where,
    approve: Literal[True], handles: Sequence[Handle] = (),
    settings: Mapping[str, Any] | None = None, policy: Where | None = None,
) -> Change: ...  # fmt: skip
def call(
    tool: Tool | str,
    args: Mapping[str, Any] | None = None,
    *,
    recording: Where,
    approve: bool = False,
    handles: Sequence[Handle] = (),
    settings: Mapping[str, Any] | None = None,
    policy: Where | None = None,
) -> ToolResult | Change:
    """Call a tool in a recorded world, through the gate and the executor, and give its result: what it says
    without secrets and within the cap, its signals with their quotes checked. It never raises for what the
    tool does: `status` is `ok`, `error`, `refused` or `unknown`.

    A change is refused at its card; with `approve` it is approved, carried out and checked. `handles` replace
    what it would get by type; `settings` stand for its section of `tools.yaml`, secrets as they are. Raises
    UsageError for a tool or a recording that is none, and for settings that do not fit.
    """
    if approve:
        return asyncio.run(
            async_call(
                tool,
                args,
                recording=recording,
                approve=True,
                handles=handles,
                settings=settings,
                policy=policy,
            )
        )
    return asyncio.run(
        async_call(tool, args, recording=recording, handles=handles, settings=settings, policy=policy)
    )


@overload
async def async_call(
    tool: Tool | str, args: Mapping[str, Any] | None = None, *, recording: Where,
    approve: Literal[False] = False, handles: Sequence[Handle] = (),
    settings: Mapping[str, Any] | None = None, policy: Where | None = None,
) -> ToolResult: ...  # fmt: skip
@overload
async def async_call(
    tool: Tool | str, args: Mapping[str, Any] | None = None, *, recording: Where,
    approve: Literal[True], handles: Sequence[Handle] = (),
    settings: Mapping[str, Any] | None = None, policy: Where | None = None,
) -> Change: ...  # fmt: skip
async def async_call(
    tool: Tool | str,
    args: Mapping[str, Any] | None = None,
    *,
    recording: Where,
    approve: bool = False,
    handles: Sequence[Handle] = (),
    settings: Mapping[str, Any] | None = None,
    policy: Where | None = None,
) -> ToolResult | Change:
    """The same, for a test that is a coroutine."""
    meant = as_loaded(tool)
    if approve and meant.effect == "read":
        raise UsageError(f"{meant.name} only reads, so there is nothing to approve; leave out approve")
    given = list(handles)
    if settings is not None:
        meant, own = _with(meant, settings)
        given += own
    opened = open_squad(recording, "", OFFLINE, [meant], approve, given, policy, "chat")
    events: list[Event] = []
    async with opened as run:
        events += [event async for event in run.call(meant.name, dict(args or {}))]
    outcome = Outcome(tuple(events))
    made = outcome.of(meant.name)
    if not approve:
        return made.result
    if not outcome.cards:
        raise UsageError(f"{meant.name}: no card was put up: {made.result.text}")
    card = outcome.cards[0]
    return Change(card.preview, card.undo, made.result, made.check)


def _with(tool: Tool, given: Mapping[str, Any]) -> tuple[Tool, list[ToolSettings]]:
    """The tool with the settings that a test gives, and those that are handles. Raises UsageError."""
    if isinstance(tool, DeclaredTool):
        return _declared(tool, given), []
    kinds = {kind for role in (tool.act, *tool.roles.values()) for kind in role.handles.values()}
    wanted = [kind for kind in kinds if issubclass(kind, ToolSettings)]
    if not wanted:
        raise UsageError(f"{tool.name} takes no settings; leave them out")
    try:
        return tool, [kind.model_validate(dict(given)) for kind in wanted]
    except ValidationError as error:
        raise UsageError(f"settings: {misfit(error, wanted[0])}") from error


def _declared(tool: DeclaredTool, given: Mapping[str, Any]) -> Tool:
    """The tool made anew from its file, with these secrets."""

    def secret(name: str) -> str:
        if name not in given:
            raise ToolError(f"the test gives no secret {name} in its settings")
        return str(given[name])

    made = load(tool.file, secret, source=tool.source).tools
    return next(each for each in made if each.name == tool.name)
