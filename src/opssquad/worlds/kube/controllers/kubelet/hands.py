"""What every part of a kubelet does to a pod: says something of a container, writes its status, pulls an
image, and starts again after a pause what has ended.
"""

from collections.abc import Callable

from opssquad.types import Json
from opssquad.worlds.kube.controllers import kinds, naming
from opssquad.worlds.kube.controllers.kubelet import states
from opssquad.worlds.kube.controllers.kubelet.images import Images
from opssquad.worlds.kube.controllers.kubelet.timing import Timing, back_off, spoken
from opssquad.worlds.kube.controllers.kubelet.writing import Writing
from opssquad.worlds.kube.controllers.meta import copy, is_deleted, key_of, name_of, namespace_of
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.logbook import Logbook
from opssquad.worlds.kube.recording.fates import Crash, Fate

FORGIVEN = 600.0
"""Seconds that a container must run for its restarts to be forgotten: the next one is at once."""


class Hands:
    """Shared by the parts of the kubelets, with what they know of images and logs."""

    def __init__(self, plane: Plane, fates: Callable[[Json], Fate], logs: Logbook, timing: Timing) -> None:
        self.plane = plane
        self.fates = fates
        self.timing = timing
        self.images = Images(plane, timing)
        self.writing = Writing(plane, logs)

    def say(self, pod: Json, container: str, reason: str, message: str, warning: bool = False) -> None:
        """An event of the kubelet about a container, or with "" about the pod."""
        inits = [c["name"] for c in pod["spec"].get("initContainers") or ()]
        part = "initContainers" if container in inits else "containers"
        host, field = pod["spec"]["nodeName"], f"spec.{part}{{{container}}}" if container else ""
        events = self.plane.events
        events.say(pod, reason, message, "kubelet", warning=warning, host=host, field=field)

    def edit(self, pod: Json, change: Callable[[Json], None]) -> Json | None:
        """Changes the pod as it is now; None if it is gone or going."""
        found = self.plane.get(kinds.PODS, *key_of(pod))
        if found is None or found["metadata"]["uid"] != pod["metadata"]["uid"] or is_deleted(found):
            return None
        changed: Json = copy(found)
        change(changed)
        return self.plane.update(kinds.PODS, changed, "kubelet", "status")

    def there(self, pod: Json) -> bool:
        """Whether the pod is still there and nobody wants it gone."""
        return self.edit(pod, lambda _: None) is not None

    def pull(self, pod: Json, container: Json, then: Callable[[], None]) -> None:
        """Have the image, then go on."""
        present = self.images.present(pod, container)
        if not present:
            self.say(pod, container["name"], "Pulling", f'Pulling image "{container["image"]}"')
        seconds = self.timing.present if present else self.images.pull_time(pod, container)

        def done() -> None:
            if self.there(pod):
                self.say(pod, container["name"], "Pulled", self.images.pulled(container, present, seconds))
                then()

        self.plane.kernel.after(seconds, done)

    def mark_running(self, pod: Json, container: Json) -> Json | None:
        """A container is created and started; the pod as it is then."""
        name, image = container["name"], self.images.id_of(container["image"])
        self.say(pod, name, "Created", "Container created")
        self.say(pod, name, "Started", "Container started")
        return self.edit(pod, lambda p: states.run(p, name, image, self.plane.now))

    def lasts(self, pod: Json, container: Json, after: float | None, otherwise: float) -> float:
        """Seconds that a run goes well: about as many as `after` says, the same each time for one run."""
        if after is None:
            return otherwise
        status = states.status_of_container(pod, container["name"])
        drawn = naming.digest(pod["metadata"]["uid"], container["name"], status["restartCount"])
        return round(after * (0.85 + 0.3 * int(drawn[:4], 16) / 0xFFFF), 3)

    def ended(self, pod: Json, container: Json, crash: Crash) -> Json | None:
        """A container crashes; the pod as it is then."""
        name, now = container["name"], self.plane.now
        if crash.probe and self.there(pod):
            self.say(pod, name, "Unhealthy", self.writing.with_address(crash.probe, pod), warning=True)
            self.say(pod, name, "Killing", f"Container {name} failed liveness probe, will be restarted")
        return self.edit(pod, lambda p: states.end(p, name, crash.exit_code, crash.reason, now))

    def again(self, pod: Json, container: Json, restarts: int, then: Callable[[], None]) -> None:
        """Start a container anew after its pause, which grows with how often it was restarted."""
        name, pause = container["name"], back_off(restarts)
        where = f"{name_of(pod)}_{namespace_of(pod)}({pod['metadata']['uid']})"
        told = f"back-off {spoken(pause)} restarting failed container={name} pod={where}"

        def wait() -> None:
            now = self.plane.now
            if self.edit(pod, lambda p: states.wait(p, name, "CrashLoopBackOff", told, now)):
                text = f"Back-off restarting failed container {name} in pod {where}"
                self.say(pod, name, "BackOff", text, warning=True)

        self.plane.kernel.after(0.05, wait)
        self.plane.kernel.after(pause, then)
