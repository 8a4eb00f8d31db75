"""Tools of the network squad: probes, and the path through Kubernetes."""
