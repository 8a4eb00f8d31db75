"""The containers of a pod: images, starts, probes, crashes and their back-off, each step at its own time."""

import re
from collections.abc import Callable

from opssquad.times import parse_time
from opssquad.types import Json
from opssquad.worlds.kube.controllers import kinds
from opssquad.worlds.kube.controllers.kubelet import states
from opssquad.worlds.kube.controllers.kubelet.images import Images
from opssquad.worlds.kube.controllers.kubelet.timing import Timing, back_off, spoken
from opssquad.worlds.kube.controllers.kubelet.writing import Writing
from opssquad.worlds.kube.controllers.meta import copy, is_deleted, key_of, name_of, namespace_of
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.logbook import Logbook
from opssquad.worlds.kube.recording.spec import Fate

CONFIG_ERROR = re.compile(r"(?P<reason>[A-Z][A-Za-z]+Error): (?P<message>.+)", re.DOTALL)


class Containers:
    """Carries pods through their containers' lives. The fate of a pod is that of its first container."""

    def __init__(self, plane: Plane, fates: Callable[[Json], Fate], logs: Logbook, timing: Timing) -> None:
        self._plane = plane
        self._fates = fates
        self._timing = timing
        self._images = Images(plane, timing)
        self._writing = Writing(plane, logs)

    def start(self, pod: Json) -> None:
        """Begin with the first init container, or with all containers."""
        inits = pod["spec"].get("initContainers") or []
        if inits:
            self._pull(pod, inits[0], lambda: self._run_init(pod, 0))
        else:
            self._start_mains(pod)

    def resume(self, pod: Json) -> None:
        """The pod's fate is another one: go on with it at the next occasion that the kubelet has."""
        main = pod["spec"]["containers"][0]
        status = states.status_of_container(pod, main["name"])
        waits = status["state"].get("waiting")
        if not waits:
            self._plane.kernel.after(self._timing.ready, lambda: self._probe(pod, main))
        elif status["lastState"].get("terminated"):
            ended = parse_time(status["lastState"]["terminated"]["finishedAt"])
            passed = (self._plane.now - ended).total_seconds()
            pause = max(self._timing.ready, back_off(status["restartCount"]) - passed)
            self._plane.kernel.after(pause, lambda: self._run(pod, main))
        else:
            self._plane.kernel.after(self._timing.config_retry, lambda: self._begin(pod, main))

    def say(self, pod: Json, container: str, reason: str, message: str, warning: bool = False) -> None:
        """An event of the kubelet about a container."""
        inits = [c["name"] for c in pod["spec"].get("initContainers") or ()]
        part = "initContainers" if container in inits else "containers"
        host, field = pod["spec"]["nodeName"], f"spec.{part}{{{container}}}"
        events = self._plane.events
        events.say(pod, reason, message, "kubelet", warning=warning, host=host, field=field)

    def end_log(self, pod: Json, container: str) -> None:
        """The container writes no more."""
        self._writing.end(pod, container)

    def _edit(self, pod: Json, change: Callable[[Json], None]) -> Json | None:
        """Changes the pod as it is now; None if it is gone or going."""
        found = self._plane.get(kinds.PODS, *key_of(pod))
        if found is None or found["metadata"]["uid"] != pod["metadata"]["uid"] or is_deleted(found):
            return None
        changed: Json = copy(found)
        change(changed)
        return self._plane.update(kinds.PODS, changed, "kubelet", "status")

    def _pull(self, pod: Json, container: Json, then: Callable[[], None]) -> None:
        present = self._images.present(pod, container)
        if not present:
            self.say(pod, container["name"], "Pulling", f'Pulling image "{container["image"]}"')
        seconds = self._timing.present if present else self._images.pull_time(pod, container)

        def done() -> None:
            if self._edit(pod, lambda _: None):
                self.say(pod, container["name"], "Pulled", self._images.pulled(container, present, seconds))
                then()

        self._plane.kernel.after(seconds, done)

    def _run_init(self, pod: Json, number: int) -> None:
        container = pod["spec"]["initContainers"][number]
        name = container["name"]
        self._mark_running(pod, container)

        def done() -> None:
            if not self._edit(pod, lambda p: states.end(p, name, 0, "Completed", self._plane.now)):
                return
            if number + 1 < len(pod["spec"]["initContainers"]):
                following = pod["spec"]["initContainers"][number + 1]
                self._pull(pod, following, lambda: self._run_init(pod, number + 1))
            else:
                self._start_mains(pod)

        self._plane.kernel.after(self._timing.init, done)

    def _start_mains(self, pod: Json) -> None:
        for container in pod["spec"]["containers"]:
            self._begin(pod, container)

    def _begin(self, pod: Json, container: Json) -> None:
        fate = self._fate(pod, container)
        error = CONFIG_ERROR.match(fate.pending.message) if fate.pending else None
        if fate.kind == "image_pull_error":
            self.say(pod, container["name"], "Pulling", f'Pulling image "{container["image"]}"')
            self._plane.kernel.after(self._timing.failed_pull, lambda: self._pull_failed(pod, container, 1))
        elif error:
            self._config_failed(pod, container, error["reason"], error["message"])
        else:
            self._pull(pod, container, lambda: self._run(pod, container))

    def _fate(self, pod: Json, container: Json) -> Fate:
        first = pod["spec"]["containers"][0]["name"] == container["name"]
        return self._fates(pod) if first else Fate(kind="ready")

    def _config_failed(self, pod: Json, container: Json, reason: str, message: str) -> None:
        now = self._plane.now
        if self._edit(pod, lambda p: states.wait(p, container["name"], reason, message, now)):
            self.say(pod, container["name"], "Failed", f"Error: {message}", warning=True)
            self._retry(pod, container, self._timing.config_retry, "pending")

    def _retry(self, pod: Json, container: Json, seconds: float, same: str) -> None:
        """Try again later, unless the fate has changed by then: `resume` has taken over in that case."""

        def again() -> None:
            if self._fate(pod, container).kind == same:
                self._begin(pod, container)

        self._plane.kernel.after(seconds, again)

    def _pull_failed(self, pod: Json, container: Json, tries: int) -> None:
        name, error = container["name"], self._images.not_found(container)
        now = self._plane.now
        if not self._edit(pod, lambda p: states.wait(p, name, "ErrImagePull", error, now)):
            return
        self.say(pod, name, "Failed", f'Failed to pull image "{container["image"]}": {error}', warning=True)
        self.say(pod, name, "Failed", "Error: ErrImagePull", warning=True)

        def pause() -> None:
            text = f'Back-off pulling image "{container["image"]}"'
            now = self._plane.now
            waits = (name, "ImagePullBackOff", f"{text}: ErrImagePull: {error}", now)
            if self._edit(pod, lambda p: states.wait(p, *waits)):
                self.say(pod, name, "BackOff", text)
                self.say(pod, name, "Failed", "Error: ImagePullBackOff", warning=True)

        def again() -> None:
            if self._fate(pod, container).kind != "image_pull_error":
                self._begin(pod, container)
            elif self._edit(pod, lambda _: None):
                self.say(pod, name, "Pulling", f'Pulling image "{container["image"]}"')
                self._pull_failed(pod, container, tries + 1)

        self._plane.kernel.after(self._timing.to_back_off, pause)
        self._plane.kernel.after(self._timing.to_back_off + back_off(tries), again)

    def _mark_running(self, pod: Json, container: Json) -> Json | None:
        name, image = container["name"], self._images.id_of(container["image"])
        self.say(pod, name, "Created", "Container created")
        self.say(pod, name, "Started", "Container started")
        return self._edit(pod, lambda p: states.run(p, name, image, self._plane.now))

    def _run(self, pod: Json, container: Json) -> None:
        if not self._edit(pod, lambda _: None):
            return
        fate = self._fate(pod, container)
        running = self._mark_running(pod, container)
        if running is None:
            return
        if fate.crash:
            lasts = self._writing.crash(running, container, fate.crash, self._timing.crash)
            self._plane.kernel.after(lasts, lambda: self._crashed(pod, container, fate))
            return
        self._writing.start(running, container)
        probe = container.get("readinessProbe") or {}
        delay = max(probe.get("initialDelaySeconds", 0), self._timing.first_probe)
        seconds = min(delay, self._timing.ready) if probe else self._timing.first_probe / 2
        self._plane.kernel.after(seconds, lambda: self._probe(pod, container))
        if pod["spec"].get("restartPolicy", "Always") != "Always":
            self._plane.kernel.after(self._timing.task, lambda: self._completed(pod, container))

    def _completed(self, pod: Json, container: Json) -> None:
        self._edit(pod, lambda p: states.end(p, container["name"], 0, "Completed", self._plane.now))

    def _probe(self, pod: Json, container: Json) -> None:
        if self._fate(pod, container).kind == "ready":
            self._edit(pod, lambda p: states.set_ready(p, container["name"], True, self._plane.now))
            return
        if not self._edit(pod, lambda _: None):
            return
        message = self._writing.probe_failure(pod, container)
        self.say(pod, container["name"], "Unhealthy", message, warning=True)
        period = (container.get("readinessProbe") or {}).get("periodSeconds", 10)
        self._plane.kernel.after(period, lambda: self._probe_again(pod, container))

    def _probe_again(self, pod: Json, container: Json) -> None:
        if self._fate(pod, container).kind == "unready":
            self._probe(pod, container)

    def _crashed(self, pod: Json, container: Json, fate: Fate) -> None:
        name, crash = container["name"], fate.crash
        assert crash is not None, "only a crash brings a container here"
        now = self._plane.now
        ended = self._edit(pod, lambda p: states.end(p, name, crash.exit_code, crash.reason, now))
        if ended is None:
            return
        if pod["spec"].get("restartPolicy") == "Never":
            return
        restarts = states.status_of_container(ended, name)["restartCount"]
        if not restarts:
            self._plane.kernel.after(0.05, lambda: self._run(pod, container))
            return
        pause = back_off(restarts)
        where = f"{name_of(pod)}_{namespace_of(pod)}({pod['metadata']['uid']})"
        told = f"back-off {spoken(pause)} restarting failed container={name} pod={where}"

        def wait() -> None:
            now = self._plane.now
            if self._edit(pod, lambda p: states.wait(p, name, "CrashLoopBackOff", told, now)):
                text = f"Back-off restarting failed container {name} in pod {where}"
                self.say(pod, name, "BackOff", text, warning=True)

        self._plane.kernel.after(0.05, wait)
        self._plane.kernel.after(pause, lambda: self._after_pause(pod, container, fate.kind))

    def _after_pause(self, pod: Json, container: Json, kind: str) -> None:
        if self._fate(pod, container).kind == kind:
            self._run(pod, container)
