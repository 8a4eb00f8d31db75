"""`opssquad tool run`: one call of a tool, as a squad that has it would make it."""

import json
from collections.abc import Sequence
from dataclasses import replace

import click

from opssquad.cli.ask import follow, follow_quietly, show_end
from opssquad.cli.failures import INTERNAL, OK, PENDING
from opssquad.cli.opening import open_session, squad_of
from opssquad.cli.session import Approve, Wanted
from opssquad.cli.shared import Shared
from opssquad.errors import UsageError
from opssquad.events import Event, Returned, Stopped
from opssquad.extensions.library import tools
from opssquad.settings import OFFLINE
from opssquad.squad.known import squads
from opssquad.toolbox import Tool
from opssquad.types import Json


async def run_tool(
    shared: Shared, name: str, given: Sequence[str], wanted: Wanted, approve: Approve, as_json: bool
) -> int:
    """Call it and tell what came of it. Returns the exit code. Raises UsageError."""
    tool = tools([name])[0]
    args = arguments(tool, given)
    # A model would only talk about what is on the screen already.
    wanted = replace(wanted, squad=squad_with(tool, wanted), model=OFFLINE)
    settings = shared.settings()
    async with await open_session(settings, wanted, mode="chat", approve=approve) as session:
        said = session.call(name, args)
        events = await (follow_quietly(said) if as_json else follow(shared, session, said, bodies=True))
        result = next((each.result for each in reversed(events) if isinstance(each, Returned)), None)
        if as_json:
            told = result.model_dump_json(indent=2) if result else json.dumps({"status": "pending"})
            click.echo(told)
        else:
            records = [await session.record(card.id) for card in await session.pending()]
            show_end(shared, session.thread, records)
    return _code(events)


def squad_with(tool: Tool, wanted: Wanted) -> str:
    """The squad that is meant, if it has the tool, else the first that has. Raises UsageError."""
    meant = squad_of(wanted)
    having = [name for name, each in squads().items() if tool.name in each.spec().tools]
    if meant in having:
        return meant
    if wanted.squad or not having:
        where = f"squad {wanted.squad} does not have" if wanted.squad else "no squad has"
        raise UsageError(
            f"{where} the tool {tool.name!r}; add it: @tool(..., squads=[{(wanted.squad or 'k8s')!r}])"
        )
    return having[0]


def arguments(tool: Tool, given: Sequence[str]) -> Json:
    """The arguments as they were typed: text for a parameter that takes text, else JSON where it is some.
    Raises UsageError."""
    known = tool.parameters().get("properties", {})
    args: Json = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"--arg {text!r}: give NAME=VALUE")
        if name not in known:
            raise UsageError(f"--arg {name}: {tool.name} takes {', '.join(known) or 'no arguments'}")
        if name in args:
            raise UsageError(f"--arg {name} is given twice; leave one out")
        args[name] = value if known[name].get("type") == "string" else _json(value)
    return args


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _code(events: Sequence[Event]) -> int:
    stopped = next((each for each in reversed(events) if isinstance(each, Stopped)), None)
    if stopped and stopped.status == "pending":
        return PENDING
    returned = [each.result.status for each in events if isinstance(each, Returned)]
    return OK if returned and returned[-1] == "ok" else INTERNAL
