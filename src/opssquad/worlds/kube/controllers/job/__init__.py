"""The Job controller: pods until enough succeeded or too many failed, each counted once."""

from opssquad.worlds.kube.controllers.job.controller import JobController

__all__ = ["JobController"]
