"""Plays an operation that was recorded while the controllers were at work, with ours at work.

Time is virtual: requests come at the recorded distances. What two runs of controllers never share (the
moments and the number of their writes) is left aside: the status of every answer must be equal, every
object must have the same spec, labels and face, and every object of a watch must go through the same faces
in the same order.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from opssquad.worlds.kube.apiserver.dispatch import answer
from opssquad.worlds.kube.apiserver.request import Call, Reply
from opssquad.worlds.kube.controllers import Controllers
from opssquad.worlds.kube.logbook import Logbook
from opssquad.worlds.kube.recording.spec import WorldRules
from tests.conformance.compare import uids
from tests.conformance.faces import face, sequences
from tests.conformance.replay import Playing, Replay
from tests.conformance.transcripts import Json
from tests.conformance.world import USERS, StandingStill, logs

# Milliseconds: from the first request to commands run before or beside it, and after the last thing recorded.
BEFORE, MEANWHILE, AFTER = -150, 1350, 1500
STEP = 50  # milliseconds between looks of watches
RULES: Json = {
    "outcomes": [
        {"when": {"workload": "*/*/*", "template": {"image": "*-broken"}}, "pods": "image_pull_error"}
    ],
    "default": {"pods": "ready"},
}
KEPT = ("name", "labels", "annotations", "generation")


class RecordedLines:
    """The recorded logs in the form in which a recording gives them."""

    def log(self, namespace: str, pod: str, container: str, previous: bool = False) -> list[str] | None:
        found = logs().read(namespace, pod, container, previous)
        return None if found is None else [f"{line.time} {line.text}" for line in found]


class Living(StandingStill):
    """The world with its controllers at work, from the moment at which an operation begins."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment
        self.logs = Logbook(RecordedLines(), lambda: self.moment)
        rules = WorldRules.model_validate(RULES)
        self.controllers = Controllers(self.store, rules, self.logs, moment, "conformance")

    def advance(self) -> None:
        self.controllers.advance(self.moment)


@cache
def commands() -> Json:
    """The requests of the commands that were run beside an operation."""
    loaded: Json = yaml.safe_load((Path(__file__).parent / "commands.yaml").read_text())
    return loaded


class RunningReplay(Replay):
    """Requests at their recorded moments, commands before or meanwhile, faces compared."""

    def __init__(self, transcript: Json) -> None:
        first = transcript["exchanges"][0]
        self.begin = parsedate_to_datetime(first["response"]["headers"]["Date"])
        super().__init__(transcript, Living(self.begin + timedelta(milliseconds=2 * BEFORE)))

    async def run(self) -> list[str]:
        for at, act in sorted(self._plan(), key=lambda entry: entry[0]):
            await self._until(at)
            act()
        await self._until(self._end())
        return await self.finish()

    def _plan(self) -> Iterator[tuple[int, Any]]:
        for command in self.transcript.get("done_before", ()):
            yield BEFORE, lambda c=command: self._command(c)
        for command in self.transcript.get("done_meanwhile", ()):
            yield MEANWHILE, lambda c=command: self._command(c)
        for exchange in self.transcript["exchanges"]:
            yield exchange["t_ms"], lambda e=exchange: self.exchange(e)

    def _end(self) -> int:
        """When the last thing was recorded, and a little more."""
        return AFTER + max(
            exchange["t_ms"] + max((p["t_ms"] for p in exchange["response"].get("stream", ())), default=0)
            for exchange in self.transcript["exchanges"]
        )

    async def _until(self, milliseconds: int) -> None:
        goal = self.begin + timedelta(milliseconds=milliseconds)
        while self.world.moment < goal:
            self.world.moment = min(goal, self.world.moment + timedelta(milliseconds=STEP))
            self.world.advance()
            await asyncio.sleep(0)

    def _command(self, command: str) -> None:
        entry = commands()[command]
        headers = {"content-type": entry["type"]}
        body = json.dumps(entry["body"]).encode()
        reply = answer(self.world, Call(entry["method"], entry["path"], USERS["admin"], headers, body))
        assert isinstance(reply, Reply)
        assert reply.status < 300, reply.body

    def set_clock(self, exchange: Json) -> None:
        """The moment is set already."""

    def compare(self, exchange: Json, wanted: Any, got: Any) -> None:
        if isinstance(wanted, dict) and isinstance(got, dict):
            wanted, got = _lasting(wanted), _lasting(got)
        self.differences(exchange, wanted, got)

    def compare_stream(self, playing: Playing) -> None:
        recorded = playing.recorded["response"].get("stream", [])
        if recorded and "text" in recorded[0]:
            super().compare_stream(playing)
            return
        wanted = sequences(part["event"] for part in recorded)
        got = sequences(json.loads(line) for line in b"".join(playing.chunks).splitlines())
        self.differences(playing.recorded, {"objects": wanted}, {"objects": got})


def _lasting(body: Json) -> Json:
    """A body without what depends on the moment: rows and items by name, objects without status."""
    if body.get("kind") == "Table":
        return {"rows": [row["cells"][:3] for row in body["rows"]]}
    if "items" in body and body["kind"] != "APIGroupDiscoveryList":
        return {"items": sorted(item["metadata"]["name"] for item in body["items"])}
    if "spec" not in body:
        return body
    metadata = {key: value for key, value in body["metadata"].items() if key in KEPT}
    return {"kind": body["kind"], "metadata": metadata, "spec": body["spec"], "seen": _at_a_glance(body)}


def _at_a_glance(obj: Json) -> list[Any]:
    """Of a pod: is it the one of the start, and is it going; of anything else its face."""
    if obj["kind"] != "Pod":
        return list(face(obj))
    return [obj["metadata"]["uid"] in uids(), "deletionTimestamp" in obj["metadata"]]
