"""The main containers of a pod: images, starts, probes, crashes and back-off, each step at its own time.

What comes before them is in `setup`; how a container ends for good, in `endings`.
"""

import re
from collections.abc import Callable

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.controllers.kubelet import endings, states
from opssquad.worlds.kube.controllers.kubelet.hands import FORGIVEN, Hands
from opssquad.worlds.kube.controllers.kubelet.setup import Setup
from opssquad.worlds.kube.controllers.kubelet.timing import Timing, back_off
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.logbook import Logbook
from opssquad.worlds.kube.recording.fates import Crash, Fate, Pull, StartError

CONFIG_ERROR = re.compile(r"(?P<reason>[A-Z][A-Za-z]+Error): (?P<message>.+)", re.DOTALL)
SERVES = ("ready", "evicted", "lingering")
HELD_UP = ("volume_error", "init")


class Containers:
    """Carries pods through their containers' lives. The fate of a pod is that of its first container."""

    def __init__(self, plane: Plane, fates: Callable[[Json], Fate], logs: Logbook, timing: Timing) -> None:
        self._plane = plane
        self._timing = timing
        self._hands = Hands(plane, fates, logs, timing)
        self._setup = Setup(self._hands, self._start_mains)

    def start(self, pod: Json) -> None:
        """Begin with volumes and init containers, or with all containers."""
        self._setup.start(pod)

    def resume(self, pod: Json, was: str) -> None:
        """The pod's fate is not what it was: go on with it at the next occasion that the kubelet has."""
        main = pod["spec"]["containers"][0]
        status = states.status_of_container(pod, main["name"])
        waits = status["state"].get("waiting")
        if was in HELD_UP and waits:
            self._setup.resume(pod)
        elif not waits:
            self._plane.kernel.after(self._timing.ready, lambda: self._probe(pod, main))
        elif status["lastState"].get("terminated"):
            ended = parse_time(status["lastState"]["terminated"]["finishedAt"])
            passed = (self._plane.now - ended).total_seconds()
            pause = max(self._timing.ready, back_off(status["restartCount"]) - passed)
            self._plane.kernel.after(pause, lambda: self._run(pod, main))
        else:
            self._plane.kernel.after(self._timing.config_retry, lambda: self._begin(pod, main))

    def say(self, pod: Json, container: str, reason: str, message: str) -> None:
        """An event of the kubelet about a container."""
        self._hands.say(pod, container, reason, message)

    def end_log(self, pod: Json, container: str) -> None:
        """The container writes no more."""
        self._hands.writing.end(pod, container)

    def _start_mains(self, pod: Json) -> None:
        for container in pod["spec"]["containers"]:
            self._begin(pod, container)

    def _begin(self, pod: Json, container: Json) -> None:
        fate = self._fate(pod, container)
        error = CONFIG_ERROR.match(fate.pending.message) if fate.pending else None
        if fate.kind == "image_pull_error":
            self._hands.say(pod, container["name"], "Pulling", f'Pulling image "{container["image"]}"')
            pull = fate.image_pull_error or Pull()
            self._plane.kernel.after(
                self._timing.failed_pull, lambda: self._pull_failed(pod, container, pull, 1)
            )
        elif error:
            self._config_failed(pod, container, error["reason"], error["message"])
        else:
            self._hands.pull(pod, container, lambda: self._run(pod, container))

    def _fate(self, pod: Json, container: Json) -> Fate:
        first = pod["spec"]["containers"][0]["name"] == container["name"]
        return self._hands.fates(pod) if first else Fate(kind="ready")

    def _config_failed(self, pod: Json, container: Json, reason: str, message: str) -> None:
        now = self._plane.now
        if self._hands.edit(pod, lambda p: states.wait(p, container["name"], reason, message, now)):
            self._hands.say(pod, container["name"], "Failed", f"Error: {message}", warning=True)
            self._retry(pod, container, self._timing.config_retry, "pending")

    def _retry(self, pod: Json, container: Json, seconds: float, same: str) -> None:
        """Try again later, unless the fate has changed by then: `resume` has taken over in that case."""

        def again() -> None:
            if self._fate(pod, container).kind == same:
                self._begin(pod, container)

        self._plane.kernel.after(seconds, again)

    def _pull_failed(self, pod: Json, container: Json, pull: Pull, tries: int) -> None:
        hands, name, image = self._hands, container["name"], container["image"]
        error, now = hands.images.error(container, pull), self._plane.now
        if not hands.edit(pod, lambda p: states.wait(p, name, "ErrImagePull", error, now)):
            return
        hands.say(pod, name, "Failed", f'Failed to pull image "{image}": {error}', warning=True)
        hands.say(pod, name, "Failed", "Error: ErrImagePull", warning=True)

        def pause() -> None:
            text = f'Back-off pulling image "{image}"'
            now = self._plane.now
            waits = (name, "ImagePullBackOff", f"{text}: ErrImagePull: {error}", now)
            if hands.edit(pod, lambda p: states.wait(p, *waits)):
                hands.say(pod, name, "BackOff", text)
                hands.say(pod, name, "Failed", "Error: ImagePullBackOff", warning=True)

        def again() -> None:
            fate = self._fate(pod, container)
            if fate.kind != "image_pull_error":
                self._begin(pod, container)
            elif hands.there(pod):
                hands.say(pod, name, "Pulling", f'Pulling image "{image}"')
                self._pull_failed(pod, container, fate.image_pull_error or Pull(), tries + 1)

        self._plane.kernel.after(self._timing.to_back_off, pause)
        self._plane.kernel.after(self._timing.to_back_off + back_off(tries), again)

    def _run(self, pod: Json, container: Json) -> None:
        if not self._hands.there(pod):
            return
        fate = self._fate(pod, container)
        if fate.start_error:
            self._start_failed(pod, container, fate.start_error)
            return
        running = self._hands.mark_running(pod, container)
        if running is None:
            return
        if fate.crash:
            self._will_crash(pod, running, container, fate.crash)
            if not fate.crash.after:
                return
        else:
            self._hands.writing.start(running, container)
        self._will_be_ready(pod, container)
        if fate.evicted:
            evicted = fate.evicted
            lasts = self._hands.lasts(running, container, evicted.after, 0)
            self._plane.kernel.after(lasts, lambda: endings.evict(self._hands, pod, evicted))
        if pod["spec"].get("restartPolicy", "Always") != "Always" and not fate.crash:
            self._plane.kernel.after(self._timing.task, lambda: endings.complete(self._hands, pod, container))

    def _will_crash(self, pod: Json, running: Json, container: Json, crash: Crash) -> None:
        written = self._hands.writing.crash(running, container, crash, self._timing.crash)
        lasts = self._hands.lasts(running, container, crash.after, written)
        self._plane.kernel.after(lasts, lambda: self._crashed(pod, container, crash, lasts))

    def _will_be_ready(self, pod: Json, container: Json) -> None:
        probe = container.get("readinessProbe") or {}
        delay = max(probe.get("initialDelaySeconds", 0), self._timing.first_probe)
        seconds = min(delay, self._timing.ready) if probe else self._timing.first_probe / 2
        self._plane.kernel.after(seconds, lambda: self._probe(pod, container))

    def _probe(self, pod: Json, container: Json) -> None:
        fate = self._fate(pod, container)
        if fate.kind in SERVES or fate.crash and fate.crash.after:
            self._hands.edit(pod, lambda p: states.set_ready(p, container["name"], True, self._plane.now))
            return
        if not self._hands.there(pod):
            return
        message = self._hands.writing.probe_failure(pod, container, fate.unready)
        self._hands.say(pod, container["name"], "Unhealthy", message, warning=True)
        period = (container.get("readinessProbe") or {}).get("periodSeconds", 10)
        self._plane.kernel.after(period, lambda: self._probe_again(pod, container))

    def _probe_again(self, pod: Json, container: Json) -> None:
        if self._fate(pod, container).kind == "unready":
            self._probe(pod, container)

    def _crashed(self, pod: Json, container: Json, crash: Crash, lasted: float) -> None:
        if crash.after and not self._fate(pod, container).crash:
            return
        ended = self._hands.ended(pod, container, crash)
        if ended is None or pod["spec"].get("restartPolicy") == "Never":
            return
        restarts = states.status_of_container(ended, container["name"])["restartCount"]
        if not restarts or lasted >= FORGIVEN:
            self._plane.kernel.after(0.05, lambda: self._run(pod, container))
        else:
            self._hands.again(pod, container, restarts, self._anew(pod, container, "crash"))

    def _start_failed(self, pod: Json, container: Json, error: StartError) -> None:
        name, now = container["name"], self._plane.now
        self._hands.say(pod, name, "Created", "Container created")
        failed = self._hands.edit(
            pod, lambda p: states.fail_start(p, name, error.exit_code, error.message, now)
        )
        if failed is None:
            return
        self._hands.say(pod, name, "Failed", f"Error: {error.message}", warning=True)
        restarts = states.status_of_container(failed, name)["restartCount"]
        self._hands.again(pod, container, restarts + 1, self._anew(pod, container, "start_error"))

    def _anew(self, pod: Json, container: Json, same: str) -> Callable[[], None]:
        """Starts a container again, unless the fate has changed by then."""

        def run() -> None:
            if self._fate(pod, container).kind == same:
                self._run(pod, container)

        return run
