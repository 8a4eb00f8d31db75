"""The Deployment controller: revisions, rolling update, Recreate, pause, scaling, progress, history."""

from opssquad.worlds.kube.controllers.deployment.controller import DeploymentController

__all__ = ["DeploymentController"]
