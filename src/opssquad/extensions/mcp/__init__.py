"""Servers of MCP as sources of tools: what `mcp.yaml` says of them, what was approved of what they offer."""
