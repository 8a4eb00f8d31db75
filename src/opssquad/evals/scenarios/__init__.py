"""Recordings made from short scenarios: an application's manifests, what happened to it, and what it logs.

The story is played on a recorded cluster's own control plane and kubelets, so that objects and events are
theirs; nothing here knows what a squad would conclude.
"""

from opssquad.evals.scenarios.make import make

__all__ = ["make"]
