"""Probes on real networks: hosts in namespaces, links that delay and lose, servers that misbehave."""
