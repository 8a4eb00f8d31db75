"""The world that a case is played in: served on loopback, with a clock of the harness's and a colleague."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from opssquad.evals.rights import LIMITED, roles
from opssquad.evals.stopwatch import Stopwatch
from opssquad.investigation.options import RecordedPart
from opssquad.types import Json
from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply, User
from opssquad.worlds.kube.apiserver.route import split as split_target
from opssquad.worlds.kube.clock import real_time
from opssquad.worlds.kube.journal import Beginning, Entry, Journal
from opssquad.worlds.kube.kinds import KNOWN, match
from opssquad.worlds.kube.recording import Recording, load
from opssquad.worlds.kube.recording.load import load_incident
from opssquad.worlds.kube.recording.refs import split
from opssquad.worlds.kube.serve import open_recording
from opssquad.worlds.kube.world import ONCALL, RecordedWorld
from opssquad.worlds.sql.effects import TAKEN_AWAY
from opssquad.worlds.sql.material import has_database
from opssquad.worlds.sql.recorded import note

COLLEAGUE = User("colleague", ("system:masters", "system:authenticated"))
"""Whose changes are not the squad's."""
STEP = timedelta(seconds=5)
"""The world's time between looks while it is set forward: its controllers act on what they see."""
EDITS: dict[str, Json] = {
    "Deployment": {"spec": {"revisionHistoryLimit": 7}},
    "StatefulSet": {"spec": {"revisionHistoryLimit": 7}},
    "DaemonSet": {"spec": {"revisionHistoryLimit": 7}},
    "Node": {"spec": {"unschedulable": True}},
}
"""Harmless edits that anybody who looks before acting must notice, by kind."""
NOTED: Json = {"metadata": {"annotations": {"example.com/touched": "yes"}}}
"""The edit of any other kind."""


@dataclass(frozen=True)
class Stage:
    """A world that is being served. `kubeconfig` leads the squad to its cluster, where there is one, `part`
    to what else was recorded; the rest is the harness's alone."""

    kubeconfig: Path | None
    world: RecordedWorld
    watch: Stopwatch
    journal: Path
    part: RecordedPart

    @property
    def has_rows(self) -> bool:
        """Whether a database was recorded."""
        return has_database(self.part.folder)

    @property
    def recording(self) -> Recording:
        """What the world began with."""
        return self.world.recording

    def objects(self) -> list[Json]:
        """Every object as it is now, each once."""
        store = self.world.store
        return [obj for key in store.resources() for obj in store.list(key)]

    def settle(self, span: timedelta) -> None:
        """Let that much of the world's time pass at once, in steps."""
        until = self.watch() + span
        while self.watch() < until:
            self.watch.skip(STEP)
            self.world.advance()

    def when(self, real: datetime) -> datetime:
        """The world's time at a real moment."""
        return self.recording.clock + (self.watch.at(real) - self.world.clock.started_at)

    def touch(self, refs: Sequence[str]) -> None:
        """A colleague edits the first of these objects (Kind/namespace/name) that is there; what a database
        holds is taken away instead."""
        for ref in refs:
            kind, namespace, name = split(ref)
            if self.patch(kind, namespace, name, EDITS.get(kind, NOTED)):
                return
        if self.has_rows:
            note(self.part.journal, TAKEN_AWAY, {"ref": refs[0]}, self.watch(), real_time())

    def restart(self, kind: str, namespace: str, name: str) -> bool:
        """A colleague has a workload's pods replaced; whether it is there."""
        stamp = {"example.com/restarted": self.world.store.now().isoformat()}
        edit = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        return self.patch(kind, namespace, name, edit)

    def patch(self, kind: str, namespace: str, name: str, edit: Json) -> bool:
        """A colleague merges that into an object; whether it is there."""
        resource = match(kind, "", KNOWN)
        if resource is None:
            return False
        self.world.advance()
        made = self._colleague("PATCH", resource.path(namespace, name), "merge-patch+json", edit)
        self.world.advance()
        return made

    def limit(self, withheld: Collection[str]) -> None:
        """Give whoever comes a role for everything but that."""
        for path, role in roles(withheld).items():
            made = self._colleague("POST", path, "json", role)
            assert made, "the recording holds a role of that name"

    def _colleague(self, method: str, path: str, form: str, body: Json) -> bool:
        headers = {"content-type": f"application/{form}"}
        reply = answer(self.world, Call(method, path, COLLEAGUE, headers, json.dumps(body).encode()))
        return isinstance(reply, Reply) and reply.status < 300

    def writes(self) -> list[Entry]:
        """The squad's requests that may have changed something, in order; what is only tried out is none."""
        return [
            e for e in Journal(self.journal, self._beginning()) if not _ours(e.call) and not _tried(e.call)
        ]

    def _beginning(self) -> Beginning:
        return Beginning(self.recording.incident.id, self.world.clock.started_at, self.world.clock.speed)


def _ours(call: Call) -> bool:
    """Whether the harness made it: a squad may only act as somebody of that name."""
    return call.user.name == COLLEAGUE.name and "impersonate-user" not in call.headers


def _tried(call: Call) -> bool:
    """Whether it is a dry run, read as the server reads it: a deletion says so in its body if it has one."""
    _, query = split_target(call.target)
    if call.method == "DELETE" and call.body.strip():
        try:
            options = json.loads(call.body)
        except ValueError:
            return False
        return isinstance(options, dict) and options.get("dryRun") == ["All"]
    return query.get("dryRun") == "All"


@asynccontextmanager
async def staged(folder: Path, state: Path, withheld: Collection[str] = ()) -> AsyncIterator[Stage]:
    """Serve a recording for one case, to somebody who may not see what is withheld; `state` is a folder of
    that case alone. Raises BadFile."""
    watch, journal = Stopwatch(), state / "world.jsonl"
    user = LIMITED if withheld else ONCALL
    part = RecordedPart(folder, state / "database.jsonl", real_time())
    if load_incident(folder).cluster is None:
        world = RecordedWorld(load(folder), journal=journal, started_at=watch(), real=watch)
        yield Stage(None, world, watch, journal, part)
        return
    serving: Any = open_recording(folder, journal=journal, started_at=watch(), real=watch, user=user)
    async with serving as served:
        stage = Stage(served.kubeconfig, served.world, watch, journal, part)
        if withheld:
            stage.limit(withheld)
        yield stage
