"""What comes before a pod's main containers: its volumes, then its init containers, one after the other."""

from collections.abc import Callable
from functools import partial

from opssquad.types import Json
from opssquad.worlds.kube.controllers.kubelet import states
from opssquad.worlds.kube.controllers.kubelet.hands import Hands
from opssquad.worlds.kube.recording.fates import Crash, Volume

FIRST_TRY, LAST_PAUSE = 0.5, 122.0
"""Seconds until a mount is tried again, twice as many each time, up to two minutes."""


class Setup:
    """Brings pods to where their main containers start; `mains` starts them."""

    def __init__(self, hands: Hands, mains: Callable[[Json], None]) -> None:
        self._hands = hands
        self._mains = mains

    def start(self, pod: Json, pause: float = FIRST_TRY) -> None:
        """Mount, then begin with the first init container, or with all containers."""
        if volume := self._hands.fates(pod).volume_error:
            self._unmounted(pod, volume, pause)
        elif pod["spec"].get("initContainers"):
            self._next(pod, 0)
        else:
            self._mains(pod)

    def resume(self, pod: Json) -> None:
        """Go on with a pod that was held up here, as its fate is another one."""
        inits = pod["spec"].get("initContainers") or []
        found = [states.status_of_container(pod, container["name"]) for container in inits]
        undone = next((number for number, status in enumerate(found) if not status["ready"]), None)
        if undone is None or found[undone]["state"].get("waiting", {}).get("reason") == "PodInitializing":
            work = partial(self.start, pod)
        elif "running" in found[undone]["state"]:
            work = partial(self._done, pod, undone)
        else:
            work = partial(self._run, pod, undone)
        self._hands.plane.kernel.after(self._hands.timing.config_retry, work)

    def _unmounted(self, pod: Json, volume: Volume, pause: float) -> None:
        if not self._hands.there(pod):
            return
        if volume.reason == "FailedMount":
            self._hands.say(pod, "", "FailedMount", volume.message, warning=True)
        else:
            events = self._hands.plane.events
            events.say(pod, volume.reason, volume.message, "attachdetach-controller", warning=True)

        def again() -> None:
            if self._hands.fates(pod).kind == "volume_error":
                self.start(pod, min(pause * 2, LAST_PAUSE))

        self._hands.plane.kernel.after(pause, again)

    def _next(self, pod: Json, number: int) -> None:
        container = pod["spec"]["initContainers"][number]
        self._hands.pull(pod, container, lambda: self._run(pod, number))

    def _run(self, pod: Json, number: int) -> None:
        container = pod["spec"]["initContainers"][number]
        running = self._hands.mark_running(pod, container)
        fate = self._hands.fates(pod).init
        if fate is None or fate.container != container["name"]:
            self._hands.plane.kernel.after(self._hands.timing.init, lambda: self._done(pod, number))
        elif fate.crash and running:
            lasts = self._hands.lasts(running, container, fate.crash.after, self._hands.timing.crash)
            crash = fate.crash
            self._hands.plane.kernel.after(lasts, lambda: self._crashed(pod, number, crash))

    def _crashed(self, pod: Json, number: int, crash: Crash) -> None:
        container = pod["spec"]["initContainers"][number]
        ended = self._hands.ended(pod, container, crash) if self._hands.fates(pod).init else None
        if ended is None or pod["spec"].get("restartPolicy") == "Never":
            return

        def again() -> None:
            if self._hands.there(pod) and self._hands.fates(pod).kind == "init":
                self._run(pod, number)

        restarts = states.status_of_container(ended, container["name"])["restartCount"]
        if restarts:
            self._hands.again(pod, container, restarts, again)
        else:
            self._hands.plane.kernel.after(0.05, again)

    def _done(self, pod: Json, number: int) -> None:
        name, now = pod["spec"]["initContainers"][number]["name"], self._hands.plane.now
        if not self._hands.edit(pod, lambda p: states.end(p, name, 0, "Completed", now)):
            return
        if number + 1 < len(pod["spec"]["initContainers"]):
            self._next(pod, number + 1)
        else:
            self._mains(pod)
