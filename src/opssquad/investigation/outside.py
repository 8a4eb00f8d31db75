"""What tools from outside get besides the systems of a run: opened with the run, closed with it."""

from contextlib import AsyncExitStack

from opssquad.investigation.options import Options
from opssquad.toolbox import Handles
from opssquad.worlds.mcp.servers import McpServers


def outside(options: Options, stack: AsyncExitStack) -> Handles:
    """The handles; nothing is started before a tool is called. A recording holds no answers of servers: with
    one they may be read, and nothing of theirs is changed; in evals there are none."""
    if options.part:
        return {}
    servers = McpServers()
    stack.push_async_callback(servers.close)
    return {McpServers: servers.limited("read") if options.recording else servers}
