"""Reads `mcp.yaml` and what was approved; no server is started for that."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opssquad.documents import BadFile, Placed, parse_placed, read_text
from opssquad.errors import UsageError
from opssquad.extensions.loaded import Broken, Loaded
from opssquad.extensions.mcp import lock as locks
from opssquad.extensions.mcp.building import Source, build
from opssquad.extensions.mcp.document import FILE, McpFile, ServerSpec
from opssquad.extensions.mcp.lock import Approved, Lock, ServerLock
from opssquad.types import digest

LONGEST = 64
"""Signs of a tool's name."""


@dataclass(frozen=True)
class Servers:
    """The file of a folder with what was approved. `file` need not be there."""

    folder: Path
    placed: Placed[McpFile]
    lock: Lock

    @property
    def file(self) -> Path:
        """Where it is."""
        return self.folder / FILE

    @property
    def specs(self) -> dict[str, ServerSpec]:
        """Servers by name."""
        return self.placed.value.servers

    def source(self, name: str) -> Source:
        """A server of that name. Raises UsageError with the nearest names."""
        if name not in self.specs:
            near = difflib.get_close_matches(name, self.specs, n=3) or list(self.specs)
            said = f"nearest: {', '.join(near)}" if near else f"write one into {self.file}"
            raise UsageError(f"no MCP server {name!r}; {said}")
        return Source(self.folder, name, self.specs[name])

    def unapproved(self, name: str) -> str:
        """Why nothing of a server counts; empty where it does."""
        how = f"look at its tools: opssquad mcp approve {name}"
        if name not in self.lock.servers:
            return f"MCP server {name} offers nothing yet, nobody approved it; {how}"
        if self.lock.servers[name].place != self.specs[name].place_digest():
            return f"MCP server {name} is not where it was when it was approved; {how}"
        return ""


def servers(folder: Path, believing: bool = True) -> Servers:
    """What the folder says of servers; none without a file. Raises UsageError, for what was approved only if
    it is to be believed."""
    file = folder / FILE
    if not file.exists():
        return Servers(folder, Placed(McpFile(servers={}), None), Lock())
    placed = parse_placed(read_text(file), McpFile, file)
    try:
        return Servers(folder, placed, locks.read(folder))
    except UsageError:
        if believing:
            raise
        return Servers(folder, placed, Lock())


def load(folder: Path) -> Loaded:
    """The tools that were approved, in the order of the file. Nothing is raised for what files hold."""
    try:
        known = servers(folder)
    except BadFile as error:
        return Loaded(broken=(Broken(Path(error.file), error.line or 0, "", error.reason),))
    except UsageError as error:
        return Loaded(broken=(Broken(folder / locks.FILE, 0, "", str(error).partition(": ")[2]),))
    tools, broken = [], []
    names = Counter(
        tool_name(known.source(n), each.offered.name) for n in known.specs for each in _approved(known, n)
    )
    for server in known.specs:
        source, line = known.source(server), known.placed.line("servers", server)
        if why := known.unapproved(server):
            broken.append(Broken(known.file, line, "", why))
            continue
        broken += _unknown(known, server, known.lock.servers[server])
        for approved in _approved(known, server):
            name = tool_name(source, approved.offered.name)
            if names[name] > 1:
                why = f"{approved.offered.name} of MCP server {server} and another would both be {name!r}; "
                give = f"give one a name: `tools: {{{approved.offered.name}: {{effect: ..., name: ...}}}}`"
                broken.append(Broken(known.file, line, name, why + give))
            else:
                tools.append(build(source, name, approved))
    return Loaded(tuple(tools), tuple(broken))


def tool_name(source: Source, remote: str) -> str:
    """Under which name a tool is had: its owner's, else the server's with the server's name before it."""
    if (mapped := source.spec.tools.get(remote)) and mapped.name:
        return mapped.name
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", f"{source.name}_{remote}")
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}_{digest(remote)[:8]}"


def _approved(known: Servers, server: str) -> tuple[Approved, ...]:
    return () if known.unapproved(server) else known.lock.servers[server].tools


def _unknown(known: Servers, server: str, lock: ServerLock) -> Iterator[Broken]:
    """What the file says of tools that the server does not offer, and tools that cannot be used."""
    offered, left_out = [each.offered.name for each in lock.tools], dict(lock.left_out)
    for name in known.specs[server].tools:
        line, ours = (
            known.placed.line("servers", server, "tools", name),
            tool_name(known.source(server), name),
        )
        if name in left_out:
            yield Broken(known.file, line, ours, f"{name} of MCP server {server}: {left_out.pop(name)}")
        elif name not in offered:
            near = ", ".join(difflib.get_close_matches(name, offered, n=3) or offered[:5]) or "nothing"
            yield Broken(known.file, line, ours, f"MCP server {server} offers no {name!r}; nearest: {near}")
    if left_out:
        (name, why), count = next(iter(left_out.items())), len(left_out)
        tools = f"{count} {'tool' if count == 1 else 'tools'} of MCP server {server}"
        line = known.placed.line("servers", server)
        yield Broken(known.file, line, "", f"{tools} cannot be used, such as {name}: {why}")
