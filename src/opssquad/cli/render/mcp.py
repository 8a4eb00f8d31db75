"""Servers of MCP on screen: which there are, what was approved of one, what one offers now."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from opssquad.cli.render.screen import BAD, GOOD, MUTED, STRONG, WARN, Screen
from opssquad.cli.render.squads import first_sentence
from opssquad.cli.text import visible
from opssquad.extensions.loaded import Broken, Loaded
from opssquad.extensions.mcp.approving import TOO_MANY, Look, Looked
from opssquad.extensions.mcp.building import Source
from opssquad.extensions.mcp.loading import Servers, tool_name
from opssquad.extensions.mcp.lock import Approved
from opssquad.types import Json
from opssquad.worlds.mcp.offered import Offered

SHOWN = {"type", "properties", "required", "title", "additionalProperties", "$schema"}
TOLD = {"type", "description", "title", "default"}


def show_servers(screen: Screen, known: Servers, broken: Iterable[Broken]) -> None:
    """A server each: where it is, its squads, how many tools; then what is left out."""
    if not known.specs:
        screen.line(f"no MCP servers yet; name one in {visible(str(known.file))}, see docs/mcp.md")
    for name, spec in known.specs.items():
        count = len(known.lock.servers[name].tools) if not known.unapproved(name) else 0
        screen.line((visible(name), STRONG), f"  {visible(spec.where())}")
        screen.flow(f"{_count(count)}; {', '.join(spec.squads) or 'in no squad'}", indent=2, style=MUTED)
    for each in broken:
        screen.flow(f"left out: {visible(str(each))}", indent=4, first="  ", style=WARN)


def show_server(screen: Screen, known: Servers, source: Source, loaded: Loaded) -> None:
    """One: its tools as squads have them, and what its own word on them is."""
    screen.line((visible(source.name), STRONG), f"  {visible(source.spec.where())}")
    screen.field("Squads", ", ".join(source.spec.squads) or "none: add `squads: [...]` to it", style=MUTED)
    lock = known.lock.servers.get(source.name)
    if lock and not known.unapproved(source.name):
        screen.field("Approved", f"by {lock.by} at {lock.at:%Y-%m-%d %H:%M} UTC", style=MUTED)
        for each in lock.tools:
            _show_tool(screen, source, each)
    for broken in loaded.broken:
        screen.flow(f"left out: {visible(str(broken))}", indent=4, first="  ", style=WARN)


def _show_tool(screen: Screen, source: Source, approved: Approved) -> None:
    offered = approved.offered
    screen.line(
        "  ", (visible(tool_name(source, offered.name)), STRONG), f"  {_effect(source, offered.name)}"
    )
    said = first_sentence(offered.description)
    screen.flow("its description is not shown to models" if approved.suspicious else said, indent=4)
    for line in _takes(offered.parameters):
        screen.flow(line, indent=6, style=MUTED)
    if hint := suggestion(source, offered):
        screen.flow(hint, indent=4, style=MUTED)


def suggestion(source: Source, offered: Offered) -> str:
    """What its owner may want to write of a tool; empty where that is done, or there is nothing to go by."""
    if offered.name in source.spec.tools or not offered.says_read:
        return ""
    write = f"tools: {{{offered.name}: {{effect: read}}}}"
    return f"the server says it only reads; to believe it write: `{write}`"


def show_look(screen: Screen, source: Source, look: Look) -> None:
    """What a server offers now, all of it: what is new or changed, what reads like an instruction."""
    screen.line((visible(source.name), STRONG), f"  {visible(source.spec.where())}")
    for each in look.tools:
        _show_looked(screen, source, each)
    for name in look.gone:
        screen.flow(f"gone: {visible(name)}", indent=2, first="  ", style=WARN)
    if look.more:
        screen.flow(TOO_MANY, indent=2, first="  ", style=WARN)
    if not look.tools:
        screen.line("  it offers no tools")


def _show_looked(screen: Screen, source: Source, looked: Looked) -> None:
    offered = looked.offered
    news = "new" if looked.new else f"changed: {' and '.join(looked.changes)}" if looked.changes else ""
    head = ("  ", (visible(offered.name), STRONG), f"  {_effect(source, offered.name)}")
    screen.line(*head, (f"  {news}", WARN if looked.changes else GOOD))
    if looked.unfit:
        screen.flow(f"it cannot be used: {looked.unfit}", indent=4, style=BAD)
        return
    # All of it: what was not read was not approved.
    screen.flow(offered.description or "(no description)", indent=4)
    for line in _takes(offered.parameters):
        screen.flow(line, indent=6, style=MUTED)
    if not _plain(offered.parameters):
        whole = json.dumps(offered.parameters, ensure_ascii=False)
        screen.flow(f"whole schema: {whole}", indent=6, style=MUTED)
    for found in looked.suspicions:
        where = "description" if found.locator.startswith("description") else "schema"
        said = f"careful: its {where} {found.does}: {found.text!r}; no model is shown its words"
        screen.flow(said, indent=4, style=BAD)
    if hint := suggestion(source, offered):
        screen.flow(hint, indent=4, style=MUTED)


def show_approved(screen: Screen, source: Source, look: Look, file: Path) -> None:
    """What is kept, and what it leads to."""
    usable = [each for each in look.tools if not each.unfit]
    screen.line((f"approved: {_count(len(usable))} of {source.name}, kept in {visible(str(file))}", GOOD))
    if not source.spec.squads:
        screen.line("no squad has them yet: add `squads: [k8s]` to the server")


def _effect(source: Source, tool: str) -> str:
    mapped = source.spec.tools.get(tool)
    if mapped is None:
        return "asks, as mcp.yaml does not say what it does"
    return "reads" if mapped.effect == "read" else "changes, asks"


def _plain(parameters: Json) -> bool:
    """Whether the lines of `_takes` say all of a schema that is said in words."""
    about = [each for each in parameters.get("properties", {}).values() if isinstance(each, dict)]
    return parameters.keys() <= SHOWN and all(each.keys() <= TOLD for each in about)


def _takes(parameters: Json) -> Sequence[str]:
    """A line for each argument."""
    needed = parameters.get("required", [])
    return [
        f"{name}: {_type(about)}{'' if name in needed else ', optional'}{_said(about)}"
        for name, about in parameters.get("properties", {}).items()
    ] or ["takes no arguments"]


def _type(about: object) -> str:
    kind = about.get("type", "any") if isinstance(about, dict) else "any"
    return " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _said(about: object) -> str:
    text = about.get("description", "") if isinstance(about, dict) else ""
    return f", {text}" if text else ""


def _count(number: int) -> str:
    return f"{number} {'tool' if number == 1 else 'tools'}"
