"""`opssquad mcp`: servers of MCP as sources of tools, and opssquad as one for other agents."""

import sys
from typing import TYPE_CHECKING, Any

import click

from opssquad.cli.failures import INTERNAL, OK
from opssquad.cli.shared import Shared, screen_options, shared
from opssquad.cli.world import world_options

if TYPE_CHECKING:
    from opssquad.extensions.mcp.approving import Look
    from opssquad.extensions.mcp.building import Source
    from opssquad.extensions.mcp.lock import ServerLock


@click.group("mcp")
def command() -> None:
    """Use MCP servers as tools, be one for other agents.

    Servers are named in ~/.config/opssquad/mcp.yaml (or in mcp.yaml of the folder that OPSSQUAD_OWN names);
    docs/mcp.md says how.
    """


@command.command("list")
@screen_options
@shared
def list_(shared: Shared) -> int:
    """The servers, and whether their tools can be used; exit code 1 if something is left out. Starts none."""
    from opssquad.cli.render.mcp import show_servers
    from opssquad.extensions.mcp.loading import load, servers

    known = servers(shared.settings().own)
    broken = load(known.folder).broken if known.specs else ()
    show_servers(shared.screen(), known, broken)
    return INTERNAL if broken else OK


@command.command("show")
@click.argument("server")
@screen_options
@shared
def show(shared: Shared, server: str) -> None:
    """A server and its tools as they were approved. Starts nothing."""
    from opssquad.cli.render.mcp import show_server
    from opssquad.extensions.mcp.loading import load, servers

    known = servers(shared.settings().own)
    source = known.source(server)
    show_server(shared.screen(), known, source, load(known.folder))


@command.command("approve")
@click.argument("server")
@click.option("--yes", is_flag=True, help="Do not ask after showing the tools.")
@screen_options
@shared
def approve(shared: Shared, server: str, yes: bool) -> int:
    """Start a server, show what it offers, and offer it to squads from now on.

    What is approved are names, descriptions and schemas: a tool of which one changes is refused until this
    was run again.
    """
    from opssquad.cli.render.mcp import show_approved, show_look
    from opssquad.cli.running import run
    from opssquad.extensions.mcp import approving, lock
    from opssquad.extensions.mcp.loading import servers
    from opssquad.times import wall_clock

    settings = shared.settings()
    known = servers(settings.own, believing=False)
    source = known.source(server)
    before = known.lock.servers.get(server)
    seen = run(approving.look(source, before))
    show_look(shared.screen(), source, seen)
    if not _agreed(source, seen, before, yes):
        click.echo("not approved; nothing was changed")
        return INTERNAL
    file = lock.write(known.folder, server, seen.lock(source, settings.by, wall_clock()))
    show_approved(shared.screen(), source, seen, file)
    return OK


def _agreed(source: "Source", seen: "Look", before: "ServerLock | None", yes: bool) -> bool:
    known = before is not None and before.place == source.spec.place_digest()
    if yes or (known and not seen.changed):
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to say yes; give --yes once you have read the above")
    return click.confirm("Approve?", default=False)


@command.command("serve")
@click.option("--http", type=click.IntRange(0, 65535), metavar="PORT",
              help="HTTP on 127.0.0.1 in place of stdin and stdout; 0 takes any port.")  # fmt: skip
@world_options
@screen_options
@shared
def serve(shared: Shared, /, http: int | None, **world: Any) -> None:
    """Offer `ask` and the squad's tools to other agents.

    Reads go through policy, redaction and the audit log as anywhere. What would change something is put up as
    a card for a human, and never carried out by an agent's call.
    """
    from opssquad.cli.mcp_serve import serve_agents
    from opssquad.cli.running import run
    from opssquad.cli.session import Wanted

    if world["resume"]:
        raise click.UsageError("--resume: each question of an agent has a thread of its own; leave it out")
    run(serve_agents(shared, Wanted(**world), http))


@command.command("token")
@screen_options
@shared
def token(shared: Shared) -> None:
    """Print what agents send to `mcp serve --http`, as `Authorization: Bearer TOKEN`."""
    from opssquad.cli.mcp_serve import token_of

    click.echo(token_of(shared.settings().state))
