"""What may refuse a controller's new pod: quotas, and a rule of the recording that a quota holds it back."""

from collections.abc import Callable

from opssquad.types import Json
from opssquad.worlds.kube.apiserver.admit.quota import charge
from opssquad.worlds.kube.apiserver.status import refused
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.controllers.podspec import pods


class Admission:
    """Judges new pods. `held_back` gives the words of a quota that a rule of the world names, or None."""

    def __init__(self, plane: Plane, held_back: Callable[[Json], str | None]) -> None:
        self._plane = plane
        self._held_back = held_back

    def admit(self, pod: Json) -> None:
        """Count a pod in the quotas of its namespace. Raises the API server's 403."""
        charge(self._plane.store, pods(), pod, dry_run=True)
        if message := self._held_back(pod):
            raise refused(pods(), pod["metadata"]["name"], message)
        charge(self._plane.store, pods(), pod)
