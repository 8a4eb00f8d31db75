"""What looks show of the revisions of workloads, kept beyond what a cluster keeps, and what it proves.

Values and pure functions. Reading a cluster is the tools', keeping is the store's.
"""

from opssquad.observations.judging import Known, judged, replaced
from opssquad.observations.values import Observation, PodSeen, Stretch, begun, extended

__all__ = ["Known", "Observation", "PodSeen", "Stretch", "begun", "extended", "judged", "replaced"]
