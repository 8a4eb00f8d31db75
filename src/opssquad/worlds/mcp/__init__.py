"""Servers of the Model Context Protocol, as their client and as one: the only door to the library `mcp`."""
