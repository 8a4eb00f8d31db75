"""A recorded cluster as a world: objects, logs, clock and journal, served as if it were live."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from opssquad.documents import BadFile
from opssquad.times import Clock
from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, User
from opssquad.worlds.kube.apiserver.resources import Resources, builtin
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.clock import WorldClock, real_time
from opssquad.worlds.kube.controllers import Controllers
from opssquad.worlds.kube.journal import Beginning, Journal
from opssquad.worlds.kube.logbook import Logbook
from opssquad.worlds.kube.recording import Recording
from opssquad.worlds.kube.standard import missing_roles

ONCALL = User("oncall", ("system:masters", "system:authenticated"))
# Requests that ask for a judgement change nothing, though they are sent as creations.
REVIEWS = ("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")


class RecordedWorld:
    """One incident that goes on. What the server needs of it is in `apiserver.world.ServedWorld`.

    `started_at`: the real moment at which the clock was at its start; now, unless a journal knows.
    `journal`: a file in which every change is noted before it is made; one that exists is played again first.
    `user`: who comes with its token.
    `idle`: DaemonSet or CronJob, if these stand still.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        journal: Path | None = None,
        started_at: datetime | None = None,
        speed: float = 1.0,
        real: Clock = real_time,
        user: User = ONCALL,
        idle: Collection[str] = (),
    ) -> None:
        self.recording, self._user = recording, user
        begun = Beginning(recording.incident.id, started_at or real(), speed)
        self._journal = Journal(journal, begun) if journal else None
        if self._journal:
            begun = self._journal.beginning
        self.clock = WorldClock(recording.clock, begun.started_at, begun.speed, real)
        self.store = Store(self.clock)
        self.resources = _loaded(recording, self.store)
        self.logs = Logbook(recording, self.clock)
        self.token = secrets.token_urlsafe(24)
        seed, start = recording.incident.id, recording.clock
        self._controllers = Controllers(self.store, recording.rules, self.logs, start, seed, idle=idle)
        self._replay()

    @property
    def version(self) -> Mapping[str, Any]:
        """The document at `/version`."""
        git = self.recording.cluster.kubernetes
        major, minor, _ = git.removeprefix("v").split(".", 2)
        return {
            "major": major,
            "minor": minor,
            "emulationMajor": major,
            "emulationMinor": minor,
            "minCompatibilityMajor": major,
            "minCompatibilityMinor": str(int(minor) - 1),
            "gitVersion": git,
            "gitTreeState": "clean",
            "platform": "linux/amd64",
        }

    def advance(self) -> None:
        """Let everything happen that is due by now."""
        if made := self.clock.release():
            self._controllers.observe(made)
        self._controllers.advance(self.clock())

    def authenticate(self, authorization: str) -> User | None:
        """Whoever the world is served to, unless a wrong token is shown.

        kubectl sends no token over plain HTTP, so none must be enough; the server listens on loopback only,
        and a recording holds no secret.
        """
        if not authorization:
            return self._user
        scheme, _, token = authorization.partition(" ")
        right = secrets.compare_digest(token.strip().encode(), self.token.encode())
        return self._user if scheme.lower() == "bearer" and right else None

    def before_write(self, call: Call) -> None:
        """Note a change in the journal, and hold the clock at its moment until it is made."""
        if self._replaying:
            return
        self.advance()
        moment = self.clock()
        if self._journal and not call.target.startswith(REVIEWS):
            self._journal.record(moment, call)
        self.clock.pin(moment)

    def _replay(self) -> None:
        self._replaying = True
        for entry in self._journal or ():
            self._controllers.advance(entry.at)
            self.clock.pin(entry.at)
            answer(self, entry.call)
            if made := self.clock.release():
                self._controllers.observe(made)
        self._replaying = False


def _loaded(recording: Recording, store: Store) -> Resources:
    """Puts the recorded objects into the store; gives the resources, custom ones included.

    Events are recorded in both of their forms; the core form is stored.
    """
    definitions = [obj for obj in recording.objects if obj["kind"] == "CustomResourceDefinition"]
    resources = builtin().extended(definitions)
    for number, obj in enumerate(recording.objects, 1):
        resource = resources.of_kind(obj["apiVersion"], obj["kind"])
        if resource is None:
            file = recording.folder / "cluster" / "objects.jsonl.gz"
            raise BadFile(file, f"no resource has kind {obj['kind']} in {obj['apiVersion']}", number)
        if resource.group != "events.k8s.io":
            store.load(resource.key, obj)
    for key, obj in missing_roles(recording.objects, recording.incident.id):
        store.load(key, obj)
    return resources
