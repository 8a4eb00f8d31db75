"""What happens to a controller's new pod before it is stored: mutating webhooks rewrite it, quotas count it,
and a rule of the recording may refuse it.
"""

from collections.abc import Callable
from string import Template

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit.admission import qos_class
from opssquad.worlds.kube.apiserver.admit.quota import charge
from opssquad.worlds.kube.apiserver.status import ApiStatus, refused
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.controllers.podspec import pods
from opssquad.worlds.kube.recording.fates import Fate

QUOTA_WORDS = "exceeded quota"


class Admission:
    """Judges new pods by `fates`, and lets `rewrite` make of their spec what webhooks do."""

    def __init__(
        self, plane: Plane, fates: Callable[[Json], Fate], rewrite: Callable[[Json], Json] | None = None
    ) -> None:
        self._plane = plane
        self._fates = fates
        self._rewrite = rewrite

    def admit(self, pod: Json) -> None:
        """Judge a pod and count it in the quotas of its namespace. Raises the API server's answer."""
        self.judge(pod)
        charge(self._plane.store, pods(), pod, dry_run=True)
        fate, name = self._fates(pod), pod["metadata"]["name"]
        if fate.pending and fate.pending.message.startswith(QUOTA_WORDS):
            raise refused(pods(), name, fate.pending.message)
        charge(self._plane.store, pods(), pod)

    def judge(self, pod: Json) -> None:
        """Rewrite a pod, unless it is refused. Raises the API server's answer."""
        if self._rewrite:
            pod["spec"] = self._rewrite(pod)
            pod["status"]["qosClass"] = qos_class(pod["spec"])
        if told := self._fates(pod).refused:
            message = Template(told.message).safe_substitute(name=pod["metadata"]["name"])
            raise ApiStatus(500 if message.startswith("Internal error") else 403, "", message)
