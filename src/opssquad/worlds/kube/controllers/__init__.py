"""The controllers of a recorded cluster: what the control plane and the kubelets do as time passes.

Pure in (objects, rules, moments of outside changes): the same inputs give the same names and the same result.
"""

from opssquad.worlds.kube.controllers.controllers import Controllers

__all__ = ["Controllers"]
