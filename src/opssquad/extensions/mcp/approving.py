"""Looks at what a server offers now, beside what was approved of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from opssquad.errors import ToolError
from opssquad.extensions.mcp import words
from opssquad.extensions.mcp.building import Source, without
from opssquad.extensions.mcp.lock import Approved, ServerLock
from opssquad.findings import Suspicion
from opssquad.worlds.mcp.checking import wrong
from opssquad.worlds.mcp.offered import TOOLS, Offered
from opssquad.worlds.mcp.servers import McpServers


@dataclass(frozen=True)
class Looked:
    """A tool as it is offered now: what of it changed since it was approved (`new` where it never was), what
    in its words reads like an instruction, why it cannot be used."""

    offered: Offered
    new: bool
    changes: tuple[str, ...]
    suspicions: tuple[Suspicion, ...]
    unfit: str


@dataclass(frozen=True)
class Look:
    """A server's tools now, and those that are gone; `more`: it has more than are read."""

    tools: tuple[Looked, ...]
    gone: tuple[str, ...]
    more: bool

    @property
    def changed(self) -> bool:
        """Whether it differs from what was approved."""
        return bool(self.gone) or any(each.new or each.changes for each in self.tools)

    def lock(self, source: Source, by: str, at: datetime) -> ServerLock:
        """What is approved by a yes to all of it."""
        fit = tuple(
            Approved(offered=each.offered, digest=each.offered.digest, suspicious=bool(each.suspicions))
            for each in self.tools
            if not each.unfit
        )
        left_out = {each.offered.name: each.unfit for each in self.tools if each.unfit}
        return ServerLock(place=source.spec.place_digest(), by=by, at=at, tools=fit, left_out=left_out)


async def look(source: Source, before: ServerLock | None) -> Look:
    """Start the server, read its tools, end it. Raises ToolError."""
    server, secrets = source.server()
    servers = McpServers()
    try:
        offered, more = await servers.offered(server)
    except ToolError as error:
        raise ToolError(without(str(error), secrets)) from error
    finally:
        await servers.close()
    known = {each.offered.name: each.offered for each in before.tools} if before else {}
    left_out = before.left_out if before else {}
    now = {each.name for each in offered}
    gone = tuple(name for name in known if name not in now)
    return Look(tuple(_looked(each, known, left_out) for each in offered), gone, more)


def _looked(tool: Offered, known: Mapping[str, Offered], left_out: Mapping[str, str]) -> Looked:
    before = known.get(tool.name)
    return Looked(
        offered=tool,
        new=before is None and tool.name not in left_out,
        changes=before.changes(tool) if before else (),
        suspicions=words.suspicions(tool),
        unfit=words.unfit(tool) or wrong(tool.parameters),
    )


TOO_MANY = f"it offers more than {TOOLS} tools; the first {TOOLS} are read"
