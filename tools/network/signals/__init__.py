"""Signals about the network: facts with a name, found in what probes answered."""
