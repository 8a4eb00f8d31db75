"""HTTP APIs of the owner's, for tools: requests to one place, bounded, and judged by policy."""
