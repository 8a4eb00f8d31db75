"""The kubelets of all nodes: they start, probe, restart and stop the containers of pods, as rules say."""

from opssquad.worlds.kube.controllers.kubelet.kubelet import Kubelet
from opssquad.worlds.kube.controllers.kubelet.timing import LIFE_LIKE, Timing

__all__ = ["LIFE_LIKE", "Kubelet", "Timing"]
