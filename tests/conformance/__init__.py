"""Exchanges recorded from a real Kubernetes control plane, played against the stand-in."""
