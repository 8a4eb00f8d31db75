"""Kubernetes: the cluster handle, and a recorded cluster served over HTTP."""
